"""The report's page: one HTML file that asks nothing of the network. All text from files is escaped."""

from html import escape

from osler.report.browser import browser, browser_style
from osler.report.case_card import Bounds
from osler.report.elements import html_table, page, section, words
from osler.report.encoder_page import encoder_sections
from osler.report.figures import scores_figure, scores_words, training_figure, training_words
from osler.report.gather import Gathered
from osler.report.leaderboard import leaderboard
from osler.report.reproduce import reproduce
from osler.report.subset_tables import subset_tables
from osler.report.tables import (
    NOT_MEASURED,
    data_table,
    dataset_losses_table,
    headline,
    published_notes,
    runs_table,
    training_table,
    versions_table,
)


def html_page(title: str, found: Gathered, notes: tuple[str, ...], *, bounds: Bounds) -> str:
    """The whole page."""
    data = section("Data", html_table(data_table(found.data)) if found.data else words(NOT_MEASURED))
    if found.evaluations:
        answered = [
            leaderboard(found.evaluations, found.pairs),
            _scores(found),
            subset_tables(found.evaluations),
            encoder_sections(found.encoders),
            _training(found),
            browser(found.evaluations, bounds=bounds),
            data,
        ]
    else:
        training = _training(found) if found.training else ""
        answered = [encoder_sections(found.encoders), training, data if found.data else ""]
    again = reproduce(found.evaluations) if found.evaluations else ""
    sections = [*answered, _notes(found, notes), again, _made(found)]
    return page(title, "".join(sections), style=browser_style(found.evaluations))


def _scores(found: Gathered) -> str:
    said = escape(scores_words(found.results))
    plot = f'<figure aria-label="{said}">{scores_figure(found.results)}</figure>'
    return section("Scores", html_table(headline(found.results)) + plot)


def _training(found: Gathered) -> str:
    if not found.training:
        return section("Training", words("The recipe names no training run."))
    said = escape(training_words(found.training))
    plot = f'<figure aria-label="{said}">{training_figure(found.training)}</figure>'
    by_dataset = dataset_losses_table(found.training)
    tables = [training_table(found.training), *([by_dataset] if by_dataset.rows else [])]
    return section("Training", "".join(map(html_table, tables)) + plot)


def _notes(found: Gathered, notes: tuple[str, ...]) -> str:
    said = dict.fromkeys([*notes, *_result_notes(found), *published_notes(found.results), *found.warnings])
    if not said:
        return ""
    return section("Notes", f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in said)}</ul>")


def _result_notes(found: Gathered) -> list[str]:
    """The notes of results, each once, with the tasks and models that it is of where it is not of all."""
    places: dict[str, dict[str, None]] = {}
    everywhere: dict[str, None] = {}
    for each in found.evaluations:
        for result in each.results:
            where = f"{result.task}, {each.name}" if len(found.evaluations) > 1 else result.task
            everywhere[where] = None
            for note in result.notes:
                places.setdefault(note, {})[where] = None
    return [note if len(where) == len(everywhere) else f"{note} [{'; '.join(where)}]" for note, where in places.items()]


def _made(found: Gathered) -> str:
    commands = "".join(
        f"<li><code>osler {escape(manifest.command[1])} {escape(folder)}/recipe.yaml --out NEW_FOLDER</code></li>"
        for folder, manifest in found.manifests
        if len(manifest.command) > 1
    )
    again = (
        "<p>Each folder holds its resolved recipe. These commands make the same folders again; predictions are kept, "
        f"so <code>osler score</code> makes the scores again without the model.</p><ol>{commands}</ol>"
    )
    return section(
        "How it was made", html_table(runs_table(found.manifests)) + again + html_table(versions_table(found.manifests))
    )

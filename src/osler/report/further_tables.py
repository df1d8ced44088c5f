"""Tables of further measurements: an encoder a column, what was measured a row, chance beside it."""

from osler.report.further import PROMPT_RANGE, SectionResults
from osler.report.tables import NOT_MEASURED, Table, interval, number
from osler.schema.result import Result

_DEEP = 3


def prompts_table(found: SectionResults) -> Table:
    """How far the macro-F1 of single templates lies apart."""
    rows = []
    for name in found.names:
        for encoder in found.encoders:
            each = found.record(name, "", metric=PROMPT_RANGE, encoder=encoder)
            if each is not None:
                rows.append((name, encoder, "; ".join(each.notes), number(each.value)))
    caption = "Zero-shot, one prompt at a time: macro-F1 by single templates, and the best minus the worst."
    return Table(_told(found, caption), ("set", "encoder", "templates", "range"), tuple(rows), 3)


def retrieval_table(found: SectionResults) -> Table:
    """R@k and median rank, both ways."""
    rows = []
    for name in found.names:
        for rest in found.rests(name):
            metrics = dict.fromkeys(
                each.metric for each in found.results if each.task == f"{name}/{found.section}/{rest}"
            )
            for metric in metrics:
                records = found.row(name, rest, metric)
                rows.append(
                    (name, rest.replace("_", " "), metric.replace("_", " "), *_counts(records), *_cells(records))
                )
    caption = (
        "Retrieval: R@k is the share of queries with a right partner among the first k; repeats of an image or of a "
        "text are one, and any right partner counts. Chance is a random order. The median rank is better when lower."
    )
    columns = ("store", "from, to", "", "n", "groups", "chance", *found.encoders)
    return Table(_told(found, caption), columns, tuple(rows), _DEEP)


def relative_table(found: SectionResults, name: str) -> Table:
    """Relative robustness of one set by corruption; all, by kind, then each corruption."""
    metric = "relative_robustness"
    rests = [rest for rest in found.rests(name) if any(found.row(name, rest, metric))]
    rests.sort(key=lambda rest: (rest != "", rest not in ("medical", "common"), rest))
    rows = []
    for rest in rests:
        records = found.row(name, rest, metric)
        rows.append((_words(rest) or "all corruptions", *_cells(records)))
    clean = found.row(name, "clean", "balanced_accuracy")
    chance = next((each.baseline["chance"].value for each in clean if each is not None), None)
    caption = (
        f"{name}: relative robustness, the balanced accuracy under corruption over that on clean images, chance "
        f"({number(chance)}) taken off both: 1 is no loss, 0 is guessing. No value is given where the clean score is "
        "not above chance; it is the last row."
    )
    rows.append(("balanced accuracy, clean", *_cells(clean)))
    return Table(_told(found, caption), ("corruption", *found.encoders), tuple(rows), 1)


def conditions_table(found: SectionResults, name: str) -> Table:
    """Balanced accuracy of one set under every corruption at every severity."""
    rows = []
    for rest in found.rests(name):
        records = found.row(name, rest, "balanced_accuracy")
        if any(records):
            rows.append((_words(rest), *_cells(records)))
    caption = f"{name}: balanced accuracy under each corruption at each severity."
    return Table(_told(found, caption), ("condition", *found.encoders), tuple(rows), 1)


def understanding_table(found: SectionResults, *, deep: bool) -> Table:
    """Right choices by factor; `deep` shows them by what the factor is asked of."""
    rows = []
    for name in found.names:
        for rest in found.rests(name):
            how, factor, *subject = rest.split("/")
            if bool(subject) != deep:
                continue
            for metric in ("choice_accuracy", "pair_accuracy"):
                records = found.row(name, rest, metric)
                if any(records):
                    words = (f"by {how}", _words("/".join([factor, *subject])), metric.replace("_", " "))
                    rows.append((*words, *_counts(records), *_cells(records)))
    caption = (
        "Understanding: films that differ in one factor only. By captions: which of two captions fits the film; an "
        "encoder that does not look has one half of the films and no pair. By probe: a linear probe on "
        "frozen features tells the two values apart; it says what the features hold, not what words would find."
    )
    columns = ("choice", "factor", "", "n", "pairs", "chance", *found.encoders)
    return Table(_told(found, caption), columns, tuple(rows), _DEEP)


def _told(found: SectionResults, caption: str) -> str:
    """The caption, with the settings' hash where the page holds several."""
    return f"{caption} Settings {found.protocol_sha256[:12]}." if found.distinct else caption


def _words(rest: str) -> str:
    return rest.replace("_", " ").replace("/", ", ")


def _counts(records: tuple[Result | None, ...]) -> tuple[str, str, str]:
    """Items, groups and chance, which all encoders share."""
    first = next(each for each in records if each is not None)
    chance = first.baseline.get("chance")
    return str(first.n), str(first.n_clusters), number(chance.value if chance else None)


def _cells(records: tuple[Result | None, ...]) -> tuple[str, ...]:
    return tuple(_cell(each) for each in records)


def _cell(each: Result | None) -> str:
    if each is None or each.value is None:
        return NOT_MEASURED
    if each.ci_low is None or each.ci_high is None:
        return number(each.value)
    return f"{number(each.value)} ({interval(each.ci_low, each.ci_high)})"

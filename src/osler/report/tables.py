"""Tables of text: results, data, training and manifests as rows of words. A value not measured says so."""

from dataclasses import dataclass

from osler.report.gather import Curve, Source
from osler.schema.manifest import Manifest
from osler.schema.result import Interval, Result

NOT_MEASURED = "not measured"
NOT_AT_HAND = "not at hand"
BASELINES = ("majority", "question_prior", "blind", "shuffled")
_HASH_LETTERS = 12


@dataclass(frozen=True)
class Table:
    """A caption, the names of the columns and rows of words. Columns from `first_number` on hold numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first_number: int


def headline(results: tuple[Result, ...]) -> Table:
    """One row per task and metric: value, interval, counts, what it has to beat, and what others have published."""
    several = len({result.model for result in results}) > 1
    words = ("model", "task", "metric") if several else ("task", "metric")
    numbers = ("value", "95 % interval", "n", "clusters", "unparsed", *(_label(name) for name in BASELINES))
    items = ("items",) if any(result.items for result in results) else ()
    published = ("published by others",) if any(result.published for result in results) else ()
    rows = tuple(
        (
            *((result.model,) if several else ()),
            result.task,
            result.metric,
            _value(result),
            interval(result.ci_low, result.ci_high),
            str(result.n),
            str(result.n_clusters),
            str(result.unparsed),
            *(_baseline(result.baseline.get(name)) for name in BASELINES),
            *((NOT_AT_HAND if _is_absent(result) else result.items,) if items else ()),
            *((_published(result),) if published else ()),
        )
        for result in results
    )
    caption = (
        "Scores on held-out items. An answer that cannot be parsed counts as wrong. Baselines: the most frequent "
        "answer, the most frequent answer to each wording of the question, the same model without the image, "
        "and with another item's image."
    )
    if items:
        caption += " Items: verified as the task's own list by count and hash, unverified, or partial."
    if published:
        caption += " Published scores are others' own, over items and by rules that may differ: see the notes."
    return Table(caption, (*words, *numbers, *items, *published), rows, first_number=len(words))


def headline_records(results: tuple[Result, ...]) -> list[dict[str, object]]:
    """The results as plain records."""
    return [result.model_dump(mode="json") for result in results]


def training_table(curves: tuple[Curve, ...]) -> Table:
    """Steps, first and last loss of each training run, and how fast it was as far as any run logged it."""
    logged = [column for column in _TRAINING_LOGGED if any(column[0] in curve.logged for curve in curves)]
    rows = tuple(
        (
            curve.name,
            str(curve.steps[-1]) if curve.steps else "0",
            number(_first(curve)),
            number(curve.last_loss),
            *(_last(curve, key, pattern) for key, _, pattern in logged),
        )
        for curve in curves
    )
    caption = "Training runs, in order. The last loss and what follows it are means of the last ten logged."
    return Table(caption, (*_TRAINING, *(title for _, title, _ in logged)), rows, 1)


def dataset_losses_table(curves: tuple[Curve, ...]) -> Table:
    """First and last loss of each dataset in each run; no rows where none was logged."""
    rows = tuple(
        (curve.name, key.partition("/")[2], kind, number(series.values[0]), number(series.last))
        for curve in curves
        for prefix, kind in (("loss/", "training"), ("eval_loss/", "held out"))
        for key, series in sorted(curve.logged.items())
        if key.startswith(prefix)
    )
    columns = ("run", "dataset", "samples", "first loss", "last loss")
    return Table("Loss by dataset, a mean over its words.", columns, rows, 3)


def data_table(sources: tuple[Source, ...]) -> Table:
    """Samples and groups by dataset, licence and split."""
    rows = tuple((s.dataset, s.licence, s.access, s.split, f"{s.num_samples:,}", f"{s.num_groups:,}") for s in sources)
    columns = ("dataset", "licence", "access", "split", "samples", "groups")
    return Table(
        "Where the samples come from. A group (a patient, an article) is never in two splits.", columns, rows, 4
    )


def runs_table(manifests: tuple[tuple[str, Manifest], ...]) -> Table:
    """How each folder was made."""
    rows = tuple(
        (
            folder,
            " ".join(manifest.command),
            manifest.git_commit[:_HASH_LETTERS] or "not known",
            ", ".join(f"{name} {seed}" for name, seed in sorted(manifest.seeds.items())) or "none",
            manifest.recipe_sha256[:_HASH_LETTERS],
            ", ".join(f"{path} {digest[:_HASH_LETTERS]}" for path, digest in sorted(manifest.inputs.items())) or "none",
        )
        for folder, manifest in manifests
    )
    columns = ("folder", "command", "commit", "seeds", "recipe SHA-256", "inputs SHA-256")
    return Table("How each folder was made; its manifest.json holds the full hashes of every file.", columns, rows, 6)


def versions_table(manifests: tuple[tuple[str, Manifest], ...]) -> Table:
    """The versions of packages that took part, from all manifests."""
    versions: dict[str, set[str]] = {}
    for _, manifest in manifests:
        for name, version in {**manifest.packages, "python": manifest.host.python}.items():
            versions.setdefault(name, set()).add(version)
    rows = tuple((name, ", ".join(sorted(found))) for name, found in sorted(versions.items()))
    return Table("Versions of the packages that took part.", ("package", "version"), rows, 2)


def number(value: float | None) -> str:
    """Three decimals, or that it was not measured."""
    return NOT_MEASURED if value is None else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Low and high, or that they were not measured."""
    return NOT_MEASURED if low is None or high is None else f"{low:.3f} to {high:.3f}"


def published_notes(results: tuple[Result, ...]) -> list[str]:
    """What the recipe says of each published score that is not known of it."""
    return [
        f"published {score.metric} of {score.model} on {result.task} ({score.source}): {score.note}"
        for result in results
        for score in result.published
        if score.note
    ]


def _value(result: Result) -> str:
    return NOT_AT_HAND if _is_absent(result) else number(result.value)


def _is_absent(result: Result) -> bool:
    return result.n == 0 and any(note.startswith(NOT_AT_HAND) for note in result.notes)


def _published(result: Result) -> str:
    return "; ".join(
        f"{number(score.value)} ({score.model}{'' if score.n is None else f', n {score.n:,}'})"
        for score in result.published
    )


def _baseline(found: Interval | None) -> str:
    if found is None or found.value is None:
        return NOT_MEASURED
    if found.ci_low is None or found.ci_high is None:
        return number(found.value)
    return f"{number(found.value)} ({interval(found.ci_low, found.ci_high)})"


def _label(name: str) -> str:
    return name.replace("_", " ")


def _first(curve: Curve) -> float | None:
    return curve.losses[0] if curve.losses else None


def _last(curve: Curve, key: str, pattern: str) -> str:
    return pattern.format(curve.logged[key].last) if key in curve.logged else NOT_MEASURED


_TRAINING = ("run", "steps", "first loss", "last loss")
# Name in the log, title of the column, how the number is written.
_TRAINING_LOGGED = (
    ("eval_loss", "held-out loss", "{:.3f}"),
    ("fill", "fill", "{:.3f}"),
    ("tokens_per_s", "tokens/s", "{:,.0f}"),
    ("tiles_per_s", "tiles/s", "{:,.1f}"),
    ("mfu", "MFU", "{:.1%}"),
    ("memory_gib", "memory, GiB", "{:.1f}"),
)

"""Patient-trial pairs of SIGIR 2016 and TREC Clinical Trials 2021 and 2022: reading, labels, a published sub-sample.

What a judgement means differs: in SIGIR 2016, 0 is `would not refer`, 1 `would consider`, 2 `highly likely to refer`;
in TREC, 0 is `not relevant`, 1 `excluded` and 2 `eligible`. So 1 is the middle of a scale in one and a clear no in the
other. Published code reads TREC's 0 as excluded and 1 as not relevant, which swaps the two.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osler.core.rng import generator
from osler.datasets.dataset import BadRow, Row, Skip
from osler.datasets.read import FileRows, csv_table, json_map, jsonl, tsv_table
from osler.datasets.trial_text import clean_criteria, merged, numbered_note
from osler.datasets.wording import ask_choice
from osler.schema.sample import Sample, choice, user

OPTIONS: Final = ("eligible", "partially eligible", "not eligible", "not enough information")
SHUFFLE_SEED: Final = 0
SUB_SAMPLE_SIZE: Final = 4936
SUB_SAMPLE_SEED: Final = 0
SUB_SAMPLE_TAG: Final = f"subset:{SUB_SAMPLE_SIZE}"

# Pairs judged 0, 1 and 2 in the files as published.
JUDGED: Final[Mapping[str, tuple[int, int, int]]] = {
    "sigir": (2733, 681, 421),
    "trec_2021": (24243, 6019, 5570),
    "trec_2022": (28419, 3036, 3939),
}
# One patient is set aside to be shown as an example, so that no example is of a patient about whom anything is asked:
# the first in an order drawn with seed 0 who has ten pairs of every judgement. All other patients are asked.
EXAMPLE_TOPIC: Final = "sigir-20156"
EXAMPLE_COHORT: Final = "sigir"
EXAMPLE_JUDGED: Final = (50, 17, 17)
ASKED: Final[Mapping[str, tuple[int, int, int]]] = {
    **JUDGED,
    EXAMPLE_COHORT: (2733 - EXAMPLE_JUDGED[0], 681 - EXAMPLE_JUDGED[1], 421 - EXAMPLE_JUDGED[2]),
}
SPLITS: Final = {"train": sum(EXAMPLE_JUDGED), "test": sum(map(sum, ASKED.values()))}
_TREC_MEANS = ("not relevant", "excluded", "eligible")
MEANS: Final[Mapping[str, tuple[str, str, str]]] = {
    "sigir": ("would not refer", "would consider", "highly likely to refer"),
    "trec_2021": _TREC_MEANS,
    "trec_2022": _TREC_MEANS,
}
# As the published evaluation maps all three alike, and as the judges' own words are nearest to the options.
BY_SCORE: Final = dict.fromkeys(JUDGED, ("not eligible", "partially eligible", "eligible"))
BY_MEANING: Final = {
    **BY_SCORE,
    **dict.fromkeys(("trec_2021", "trec_2022"), ("not eligible", "not eligible", "eligible")),
}

_QUESTION = "Is this patient eligible for this trial?"


@dataclass(frozen=True)
class TrialPairs:
    """Judged pairs, patient by patient: of the patient set aside as example in `train`, of all others in `test`.

    Rows: `{"id", "topic", "trial", "cohort", "score", "note", "title", "criteria", "in_subset"}`. `note` is numbered
    sentences, `criteria` cleaned lists; each is None where its text is not at hand. One cohort's notes and judged
    trials are held at a time.
    """

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The pairs of the cohorts at hand."""
        for cohort in _cohorts_of(_base(root), split):
            yield from _cohort_rows(root, cohort, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """Topics, judgements and trials of the cohorts at hand, or of all where none is."""
        base = _base(root)
        return [path for cohort in _cohorts_of(base, split) for path in _cohort_paths(root, base, cohort)]


def trial_question(options_of: Mapping[str, tuple[str, ...]]) -> Callable[[Row], Sample | Skip]:
    """The `to_sample` that takes the right option from `options_of`, by cohort and judgement."""

    def to_sample(row: Row) -> Sample | Skip:
        """Ask whether the patient fits the trial; the options' order is drawn for each pair."""
        if row["score"] not in ("0", "1", "2"):
            return Skip(f"unknown judgement {row['score']!r}")
        if row["note"] is None:
            return Skip("the patient's note is not at hand")
        if row["criteria"] is None:
            return Skip("the trial's text is not at hand")
        if not row["criteria"]:
            return Skip("the trial has no criteria")
        score = int(row["score"])
        options = tuple(OPTIONS[n] for n in generator(SHUFFLE_SEED, row["id"]).permutation(len(OPTIONS)))
        title = f"Clinical trial: {row['title']}\n\n" if row["title"] else ""
        case = f"Patient note:\n{row['note']}\n\n{title}{row['criteria']}\n\n{_QUESTION}"
        tags = (f"cohort:{row['cohort']}", f"qrel:{score}", f"judged:{MEANS[row['cohort']][score].replace(' ', '_')}")
        return Sample(
            turns=(user(ask_choice(case, options)),),
            answer=choice(options_of[row["cohort"]][score], options),
            task="patient_trial",
            tags=(*tags, SUB_SAMPLE_TAG) if row["in_subset"] else tags,
        )

    return to_sample


def sub_sample(
    cohort: str, judged: Iterable[tuple[str, str]], *, size: int = SUB_SAMPLE_SIZE, seed: int = SUB_SAMPLE_SEED
) -> frozenset[str]:
    """The ids of a cohort's pairs in the sub-sample of `size` over all three, the same wherever it is drawn.

    The published evaluation used 4,936 pairs of which no list exists. This one gives each judgement of each cohort as
    equal a share as there are pairs for (`quotas`), so that a score by class rests on as many pairs of each.

    Args:
        cohort: `sigir`, `trec_2021` or `trec_2022`.
        judged: id and judgement (`0`, `1`, `2`) of all its pairs, in any order.
    """
    cells: dict[str, list[str]] = {"0": [], "1": [], "2": []}
    for id, score in judged:
        if score in cells:
            cells[score].append(id)
    shares = quotas(size)
    chosen: set[str] = set()
    for score, ids in cells.items():
        ids.sort()
        order = generator(seed, "patient_trial", cohort, score).permutation(len(ids))
        chosen.update(ids[n] for n in order[: shares[cohort, int(score)]])
    return frozenset(chosen)


def quotas(size: int) -> dict[tuple[str, int], int]:
    """How many pairs of each cohort and judgement a sub-sample of `size` takes: equal shares, small cells in full."""
    left = sorted(((count, cohort, score) for cohort in ASKED for score, count in enumerate(ASKED[cohort])))
    shares: dict[tuple[str, int], int] = {}
    while left:
        count, cohort, score = left[0]
        shares[cohort, score] = min(count, size // len(left))
        size -= shares[cohort, score]
        left = left[1:]
    return shares


def _base(root: Path) -> Path:
    """The folder of the cohorts: the root, or `dataset` below it as in the repository."""
    nested = root / "dataset"
    return nested if nested.is_dir() and not any((root / cohort).is_dir() for cohort in JUDGED) else root


def _cohorts(base: Path) -> list[str]:
    return [cohort for cohort in JUDGED if (base / cohort).is_dir()] or list(JUDGED)


def _cohorts_of(base: Path, split: str) -> list[str]:
    return [EXAMPLE_COHORT] if split == "train" else _cohorts(base)


def _cohort_paths(root: Path, base: Path, cohort: str) -> list[Path]:
    folder = base / cohort
    return [
        folder / "queries.jsonl",
        folder / "qrels" / "test.tsv",
        *_trial_rows(root, base, cohort).paths(root, "test"),
    ]


def _cohort_rows(root: Path, cohort: str, split: str) -> Iterator[Row | BadRow]:
    base = _base(root)
    topics = jsonl({"test": f"{cohort}/queries.jsonl"}, fields=("_id", "text"))(base, "test")
    notes = {row["_id"]: numbered_note(row["text"]) for row in topics if isinstance(row, dict)}
    judged = tsv_table({"test": f"{cohort}/qrels/test.tsv"}, fields=("query-id", "corpus-id", "score"))
    read = (_pair(row) if isinstance(row, dict) else row for row in judged(base, "test"))
    pairs = [pair for pair in read if _split_of(pair) == split]
    good = [pair for pair in pairs if isinstance(pair, dict)]
    chosen = sub_sample(cohort, ((pair["id"], pair["score"]) for pair in good)) if split == "test" else frozenset()
    trials = _trials(root, base, cohort, {pair["trial"] for pair in good})
    for pair in pairs:
        if isinstance(pair, BadRow):
            yield pair
            continue
        title, criteria = trials.get(pair["trial"], ("", None))
        known = {"note": notes.get(pair["topic"]), "title": title, "criteria": criteria}
        yield {**pair, **known, "cohort": cohort, "in_subset": pair["id"] in chosen}


def _pair(row: Row) -> Row:
    topic, trial = row["query-id"].strip(), row["corpus-id"].strip()
    return {"id": f"{topic}_{trial}", "topic": topic, "trial": trial, "score": row["score"].strip()}


def _split_of(pair: Row | BadRow) -> str:
    """A line that cannot be read is counted in the test, which has nearly all of them."""
    return "train" if isinstance(pair, dict) and pair["topic"] == EXAMPLE_TOPIC else "test"


def _trials(root: Path, base: Path, cohort: str, wanted: set[str]) -> dict[str, tuple[str, str]]:
    """Title and cleaned criteria of the wanted trials, by id."""
    found: dict[str, tuple[str, str]] = {}
    for row in _trial_rows(root, base, cohort)(root, "test"):
        if isinstance(row, BadRow):
            continue
        id = row.get("nctid") or row["_id"]
        if id in wanted and id not in found:
            found[id] = _trial(row)
    return found


def _trial(row: Row) -> tuple[str, str]:
    if "criteria" in row:
        return "", clean_criteria(row["criteria"] or "").shown()
    about = row.get("metadata") or row
    parts = (clean_criteria(about.get(f"{kind}_criteria") or "", kind) for kind in ("inclusion", "exclusion"))
    title = about.get("brief_title") or row.get("title") or ""
    return " ".join(title.split()), merged(*parts).shown()


def _trial_rows(root: Path, base: Path, cohort: str) -> FileRows:
    """The trials in the first form at hand: the cohort's corpus, one file for all cohorts, or tables of criteria."""
    below = base.relative_to(root).as_posix()
    corpus = f"{below}/{cohort}/corpus.jsonl"
    if not (root / corpus).is_file():
        if (base / "trial_info.json").is_file():
            return json_map({"test": f"{below}/trial_info.json"}, fields=("inclusion_criteria", "exclusion_criteria"))
        if any((root / "hint_criteria").glob("*.csv")):
            return csv_table({"test": "hint_criteria/*.csv"}, fields=("nctid", "criteria"))
    return jsonl({"test": corpus}, fields=("_id", "metadata"))

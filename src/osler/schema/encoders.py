"""Encoders compared by `osler transfer`: its `comparisons.json` and `sets.json`, as reports read them."""

from osler.schema.base import Record
from osler.schema.result import Difference


class Ranking(Record):
    """Encoders by mean rank over sets, 1 being the best.

    friedman_p, friedman_test: whether the ranks differ at all, and how that was found. critical_difference: of mean
    ranks, by Nemenyi at 5 %. groups: encoders, by place, that it does not tell apart. verdict: what that means.
    """

    encoders: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    num_sets: int
    friedman_p: float | None
    friedman_test: str
    critical_difference: float | None
    groups: tuple[tuple[int, ...], ...]
    verdict: str


class PairOnSet(Record):
    """`difference` is the first encoder minus the second on a set, or on the mean over sets ("mean").

    wilcoxon_p: of the mean: over sets, adjusted by Holm over the pairs.
    """

    probe: str
    set_name: str
    metric: str
    first: str
    second: str
    difference: Difference
    wilcoxon_p: float | None = None
    wilcoxon_test: str = ""


class ProbeComparison(Record):
    """All that one probe tells of the encoders. sets: those that every encoder was measured on.

    left_out: encoders or sets that could not be compared, and why.
    """

    probe: str
    protocol_sha256: str
    sets: tuple[str, ...]
    encoders: tuple[str, ...]
    pairs: tuple[PairOnSet, ...]
    ranking: Ranking | None
    left_out: tuple[str, ...]


class Copy(Record):
    """Two images of a set that show one picture, by name, with the published split and the classes of each.

    A doubtful one is for a person to judge and counts nowhere.
    """

    first: str
    first_split: str
    first_classes: tuple[str, ...]
    second: str
    second_split: str
    second_classes: tuple[str, ...]
    rule: str
    score: float
    doubtful: bool


class SetRecord(Record):
    """One image set as it was measured. splits: images by published split, "" where the benchmark cuts the set itself.

    drops: rows that are no item, by reason. notes: what a reader has to know.
    """

    name: str
    classes: tuple[str, ...]
    multi_label: bool
    modality: str
    licence: str
    images: int
    groups: int
    splits: dict[str, int]
    per_class: dict[str, int]
    drops: dict[str, int]
    copies: tuple[Copy, ...]
    items_sha256: str
    notes: tuple[str, ...] = ()

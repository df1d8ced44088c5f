"""Result: a score with its count, interval, unparsed share and baselines."""

from typing import Final, Literal

from osler.schema.base import Record

RESULT_VERSION: Final = 1
ItemStamp = Literal["verified", "unverified", "partial"]


class Difference(Record):
    """One system minus another on the same items, clusters kept whole.

    test names what gave `p`; p_holm is p adjusted for the table that the comparison stands in; mde is the smallest true
    difference that a comparison like this one finds with probability 0.8. None where it was not measured.
    """

    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str = ""
    n: int
    n_clusters: int
    test: str = ""
    p: float | None = None
    p_holm: float | None = None
    mde: float | None = None
    notes: tuple[str, ...] = ()


class Interval(Record):
    """A value with its confidence interval; None where it was not measured, never 0.

    paired: of a baseline, the model's value minus this one on the items that both answered.
    """

    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str = ""
    n: int | None = None
    n_clusters: int | None = None
    unparsed: int | None = None
    paired: Difference | None = None


class Published(Record):
    """A score of others on the same task, shown beside ours and never ranked with it.

    value: in the unit and direction of `metric`. n: over how many items it is said to be. note: what is not known of
    it, such as which variant of the metric, or by which rule its items were chosen.
    """

    model: str
    metric: str
    value: float
    source: str
    n: int | None = None
    note: str = ""


class Result(Record):
    """One metric of one task for one model.

    `value` counts an unparsed answer as wrong; `unparsed` is how many there were, so that the score lies
    between `value` and `value + unparsed / n`. `metric_signature` names the exact variant of the metric.
    `items` says whether the asked items are the task's own list: `verified` by count and hash, `unverified` where the
    hash or the count is not known, `partial` where others were asked; "" in results of before. `prompt` is the name,
    version and hash of the added words. `published` are scores of others, copied from the recipe. `protocol_sha256` is
    the protocol of `osler transfer` under which it was measured; scores under different ones are not comparable.
    """

    schema_version: Literal[1] = RESULT_VERSION
    task: str
    task_version: str
    metric: str
    metric_signature: str
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str = ""
    n: int
    n_clusters: int
    unparsed: int
    baseline: dict[str, Interval] = {}
    model: str
    dataset_ids_sha256: str
    items: ItemStamp | Literal[""] = ""
    prompt: str = ""
    protocol_sha256: str = ""
    published: tuple[Published, ...] = ()
    notes: tuple[str, ...] = ()

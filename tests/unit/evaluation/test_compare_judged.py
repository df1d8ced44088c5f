"""Two judged runs: paired differences equal those done by hand, and runs that are not alike are refused."""

import pytest

from osler.core.errors import InputError
from osler.core.files import write_json
from osler.evaluation.compare_judged import compare_judged, has_item_scores
from osler.evaluation.item_scores import ItemScore, read_item_scores, write_item_scores
from osler.schema.result import Result
from osler.scoring.permutation import sign_flip

VALUES = [0.2, 0.4, 0.6, 0.8, 0.5, 0.1]
BETTER = [0.4, 0.5, 0.9, 0.8, 0.7, None]


@pytest.fixture
def judged(tmp_path):
    """Write a judged run; returns its folder."""

    def write(name, values, *, clusters="aabbcc", signature="pkr|judge:toy", items="123456"):
        folder = tmp_path / name
        folder.mkdir()
        result = Result(
            task="bench", task_version="1", metric="pkr", metric_signature=signature, value=0.5, n=6, n_clusters=3,
            unparsed=0, model=name, dataset_ids_sha256="0",
        )  # fmt: skip
        write_json(folder / "results.json", [result.model_dump(mode="json")])
        scores = [
            ItemScore(task="bench", item_id=item, cluster=cluster, values={"pkr": value})
            for item, cluster, value in zip(items, clusters, values, strict=True)
        ]
        write_item_scores(folder, scores)
        assert has_item_scores(folder) and read_item_scores(folder) == scores
        return folder

    return write


def test_the_difference_is_of_items_measured_in_both(judged):
    import numpy as np

    (row,) = compare_judged(judged("one", VALUES), judged("two", BETTER))
    differences = [b - a for a, b in zip(VALUES, BETTER, strict=True) if b is not None]
    assert row.difference.value == pytest.approx(sum(differences) / 5)
    assert (row.first, row.second) == (pytest.approx(0.5), pytest.approx(0.66))
    assert (row.difference.n, row.difference.n_clusters) == (5, 3)
    sums = np.array([differences[0] + differences[1], differences[2] + differences[3], differences[4]])
    assert row.difference.p == sign_flip(sums, seed=0).p == row.difference.p_holm
    assert "1 items left out: not measured in one of the runs" in row.difference.notes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"signature": "pkr|judge:other"}, "judge:other"),
        ({"items": "123457"}, "2 items in one run only"),
        ({"clusters": "aabbcd"}, "1 items of other clusters"),
    ],
)
def test_runs_that_are_not_alike_are_refused(judged, changes, said):
    with pytest.raises(InputError, match=said):
        compare_judged(judged("one", VALUES), judged("two", VALUES, **changes))

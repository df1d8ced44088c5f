import pytest
from pydantic import ValidationError

from osler.schema.result import Interval, Result

FIELDS = {
    "task": "t", "task_version": "1", "metric": "m", "metric_signature": "m:1", "value": None,
    "n": 0, "n_clusters": 0, "unparsed": 0, "model": "x", "dataset_ids_sha256": "",
}  # fmt: skip


def test_not_measured_is_none_in_json_too():
    result = Result(**FIELDS, baseline={"blind": Interval(value=None)})
    assert '"value":null' in result.model_dump_json()
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_a_count_is_needed():
    with pytest.raises(ValidationError):
        Result(**{k: v for k, v in FIELDS.items() if k != "n"})

"""Which answers are shown as right or wrong, for metrics whose scores are no plain 0 or 1."""

import json
from pathlib import Path
from types import SimpleNamespace

from osler.evaluation.cases import write_cases
from osler.evaluation.conditions import make_asks
from osler.evaluation.items import Item
from osler.evaluation.runner import read_prediction
from osler.infer.generator import Reply
from osler.infer.sampling import Sampling
from osler.schema.sample import Provenance, Sample, passage, user
from osler.scoring.scorer import load_metric
from recorded import Recorded

FIXTURES = Path(__file__).parents[2] / "fixtures" / "metrics"
ROW = {
    "shard": "s", "key": "k", "position": 0, "media_names": [], "media_offsets": [], "media_sizes": [],
    "media_sha256": [],
}  # fmt: skip
MADE = Provenance(dataset="made", record_id="r", licence="CC0-1.0")
STORE = SimpleNamespace(folder=Path("data"), media=lambda row: ())


def outcomes(out, said, metric):
    """By reply, the outcome that its case is given."""
    items = []
    for number, _ in enumerate(said):
        turns = (user("Describe the film."),)
        own = Sample(id=f"r{number}", turns=turns, answer=passage("The heart is wide."), provenance=MADE)
        items.append(Item("reports", own, turns, str(number), "", 0, ROW))
    asks = make_asks(items, "image", sampling=Sampling(max_new_tokens=8), reasoning=False, seed=0)
    predictions = [
        read_prediction(ask, Reply(text, 0, 0, 0.0, finished=True), cache_key="")
        for ask, text in zip(asks, said, strict=True)
    ]
    write_cases(out, predictions, asks, metrics={"reports": metric}, stores=[STORE], seed=0)
    return {
        case["predictions"]["image"]["raw"]: case["outcome"] for case in json.loads((out / "cases.json").read_text())
    }


def test_a_metric_of_which_less_is_better_calls_low_values_right(tmp_path):
    found = json.loads((FIXTURES / "radcliq" / "found.json").read_text())
    metric = load_metric("radcliq").bound(Recorded(found))
    assert outcomes(tmp_path, ("The heart is wide.", "xyz"), metric) == {"The heart is wide.": "right", "xyz": "wrong"}


def test_without_its_weights_a_metric_tells_neither(tmp_path):
    assert outcomes(tmp_path, ("The heart is wide.",), load_metric("radcliq")) == {}

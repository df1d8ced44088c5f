from pathlib import Path

from osler.datasets.adapters.micro_bench import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "micro_bench"


def samples(split: str = "train") -> list:
    return [d.sample for d in read_drafts(DATASET, "micro_bench", FIXTURE, split=split) if d.sample]


def test_micro_bench_asks_each_question_of_a_picture():
    tissue, stain = samples("test")
    assert tissue.media == stain.media and tissue.group == stain.group == "micro_bench/k1"
    assert (tissue.tags, stain.tags) == (
        ("question:classification", "source:set_a"),
        ("question:stain", "source:set_a"),
    )
    assert (tissue.provenance.licence, stain.answer.letter) == ("CC-BY-4.0", "A")

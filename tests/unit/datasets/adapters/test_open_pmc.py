from pathlib import Path

from osler.datasets.adapters.open_pmc import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "open_pmc"


def samples(split: str = "train") -> list:
    return [d.sample for d in read_drafts(DATASET, "open_pmc", FIXTURE, split=split) if d.sample]


def test_open_pmc_falls_back_on_the_whole_caption_and_says_so():
    own, whole = samples()
    assert (own.tags, whole.tags) == (("caption:own", "context:summary"), ("caption:whole",))
    assert (own.answer.text, own.modality, own.group, whole.group) == (
        "Left eye.",
        "clinical imaging",
        "pmc:PMC40",
        own.group,
    )
    (other,) = samples("test")
    assert (own.provenance.licence, other.provenance.licence) == ("NOASSERTION", "CC-BY-4.0")


def test_open_pmc_in_json_lines(tmp_path):
    (tmp_path / "train.jsonl").write_text(
        '{"PMC_ID": "PMC1", "image": "PMC1_a.jpg", "sub_caption": "", "caption": "Both."}\n'
    )
    (draft,) = read_drafts(DATASET, "open_pmc", tmp_path, split="train")
    assert (draft.sample.answer.text, draft.places) == ("Both.", {"PMC1_a.jpg": "images/PMC1_a.jpg"})

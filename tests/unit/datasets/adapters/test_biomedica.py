from pathlib import Path

from osler.datasets.adapters.biomedica import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "biomedica"


def samples(split: str = "train") -> list:
    return [d.sample for d in read_drafts(DATASET, "biomedica", FIXTURE, split=split) if d.sample]


def test_labels_are_tags_and_each_article_has_its_licence():
    plaque, tendon = samples()
    assert plaque.tags == ("panel:Single Panel", "global:Clinical Imaging", "local:dermatology", "local:skin lesion")
    assert tendon.tags == ("panel:Multi Panel", "global:Clinical Imaging")
    assert [(s.group, s.provenance.licence) for s in (plaque, tendon)] == [
        ("pmc:PMC30", "CC-BY"),
        ("pmc:PMC31", "NOASSERTION"),
    ]

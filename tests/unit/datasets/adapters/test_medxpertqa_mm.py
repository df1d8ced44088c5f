from pathlib import Path

from osler.datasets.adapters.medxpertqa_mm import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "medxpertqa_mm"


def test_images_keep_their_order_and_lie_in_the_published_zip():
    draft = next(read_drafts(DATASET, "medxpertqa_mm", FIXTURE, split="test"))
    assert [ref.path for ref in draft.sample.media] == ["MM-1-a.jpeg", "MM-1-b.jpeg"]
    assert set(draft.places.values()) == {"images.zip::images/MM-1-a.jpeg", "images.zip::images/MM-1-b.jpeg"}
    assert "Answer Choices" not in draft.sample.question and draft.sample.question.count("Gout") == 1

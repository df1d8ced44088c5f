"""A question about a scan is trained on like any other with several images."""

from pathlib import Path
from typing import Any

import pytest
import torch

from osler.core.log import Log
from osler.curate.run import parse, run
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.store.reader import Store
from osler.train.collate import PackCollator
from osler.train.pack import Document, select

pytest.importorskip("nibabel")
FIXTURE = Path(__file__).parents[2] / "fixtures" / "datasets" / "volume_qa"


@pytest.mark.parametrize("label_slices", [False, True])
def test_slices_are_pictures_of_one_shared_prefix(
    tmp_path: Path, built: tuple[Any, OslerProcessor], label_slices: bool
) -> None:
    volumes = {"rule": "uniform", "count": 3, "window": "soft_tissue", "label_slices": label_slices}
    datasets = [{"name": "volume_qa", "root": str(FIXTURE), "splits": ["train"], "agreement": {"research": "our own"}}]
    run(parse({"datasets": datasets, "volumes": volumes}), tmp_path, device="cpu", log=Log(quiet=True))
    selection = select(Store(tmp_path), split="train", tasks=None, licences=None, weight=1.0)
    model, processing = built
    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    collator = PackCollator(
        [selection], [(Document(0, (0, 1)),)], prompter=prompter, pictures=processing.image_processor
    )
    batch = collator([{"row": 0}])
    assert int((batch["input_ids"] == prompter.start_id).sum()) == 3, "three slices, once for both questions"
    with torch.inference_mode():
        assert torch.isfinite(model(**batch).loss)

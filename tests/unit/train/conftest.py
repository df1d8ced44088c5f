"""A toy store, a tiny model, and the pieces of a training run."""

from pathlib import Path
from typing import Any

import pytest

from osler.model.compose import OslerForConditionalGeneration
from osler.model.families.tiny import FAMILY
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter, conversation_text
from osler.store.reader import Store
from osler.train.collate import PackCollator
from osler.train.pack import Selection, select
from osler.train.rows import Row
from toy import build_store, samples


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return build_store(tmp_path_factory.mktemp("toy"), num_train=12, text_only=4)


@pytest.fixture(scope="session")
def built() -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    texts = [conversation_text(sample) for number in range(20) for sample in samples(number)]
    return FAMILY.build(texts, seed=0)


@pytest.fixture(scope="session")
def selection(store: Store) -> Selection:
    return select(store, split="train", tasks=None, licences=None, weight=1.0)


@pytest.fixture
def collator(selection: Selection, built: tuple[Any, OslerProcessor]) -> Any:
    """A collator of any rows."""

    def make(rows: list[Row]) -> PackCollator:
        processing = built[1]
        prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
        return PackCollator([selection], rows, prompter=prompter, pictures=processing.image_processor)

    return make


@pytest.fixture(scope="session")
def store_folder(store: Store) -> Path:
    return store.folder

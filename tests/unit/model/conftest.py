"""A tiny model and its processor, built once."""

import pytest

from osler.model.compose import OslerForConditionalGeneration
from osler.model.families.tiny import FAMILY
from osler.model.processor import OslerProcessor
from osler.model.prompt import conversation_text


@pytest.fixture(scope="session")
def built() -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    from toy import samples

    texts = [conversation_text(sample) for number in range(20) for sample in samples(number)]
    model, processing = FAMILY.build(texts, seed=0)
    return model.eval(), processing

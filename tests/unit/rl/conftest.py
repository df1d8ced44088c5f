"""A toy store, a tiny model that has not learned anything, and the questions that it is asked."""

from pathlib import Path

import pytest

from osler.model import checkpoint
from osler.model.compose import OslerForConditionalGeneration
from osler.model.families.tiny import FAMILY
from osler.model.processor import OslerProcessor
from osler.model.prompt import conversation_text
from osler.rl.questions import Question, Questions
from osler.rl.rollout import Drawing, drawing
from osler.schema.sample import user, without_images
from osler.store.reader import Store
from osler.train.pack import Selection, select
from toy import build_store, samples


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return build_store(tmp_path_factory.mktemp("toy"), num_train=12)


@pytest.fixture(scope="session")
def built() -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    texts = [conversation_text(sample) for number in range(20) for sample in samples(number)]
    model, processing = FAMILY.build(texts, seed=0)
    model.set_attn_implementation({"text_config": "eager", "vision_config": "sdpa"})
    model.set_experts_implementation({"text_config": "eager"})
    return model.eval(), processing


@pytest.fixture(scope="session")
def folder(built: tuple[OslerForConditionalGeneration, OslerProcessor], tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("start") / "model"
    checkpoint.save(*built, path)
    return path


@pytest.fixture(scope="session")
def selection(store: Store) -> Selection:
    tasks = {"toy_side": 1.0, "toy_height": 1.0, "toy_choice": 2.0, "toy_reason": 1.0}
    return select(store, split="train", tasks=tasks, licences=None, weight=1.0)


@pytest.fixture
def questions(built, selection: Selection) -> Questions:
    places = [(0, row) for row in range(selection.table.num_rows)]
    return Questions([selection], places, built[1])


@pytest.fixture
def pair(questions: Questions) -> Question:
    """One question about two pictures."""
    first, second = questions[0], questions[20]
    turns = (user(*first.sample.media, *second.sample.media, "Which?"),)
    ids = questions.prompter.question(turns, [len(first.tiles[0]), len(second.tiles[0])])
    sample = first.sample.model_copy(update={"turns": turns})
    return Question(sample, ids, (*first.pictures, *second.pictures), (*first.tiles, *second.tiles))


@pytest.fixture
def blind(questions: Questions) -> Question:
    """A question without a picture."""
    turns = without_images(questions[1].sample.turns)
    return Question(questions[1].sample, questions.prompter.question(turns, []), (), ())


@pytest.fixture
def how(built) -> Drawing:
    model, processing = built
    return drawing(processing.tokenizer, model.config.image_token_id, max_new_tokens=6, temperature=1.0)

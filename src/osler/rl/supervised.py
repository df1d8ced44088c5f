"""The control beside a training by trial: the true answers to the very same questions, learned word by word."""

from collections.abc import Sequence

from osler.model.compose import OslerForConditionalGeneration, checkpoint_layers
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.rl.course import Course
from osler.rl.questions import Place
from osler.train.collate import PackCollator
from osler.train.pack import Selection
from osler.train.rows import Document
from osler.train.trainer import Feed, fit_packed


def fit_answers(
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    selections: list[Selection],
    places: Sequence[Place],
    course: Course,
) -> None:
    """Train on true answers, a question a row, from the last whole checkpoint if there is one.

    Args:
        selections, places: where the questions are.
        course: its order names the questions as they are learned, its batch is those of one forward pass.
    """
    if course.schedule.checkpointing == "full":
        checkpoint_layers(model)
    rows = [(Document(places[number][0], (places[number][1],)),) for number in course.order]
    collate = PackCollator(
        selections,
        rows,
        prompter=Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length),
        pictures=processing.image_processor,
        always_tiles=True,
    )
    fit_packed(
        model,
        processing,
        feed=Feed(train=collate, sources=collate.sources),
        param_groups=course.param_groups,
        schedule=course.schedule,
        world=course.world(model.device),
        out=course.out,
        log=course.log,
    )

"""The control beside a training by trial: the true answers to the very same questions, learned word by word."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osler.core.log import Log
from osler.model.compose import OslerForConditionalGeneration, checkpoint_layers
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.rl.questions import Place
from osler.train.collate import PackCollator
from osler.train.pack import Selection
from osler.train.parallel import World
from osler.train.rows import Document
from osler.train.trainer import Feed, Schedule, fit_packed


def fit_answers(
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    selections: list[Selection],
    places: Sequence[Place],
    order: Sequence[int],
    param_groups: list[dict[str, Any]],
    schedule: Schedule,
    out: Path,
    log: Log,
) -> None:
    """Train on true answers, a question a row, from the last whole checkpoint below `out` if there is one.

    Args:
        selections, places: where the questions are.
        order: numbers of the questions, as they are learned.
        schedule: its batch is the questions of one forward pass.
    """
    if schedule.checkpointing == "full":
        checkpoint_layers(model)
    rows = [(Document(places[number][0], (places[number][1],)),) for number in order]
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
        param_groups=param_groups,
        schedule=schedule,
        world=World("none", 1, 0, str(model.device)),
        out=out,
        log=log,
    )

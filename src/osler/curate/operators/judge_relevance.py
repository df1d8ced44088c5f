"""Drop samples that a model behind an endpoint finds of no clinical relevance, by picture and caption or by caption.

A kept sample gets the tag `relevance:judged`, a dropped one its reason; every verdict with its reason is a row of
`asked/*.parquet`. Answers are kept, so no question is asked twice, and trouble with the endpoint pauses the run. An
answer that cannot be read is asked for again, `endpoint.max_tries` times in all; then `when_unreadable` decides.
"""

from functools import partial
from typing import Literal

import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from osler.core.config import Config
from osler.curate.asking.record import write_asked
from osler.curate.asking.relevance import PROMPT_SHA256, Verdict, relevance_questions
from osler.curate.asking.rewriting import records_of, rewritten_table
from osler.curate.captions import CAPTION_TASKS
from osler.curate.drops import drop
from osler.curate.operator import Kept, Operator, Workplace
from osler.endpoint.ask import Answered, ask_all
from osler.endpoint.served import Endpoint, EndpointConfig
from osler.schema.sample import Sample

RULE = "judge_relevance"
Unreadable = Literal["drop", "keep"]


class JudgeRelevanceConfig(Config):
    """max_images: shown of a record; 0 asks about the caption alone. max_side_px: larger pictures are made smaller.

    tasks: those whose answer is a caption; other samples are not asked about. when_unreadable: what becomes of a sample
    without a readable verdict; `keep` gives it the tag `relevance:unreadable`. prompt_sha256: of the instruction;
    another value is refused, so that a recipe never runs with another instruction than it was written for.
    """

    endpoint: EndpointConfig
    max_images: NonNegativeInt = 4
    max_side_px: PositiveInt = 768
    tasks: tuple[str, ...] = CAPTION_TASKS
    when_unreadable: Unreadable = "drop"
    prompt_sha256: str = Field(default=PROMPT_SHA256)

    @field_validator("prompt_sha256")
    @classmethod
    def _is_ours(cls, prompt_sha256: str) -> str:
        if prompt_sha256 != PROMPT_SHA256:
            raise ValueError(f"this version asks with another instruction, whose SHA-256 is {PROMPT_SHA256}")
        return prompt_sha256


def judge_relevance(
    table: pa.Table,
    *,
    endpoint: Endpoint,
    max_images: int,
    max_side_px: int,
    tasks: tuple[str, ...],
    when_unreadable: Unreadable,
    place: Workplace | None = None,
) -> Kept:
    """Keep samples that are of clinical relevance."""
    records, unreadable = records_of(table), dict[str, str]()
    questions = (
        question
        for record in records
        for question in relevance_questions(
            [sample for sample in record.samples if sample.task in tasks],
            record.files,
            unreadable,
            endpoint=endpoint,
            max_images=max_images,
            max_side_px=max_side_px,
        )
    )
    answers = ask_all(questions, Verdict, endpoint=endpoint, name=RULE, kept=place.kept if place else None)
    write_asked(place.out if place else None, answers, rule=RULE, model=endpoint.model, prompt_sha256=PROMPT_SHA256)
    drops = {id: drop(id, RULE, reason) for id, reason in unreadable.items()}
    drops |= {id: drop(id, RULE, why) for id, each in answers.items() if (why := _reason(each, when_unreadable))}
    return rewritten_table(
        table,
        [[_tagged(s, answers) for s in record.samples if s.id not in drops] for record in records],
        list(drops.values()),
    )


def _reason(answered: Answered[Verdict], when_unreadable: Unreadable) -> str:
    if answered.value is None:
        return answered.problem if when_unreadable == "drop" else ""
    return "" if answered.value.relevant else f"not clinically relevant: {' '.join(answered.value.reason.split())}"


def _tagged(sample: Sample, answers: dict[str, Answered[Verdict]]) -> Sample:
    if sample.id not in answers:
        return sample
    tag = "relevance:unreadable" if answers[sample.id].value is None else "relevance:judged"
    return sample.model_copy(update={"tags": (*sample.tags, tag)})


OPERATOR = Operator(
    config=JudgeRelevanceConfig,
    build=lambda config: partial(
        judge_relevance,
        endpoint=config.endpoint.plain(),
        max_images=config.max_images,
        max_side_px=config.max_side_px,
        tasks=config.tasks,
        when_unreadable=config.when_unreadable,
    ),
    level="rewrite",
    keeps_files=True,
)

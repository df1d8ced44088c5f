"""Add a sample with what an article says of its figure, summed up by a model behind an endpoint.

The new sample has the same images, the task `figure_context` and the tag `mentions:summarised`; the caption's own
stays. Nothing is dropped: where there is no readable summary, or one with a number that is not in the text, there is
no new sample, and the first gets the tag `mentions:unreadable`. Answers are kept, and rows of `asked/*.parquet`, as
those of `judge_relevance`. Only sets that keep mentions (`jats_articles`) have something to sum up.
"""

from functools import partial

import pyarrow as pa
from pydantic import Field, PositiveInt, field_validator

from osler.core.config import Config
from osler.curate.asking.mentions import PROMPT_SHA256, Summary, checked, mention_questions, summary_sample
from osler.curate.asking.record import write_asked
from osler.curate.asking.rewriting import records_of, rewritten_table
from osler.curate.operator import Kept, Operator, Workplace
from osler.endpoint.ask import Answered, ask_all
from osler.endpoint.served import Endpoint, EndpointConfig
from osler.schema.sample import Sample

RULE = "summarise_mentions"


class SummariseMentionsConfig(Config):
    """max_letters: of caption and paragraphs that are sent. prompt_sha256: of the instruction; another is refused."""

    endpoint: EndpointConfig
    max_letters: PositiveInt = 12000
    prompt_sha256: str = Field(default=PROMPT_SHA256)

    @field_validator("prompt_sha256")
    @classmethod
    def _is_ours(cls, prompt_sha256: str) -> str:
        if prompt_sha256 != PROMPT_SHA256:
            raise ValueError(f"this version asks with another instruction, whose SHA-256 is {PROMPT_SHA256}")
        return prompt_sha256


def summarise_mentions(
    table: pa.Table, *, endpoint: Endpoint, max_letters: int, place: Workplace | None = None
) -> Kept:
    """The records with a sample more for each figure that the text says something about."""
    records = records_of(table)
    samples = {sample.id: sample for record in records for sample in record.samples if sample.mentions}
    questions = mention_questions(list(samples.values()), endpoint=endpoint, max_letters=max_letters)
    found = ask_all(questions, Summary, endpoint=endpoint, name=RULE, kept=place.kept if place else None)
    answers = {id: checked(answered, samples[id]) for id, answered in found.items()}
    write_asked(place.out if place else None, answers, rule=RULE, model=endpoint.model, prompt_sha256=PROMPT_SHA256)
    return rewritten_table(table, [[s for old in r.samples for s in _with_summary(old, answers)] for r in records], [])


def _with_summary(sample: Sample, answers: dict[str, Answered[Summary]]) -> list[Sample]:
    if sample.id not in answers:
        return [sample]
    found = answers[sample.id].value
    if found is None:
        return [sample.model_copy(update={"tags": (*sample.tags, "mentions:unreadable")})]
    words = found.summary.strip()
    return [sample, summary_sample(sample, words)] if words else [sample]


OPERATOR = Operator(
    config=SummariseMentionsConfig,
    build=lambda config: partial(summarise_mentions, endpoint=config.endpoint.plain(), max_letters=config.max_letters),
    level="rewrite",
    keeps_files=True,
)

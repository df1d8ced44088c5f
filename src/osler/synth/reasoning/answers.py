"""Answers: the form in which each step's model replies. What does not fit is asked for again, never repaired."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Short = Annotated[str, Field(max_length=2000)]
_Said = Annotated[str, Field(min_length=1, max_length=2000)]
_Long = Annotated[str, Field(min_length=1, max_length=12000)]
Basis = Literal["source", "image", "knowledge", "none"]


class Answer(BaseModel):
    """A JSON object with exactly these fields, each of its own type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Screened(Answer):
    """What the text-level filter found of a figure and its text."""

    relevant: bool
    matches: bool
    informative: bool
    reason: _Said


class Eligible(Answer):
    """A category with the passages that say what the answer is and why."""

    category: _Said
    what: _Short
    why: _Short


class Assigned(Answer):
    """The categories in which a question can be asked; none is an answer."""

    categories: list[Eligible] = Field(max_length=40)


class Written(Answer):
    """A question."""

    stem: _Long
    options: list[_Said] = Field(max_length=20)
    answer: _Said


class Supported(Answer):
    """Whether the source settles the answer, and the passage that does."""

    supported: bool
    quote: _Short
    reason: _Said


class Leaking(Answer):
    """Whether the words give the answer away."""

    leaks: bool
    reason: _Said


class Solved(Answer):
    """The letter of an option; null where the solver cannot choose."""

    answer: str | None = Field(pattern=r"^[A-J]$")
    reason: _Short


class Drafted(Answer):
    """A free explanation."""

    draft: _Long


class Traced(Answer):
    """A line of reasoning in three parts."""

    visual_evidence: _Long
    clinical_interpretation: _Long
    conclusion: _Long


class Rested(Answer):
    """On what one numbered sentence rests."""

    number: int
    basis: Basis
    quote: _Short


class Consistent(Answer):
    """On what each sentence rests."""

    sentences: list[Rested] = Field(max_length=200)


class Justified(Answer):
    """Whether the reasoning earns its answer."""

    justified: bool
    reason: _Said


class Useful(Answer):
    """Whether the reasoning teaches."""

    useful: bool
    reason: _Said


class Unit(Answer):
    """One thing that a good line of reasoning says."""

    topic: _Said
    claim: _Said
    quote: _Short
    importance: Literal["core", "supporting"]
    presence_question: _Said
    correctness_question: _Said


class Units(Answer):
    """The units of a line of reasoning by axis."""

    perception: list[Unit] = Field(max_length=30)
    knowledge: list[Unit] = Field(max_length=30)
    rationale: list[Unit] = Field(max_length=30)

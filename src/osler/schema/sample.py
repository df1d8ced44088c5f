"""Sample: one conversation about zero or more images, with its answer, truth and provenance."""

from collections.abc import Iterable
from typing import Final, Literal

from pydantic import model_validator

from osler.schema.base import Record
from osler.schema.media import MediaRef

SAMPLE_VERSION: Final = 1

Split = Literal["train", "validation", "test"]
Access = Literal["open", "registered", "credentialed"]
LETTERS = "ABCDEFGHIJ"


class Text(Record):
    """Words in a turn."""

    text: str


class Image(Record):
    """An image in a turn."""

    media: MediaRef


Part = Text | Image


class Turn(Record):
    """What one speaker says. `reasoning` is the assistant's analysis, kept apart from the final words."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]
    reasoning: str = ""

    @property
    def text(self) -> str:
        """The words of the turn, without its images."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def media(self) -> tuple[MediaRef, ...]:
        """The images of the turn, in order."""
        return tuple(part.media for part in self.parts if isinstance(part, Image))


class Answer(Record):
    """The gold answer.

    kind: `closed` has a small fixed set of words (`labels`), `choice` is one of `options`, `number` is
    compared as a number within `tolerance`, `open` is a short phrase, `text` a longer passage.
    `alternatives` are other accepted wordings.
    """

    kind: Literal["closed", "open", "choice", "number", "text"]
    text: str
    labels: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    tolerance: float = 0.0

    @model_validator(mode="after")
    def _is_consistent(self) -> "Answer":
        if self.kind == "choice" and self.options.count(self.text) != 1:
            raise ValueError(f"a choice answer must be exactly one of its options; {self.text!r} in {self.options}")
        if self.kind == "choice" and len(self.options) > len(LETTERS):
            raise ValueError(f"at most {len(LETTERS)} options; got {len(self.options)}")
        if self.kind == "closed" and self.labels and self.text not in self.labels:
            raise ValueError(f"a closed answer must be one of its labels; {self.text!r} in {self.labels}")
        return self

    @property
    def letter(self) -> str:
        """The letter of the right option. Only for `choice`."""
        return LETTERS[self.options.index(self.text)]


class Box(Record):
    """Where something is: fractions of width and height, from the top left of image number `image`."""

    label: str
    x0: float
    y0: float
    x1: float
    y1: float
    image: int = 0


class RubricUnit(Record):
    """One thing that a good line of reasoning says, and how to ask whether a candidate says it, and says it rightly.

    axis: what is seen, what is known, or how the one follows from the other. importance: in the set's own words.
    source_quote: the words of the reference reasoning that it comes from.
    """

    axis: Literal["perception", "knowledge", "rationale"]
    id: str
    claim: str
    topic: str = ""
    importance: str = ""
    presence_question: str = ""
    correctness_question: str = ""
    source_quote: str = ""


class Mention(Record):
    """A paragraph of an article that speaks of a figure; `section`: its headings, the outermost first."""

    text: str
    section: tuple[str, ...] = ()


class Provenance(Record):
    """Where a sample comes from and what may be done with it. `licence` is an SPDX id where one exists."""

    dataset: str
    record_id: str
    licence: str
    access: Access = "open"
    source_url: str = ""


class Sample(Record):
    """One conversation, ready to be trained on or asked.

    `turns` ends with the user's question; the assistant's words come from `answer` and `reasoning` (a
    multi-turn sample holds the earlier assistant turns in `turns`). `group` is what a split must not cut
    (a patient, an article). `task` names the kind of question (`phantom_side`, `caption`, `vqa`, ...). `rubric` is
    what its reasoning is scored by, where that is published. `mentions` is what an article says of its figure; it is no
    part of the conversation.
    """

    schema_version: Literal[1] = SAMPLE_VERSION
    id: str = ""
    turns: tuple[Turn, ...]
    answer: Answer
    reasoning: str = ""
    task: str = "vqa"
    split: Split | None = None
    group: str = ""
    modality: str = ""
    body_part: str = ""
    boxes: tuple[Box, ...] = ()
    rubric: tuple[RubricUnit, ...] = ()
    tags: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    provenance: Provenance | None = None

    @property
    def media(self) -> tuple[MediaRef, ...]:
        """All images, in the order in which the turns show them."""
        return tuple([part.media for turn in self.turns for part in turn.parts if isinstance(part, Image)])

    @property
    def question(self) -> str:
        """The words of the last user turn."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")


def image(path: str, **fields: object) -> MediaRef:
    """An image at `path`; `fields` are those of MediaRef."""
    return MediaRef.model_validate({"path": path, **fields})


def user(*parts: MediaRef | str) -> Turn:
    """A user's turn of images and words, in order."""
    return Turn(role="user", parts=_parts(parts))


def assistant(text: str, reasoning: str = "") -> Turn:
    """An assistant's turn."""
    return Turn(role="assistant", parts=_parts([text]), reasoning=reasoning)


def closed(text: str, labels: tuple[str, ...] = ("yes", "no")) -> Answer:
    """An answer out of a small fixed set of words; `text` is lower-cased and stripped first."""
    return Answer(kind="closed", text=text.strip().lower(), labels=labels)


def open_answer(text: str, *alternatives: str) -> Answer:
    """A short free answer, with other accepted wordings."""
    return Answer(kind="open", text=text.strip(), alternatives=alternatives)


def choice(text: str, options: tuple[str, ...]) -> Answer:
    """One of several options; `text` is the right option's own words."""
    return Answer(kind="choice", text=text, options=options)


def number(value: float, tolerance: float = 0.0) -> Answer:
    """A number, right within `tolerance` (in the same unit)."""
    return Answer(kind="number", text=f"{value:g}", tolerance=tolerance)


def passage(text: str) -> Answer:
    """A longer text: a caption or a report."""
    return Answer(kind="text", text=text)


def without_images(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The turns with their words only."""
    return tuple(
        turn.model_copy(update={"parts": tuple(part for part in turn.parts if not isinstance(part, Image))})
        for turn in turns
    )


def _parts(parts: object) -> tuple[Part, ...]:
    return tuple(
        Image(media=part) if isinstance(part, MediaRef) else Text(text=str(part))
        for part in parts  # type: ignore[attr-defined]
    )

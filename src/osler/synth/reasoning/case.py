"""Case: one figure on its way to a sample: what is known of it, what was asked, written and found so far."""

import re
from dataclasses import dataclass, replace

from osler.endpoint.chat import Picture
from osler.schema.base import Record
from osler.schema.media import MediaRef
from osler.schema.sample import Provenance, RubricUnit, Split

_QUESTION_ID = re.compile(r"(.+)#q-[a-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure with what its article says of it.

    id: of the sample that holds it. key: of its record. group: its article. split: the article's, in the set to make.
    context: caption and paragraphs as models are shown them, and in which every quote must occur. picture: as models
    are shown it.
    """

    id: str
    key: str
    group: str
    split: Split
    media: MediaRef
    modality: str
    body_part: str
    provenance: Provenance
    context: str
    picture: Picture


def question_id(figure_id: str, category: str) -> str:
    """The id of a question about a figure."""
    return f"{figure_id}#q-{category}"


def figure_of(id: str) -> str:
    """The figure that a question's id begins with; "" where `id` is no question's."""
    found = _QUESTION_ID.fullmatch(id)
    return found[1] if found else ""


class Question(Record):
    """A stem with its options in the order in which they were written; `answer` is one of them."""

    stem: str
    options: tuple[str, ...]
    answer: str


class Trace(Record):
    """A line of reasoning in three parts."""

    visual_evidence: str
    clinical_interpretation: str
    conclusion: str

    @property
    def text(self) -> str:
        """The whole, a paragraph a part."""
        return "\n\n".join((self.visual_evidence, self.clinical_interpretation, self.conclusion))


class Quote(Record):
    """Words of the source that carry something: `what` it is, and where they stand in the context."""

    what: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Case:
    """One figure, and after `assign` one question about it."""

    figure: Figure
    category: str = ""
    question: Question | None = None
    draft: str = ""
    trace: Trace | None = None
    quotes: tuple[Quote, ...] = ()
    units: tuple[RubricUnit, ...] = ()

    @property
    def id(self) -> str:
        """The figure's id, and with a category `FIGURE#q-CATEGORY`."""
        return question_id(self.figure.id, self.category) if self.category else self.figure.id

    @property
    def asked(self) -> Question:
        """The question, once it is written."""
        if self.question is None:
            raise ValueError(f"{self.id} has no question yet")
        return self.question

    @property
    def reasoned(self) -> Trace:
        """The trace, once it is written."""
        if self.trace is None:
            raise ValueError(f"{self.id} has no trace yet")
        return self.trace

    def quoted(self, what: str) -> str:
        """The words of the quote for `what`."""
        return next(self.figure.context[q.start : q.end] for q in self.quotes if q.what == what)

    def having(self, **changes: object) -> "Case":
        """The same with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Rejected:
    """Why a case goes no further; the words before the reason's first colon are its kind. `id` is the case's."""

    id: str
    reason: str


class Accepted(Record):
    """A case that passed everything, without its picture, as a finished piece keeps it."""

    id: str
    key: str
    group: str
    split: Split
    media: MediaRef
    modality: str
    body_part: str
    provenance: Provenance
    context: str
    category: str
    question: Question
    draft: str
    trace: Trace
    quotes: tuple[Quote, ...]
    units: tuple[RubricUnit, ...] = ()


def accepted(case: Case) -> Accepted:
    """What is kept of a case."""
    of_figure = ("key", "group", "split", "media", "modality", "body_part", "provenance", "context")
    return Accepted(
        id=case.id,
        **{name: getattr(case.figure, name) for name in of_figure},
        category=case.category,
        question=case.asked,
        draft=case.draft,
        trace=case.reasoned,
        quotes=case.quotes,
        units=case.units,
    )

"""Config: a recipe of `osler synth` with `generator: reasoning`."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from osler.core.config import Config
from osler.endpoint.served import Endpoint, EndpointConfig, PriceConfig
from osler.schema.licence import Use
from osler.schema.sample import Split
from osler.synth.reasoning.prompts import prompt_hashes
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.steps import ROLES
from osler.synth.splits import SplitShares

_Some = Annotated[tuple[str, ...], Field(min_length=1)]
_Options = Annotated[int, Field(ge=2, le=10)]


class TextConfig(Config):
    """The text about a figure: its caption and the paragraphs that mention it.

    min_words: figures with less are left out. max_letters: whole paragraphs are taken in order while there is room.
    """

    min_words: PositiveInt = 40
    max_letters: PositiveInt = 12000


class QuestionConfig(Config):
    """What a question must be.

    max_length_ratio: letters of the right option over those of the longest other one.
    blind_tries, blind_max_right: how often it is asked without the image, in other orders, and how often the answer may
        be right: by chance alone, 2 of 3 or more are in one case of six with four options.
    solve_tries, solve_min_right: how often it is asked with the image, and how often the answer must be right.
    """

    num_options: _Options = 4
    min_stem_words: PositiveInt = 8
    max_stem_words: PositiveInt = 150
    max_option_words: PositiveInt = 30
    max_length_ratio: Annotated[float, Field(gt=1)] = 2.0
    blind_tries: PositiveInt = 3
    blind_max_right: NonNegativeInt = 1
    solve_tries: PositiveInt = 1
    solve_min_right: PositiveInt = 1

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.blind_max_right >= self.blind_tries:
            raise ValueError("question.blind_max_right must be less than blind_tries, else no question can fail")
        if self.solve_min_right > self.solve_tries:
            raise ValueError("question.solve_min_right is more than solve_tries, which no question can meet")
        if max(self.blind_tries, self.solve_tries) > self.num_options:
            raise ValueError("question.blind_tries and solve_tries are at most num_options: each is another order")
        return self


class TraceConfig(Config):
    """What a line of reasoning must be.

    min_source_sentences: those that rest on a passage of the source. max_knowledge_sentences: those that rest on
        textbook knowledge. min_quote_words: of any passage that a model copies.
    """

    min_words: PositiveInt = 40
    max_words: PositiveInt = 450
    min_source_sentences: NonNegativeInt = 1
    max_knowledge_sentences: NonNegativeInt = 4
    min_quote_words: PositiveInt = 4


class RubricConfig(Config):
    """Units by which reasoning is scored. splits: whose samples get them. min_units, max_units: of each axis."""

    splits: tuple[Split, ...] = ("test",)
    min_units: PositiveInt = 1
    max_units: PositiveInt = 8


class RolesConfig(Config):
    """The model for each purpose; one that is not named is `default`.

    screen, assign: figures and categories. write: questions. check: support and leakage. blind, solve: answer without
    and with the image. trace: draft and reasoning. verify: its three checks. rubric: units.
    """

    default: EndpointConfig
    screen: EndpointConfig | None = None
    assign: EndpointConfig | None = None
    write: EndpointConfig | None = None
    check: EndpointConfig | None = None
    blind: EndpointConfig | None = None
    solve: EndpointConfig | None = None
    trace: EndpointConfig | None = None
    verify: EndpointConfig | None = None
    rubric: EndpointConfig | None = None

    def of(self, role: str) -> EndpointConfig:
        """The model of a role."""
        found: EndpointConfig | None = getattr(self, role)
        return found or self.default


class BudgetConfig(Config):
    """What one start of the run may spend, all roles together; null sets no limit. max_cost needs prices."""

    max_cost: PositiveFloat | None = None
    max_tokens: PositiveInt | None = None


class TilesConfig(Config):
    """The tiling for which the index states how many tiles a sample has."""

    tile_px: PositiveInt = 336
    min_tiles: PositiveInt = 1
    max_tiles: PositiveInt = 12


class ReasoningConfig(Config):
    """A recipe of `osler synth` with `generator: reasoning`.

    name: of the set, in every sample's provenance. stores: folders that `osler curate` wrote from articles.
    store_splits: their splits that are read. use: what the figures' terms must permit. agreement: in your own words,
        what permits it to you where they do not; "" takes only figures whose terms do.
    operators: filters of the curation, in order. max_questions: of a figure, each of another category.
    splits: shares of the articles. max_side_px: larger pictures are made smaller before a model is shown them.
    piece_figures: figures that are worked on at once; a finished piece is never begun again.
    shard_records: figures a shard. prompts_sha256: of the instructions; another value is refused, so that a recipe
        never runs with other instructions than it was written for.
    """

    generator: Literal["reasoning"]
    title: str = "Questions with reasoning about figures of articles"
    name: str = Field(default="reasoning", pattern=r"^[a-z0-9_]+$")
    seed: int = 0
    stores: _Some
    store_splits: _Some = ("train",)
    use: Use = "research"
    agreement: str = ""
    operators: tuple[dict[str, dict[str, Any]], ...] = ()
    text: TextConfig = TextConfig()
    max_questions: PositiveInt = 2
    question: QuestionConfig = QuestionConfig()
    trace: TraceConfig = TraceConfig()
    rubric: RubricConfig = RubricConfig()
    splits: SplitShares = SplitShares(train=0.99, test=0.01)
    roles: RolesConfig
    budget: BudgetConfig = BudgetConfig()
    max_side_px: PositiveInt = 1024
    piece_figures: PositiveInt = 128
    shard_records: PositiveInt = 512
    tiles: TilesConfig = TilesConfig()
    prompts_sha256: dict[str, str] = Field(default_factory=dict, validate_default=True)

    @field_validator("prompts_sha256")
    @classmethod
    def _are_ours(cls, stated: dict[str, str]) -> dict[str, str]:
        ours = prompt_hashes()
        for name, sha256 in stated.items():
            if name not in ours:
                raise ValueError(f"no step {name!r}; steps are {', '.join(ours)}")
            if sha256 != ours[name]:
                raise ValueError(f"this version asks {name!r} with another instruction, whose SHA-256 is {ours[name]}")
        return ours

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        for role in ROLES:
            endpoint = self.roles.of(role)
            if endpoint.max_cost is not None or endpoint.max_tokens is not None:
                raise ValueError(f"roles.{role} has a budget of its own; state the run's under `budget`")
            if self.budget.max_cost is not None and endpoint.price == PriceConfig():
                raise ValueError(f"budget.max_cost needs the price of every model; roles.{role} has none")
        return self

    def rules(self) -> Rules:
        """What a sample must be, as plain values."""
        rubric = self.rubric
        return Rules(
            seed=self.seed,
            min_context_words=self.text.min_words,
            max_context_letters=self.text.max_letters,
            max_questions=self.max_questions,
            **self.question.model_dump(),
            min_trace_words=self.trace.min_words,
            max_trace_words=self.trace.max_words,
            **self.trace.model_dump(exclude={"min_words", "max_words"}),
            rubric_splits=rubric.splits,
            min_units=rubric.min_units,
            max_units=rubric.max_units,
        )

    def endpoints(self) -> dict[str, Endpoint]:
        """The model of each role under the run's budget."""
        budget = self.budget.model_dump()
        return {role: self.roles.of(role).model_copy(update=budget).plain() for role in ROLES}

"""Engine: what answers. One model, embedded in this process or behind a URL, seen alike from the gateway."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from osler.schema.sample import Turn


@dataclass(frozen=True)
class Tiling:
    """How an engine cuts a picture; see `osler.media.tiles.cut_tiles`."""

    tile_px: int
    min_tiles: int
    max_tiles: int
    max_upscale: float | None


@dataclass(frozen=True)
class Shown:
    """A picture, decoded by the worker that reads hostile files.

    data: tiles as uint8 [tiles, 3, tile_px, tile_px] where the engine cuts them (`Tiling`), else a plain PNG or JPEG.
    sha256: of the file's bytes. identity: of all that decides what the model sees (bytes, shape, mode, preprocessing).
    """

    data: bytes
    media_type: str
    width: int
    height: int
    num_tiles: int
    sha256: str
    identity: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request, checked.

    turns: end with the user's question; pictures: one a media reference of the turns, in order.
    temperature 0 is greedy. top_logprobs: how many alternatives a token; None wants no log-probabilities.
    schema: the JSON schema that the answer follows. owner: who asks; nothing is shared between owners.
    """

    turns: tuple[Turn, ...]
    pictures: tuple[Shown, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    top_logprobs: int | None = None
    reasoning: bool = False
    schema: Mapping[str, Any] | None = None
    owner: str = ""


@dataclass(frozen=True)
class Alternative:
    """A token with its natural-log probability; `data` are its bytes, which need not be whole characters."""

    text: str
    data: bytes
    logprob: float
    others: tuple["Alternative", ...] = ()


@dataclass(frozen=True)
class Piece:
    """What an engine wrote next.

    text: raw, control tokens included; may be empty while a character is not whole.
    reasoning: words that the engine itself has told apart.
    tokens: one an entry, where log-probabilities were asked for.
    finish: `stop` or `length` in the last piece, else "".
    tokens_in, tokens_out: so far.
    """

    text: str = ""
    reasoning: str = ""
    tokens: tuple[Alternative, ...] = ()
    finish: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class Abilities:
    """What an engine can do; a request that wants more is refused by name.

    past_reasoning: it reads what the assistant thought in earlier turns.
    """

    schema: bool = False
    past_reasoning: bool = True
    max_top_logprobs: int = 20
    reasoning_efforts: frozenset[str] = field(default_factory=lambda: frozenset({"none", "high"}))


class Engine(Protocol):
    """One model.

    model: its public name. model_sha256: over its files, "" where they cannot be seen.
    tiling: how pictures are to be cut; None where it takes whole files.
    """

    model: str
    model_sha256: str
    abilities: Abilities
    tiling: Tiling | None

    async def start(self) -> None:
        """Be ready to answer."""
        ...

    async def close(self) -> None:
        """End all work and let go of the model."""
        ...

    async def problem(self) -> str:
        """Why it cannot answer now; "" where it can."""
        ...

    def answer(self, ask: Ask) -> AsyncIterator[Piece]:
        """What the model writes, piece by piece; closing the iterator frees the slot.

        Raises:
            Refusal: the request is longer than the model's context, or the engine is not there.
        """
        ...

"""Sampling: how the next token is chosen. One greedy decode unless a caller says otherwise."""

from dataclasses import dataclass

from osler.core.errors import InputError


@dataclass(frozen=True)
class Sampling:
    """Settings of one decode. Temperature 0 takes the likeliest token; `seed` then changes nothing."""

    max_new_tokens: int
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise InputError("max_new_tokens must be at least 1", got=str(self.max_new_tokens))
        if self.temperature < 0:
            raise InputError("temperature must not be negative", got=str(self.temperature))

"""Splits of made data: the shares that a recipe states, and which split a name belongs to."""

import hashlib
from typing import Annotated

from pydantic import Field, model_validator

from osler.core.config import Config
from osler.schema.sample import Split

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_TOTAL_TOLERANCE = 1e-6


class SplitShares(Config):
    """Share of the groups (patients, articles) in each split."""

    train: Annotated[float, Field(ge=0, le=1)]
    validation: Annotated[float, Field(ge=0, le=1)] = 0.0
    test: Annotated[float, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="after")
    def _adds_up(self) -> "SplitShares":
        total = self.train + self.validation + self.test
        if abs(total - 1) > _TOTAL_TOLERANCE:
            raise ValueError(f"the shares of the splits must add up to 1; they add up to {total:g}")
        return self

    def plain(self) -> dict[Split, float]:
        """The shares by split."""
        return {split: getattr(self, split) for split in SPLITS}


def split_by_hash(name: str, shares: dict[Split, float]) -> Split:
    """The split of `name`: fixed by its hash, so that it stays where it is when other names come or go."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    for split in SPLITS[:-1]:
        place -= shares[split]
        if place < 0:
            return split
    return next(split for split in reversed(SPLITS) if shares[split] > 0)

"""Drop samples with images whose text an image-text encoder finds too far from its image, by scores made beforehand.

`scores` is a Parquet file with the columns `id` (string: the sample's) and `score` (number: the cosine of picture and
text, as a CLIP model gives it), best sorted by id, so that a shard reads only its part. No model runs here: score on
whatever machine has one, then filter. A sample with images and no score is dropped and counted as such, unless
`keep_unscored`; one without images is kept.
"""

from functools import partial
from pathlib import Path

import pyarrow as pa
from pydantic import Field, field_validator

from osler.core.config import Config
from osler.curate.alignment import check_scores, read_scores
from osler.curate.drops import drop
from osler.curate.operator import Kept, Operator, keep_where


class DropMisalignedConfig(Config):
    """scores: the Parquet file. min_score: the least cosine; 0.2 is customary for ViT-B/32, other encoders differ."""

    scores: str = Field(default="", validate_default=True)
    min_score: float = 0.2
    keep_unscored: bool = False

    @field_validator("scores")
    @classmethod
    def _is_readable(cls, scores: str) -> str:
        if why := check_scores(scores):
            raise ValueError(f"drop_misaligned needs scores made beforehand: {why}")
        return scores


def drop_misaligned(table: pa.Table, *, scores: str, min_score: float, keep_unscored: bool) -> Kept:
    """Keep samples whose score is high enough."""
    ids, media = table["id"].to_pylist(), table["media_paths"].to_pylist()
    known = read_scores(scores, [id for id, paths in zip(ids, media, strict=True) if paths])
    drops: list[dict[str, object] | None] = []
    for id, paths in zip(ids, media, strict=True):
        score = known.get(id)
        if not paths or (score is None and keep_unscored):
            drops.append(None)
        elif score is None:
            drops.append(drop(id, "drop_misaligned", "no alignment score"))
        elif score < min_score:
            reason = f"alignment too low: {score:.3g} below {min_score:g}"
            drops.append(drop(id, "drop_misaligned", reason, score=score))
        else:
            drops.append(None)
    return keep_where(table, drops)


OPERATOR = Operator(
    config=DropMisalignedConfig,
    build=lambda config: partial(
        drop_misaligned, scores=config.scores, min_score=config.min_score, keep_unscored=config.keep_unscored
    ),
    level="sample",
    inputs=lambda config: [Path(config.scores)],
)

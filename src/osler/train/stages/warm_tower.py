"""Tower warm-up: the vision tower learns, patch by patch, where the generator drew what.

It stands in for the pretrained CLIP that a real run starts from, and uses drawn masks that no real film has:
every report of a model that began here says so.
"""

from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.train.stage import DataConfig, ModelConfig, ScheduleConfig, Stage


class WarmTowerConfig(Config):
    """Recipe of this stage. `min_coverage` is the share of a patch that must be drawn on to count as positive."""

    stage: Literal["warm_tower"]
    seed: int = 0
    model: ModelConfig
    data: tuple[DataConfig, ...]
    schedule: ScheduleConfig
    report_to: tuple[str, ...] = ("tensorboard",)
    images_per_step: PositiveInt = 16
    min_coverage: PositiveFloat = 0.1
    vision_lr: PositiveFloat = 1e-3


STAGE = Stage(config=WarmTowerConfig, objective="patch_masks")

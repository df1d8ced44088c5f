"""The vision tower of a vision-language model that Osler trained, read without its language model."""

from pathlib import Path

from transformers import AutoModel

from osler.core.errors import InputError
from osler.model import checkpoint
from osler.model.config import OslerConfig
from osler.model.family import side
from osler.model.pretrained.strict import filled, read_tensors
from osler.model.tower import Opened

_VISION = "model.vision_tower."


def open_osler(folder: Path, image_size: int | None) -> Opened:
    """The tower of the model in `folder`, pooled as its language model sees it: over the patches."""
    config: OslerConfig = checkpoint.configuration(folder)
    stored = read_tensors(folder, keep=lambda name: name.startswith(_VISION))
    if any(".lora_" in name for name in stored):
        raise InputError(f"{folder} holds an adapter that is not merged", fix="Merge it first.")
    names = {name: name.removeprefix(_VISION) for name in stored}
    vision = filled(
        lambda: AutoModel.from_config(config.vision_config), {names[n]: t for n, t in stored.items()}, folder
    )
    return Opened(
        vision,
        width=int(config.vision_config.hidden_size),
        image_size=side(config.vision_config.image_size),
        num_prefix=1 if config.vision_feature_select_strategy == "default" else 0,
        pool="mean",
        mean=tuple(config.image_mean),
        std=tuple(config.image_std),
        without_text="its words are a language model's, not a tower's",
    )

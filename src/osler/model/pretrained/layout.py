"""Which layout a folder of published weights is in, and the towers it holds.

A layout is told by the files of the folder:

    config.json with `model_type`        transformers: clip, siglip, dinov2, vit, ..., and Osler's own `osler`
    open_clip_config.json                open_clip: `open_clip`
    config.json with `architecture`      timm: `timm_vit`

Weights are read from safetensors alone. A pickle can run any program while it is read, so it is refused.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModel, PreTrainedConfig

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.model.pretrained import own, transformers_towers
from osler.model.pretrained.open_clip_towers import CONFIG, open_open_clip
from osler.model.pretrained.strict import refuse_pickles
from osler.model.pretrained.timm_vit import open_timm
from osler.model.tower import Opened

# A layout's name to its reader.
LAYOUTS: dict[str, Callable[[Path, int | None], Opened]] = {
    "osler": own.open_osler,
    "open_clip": open_open_clip,
    "timm_vit": open_timm,
    **dict.fromkeys(transformers_towers.PAIRS, transformers_towers.open_pair),
    **dict.fromkeys(transformers_towers.ALONE, transformers_towers.open_alone),
}


def open_folder(folder: Path, *, layouts: tuple[str, ...], image_size: int | None, conversion: str) -> Opened:
    """The towers in `folder`.

    Args:
        folder: a local folder.
        layouts: the layouts that will do.
        image_size: side in pixels at which the vision tower is used, where the folder does not say.
        conversion: what to do with a pickle, beside the general advice.

    Raises:
        InputError: no known layout or not one of `layouts`, only pickled weights, or weights that do not fit.
    """
    layout = layout_of(folder)
    if layout not in layouts:
        raise InputError(
            f"{folder} holds no such encoder", expected=f"layout {' or '.join(layouts)}", got=f"layout {layout}"
        )
    refuse_pickles(folder, conversion)
    return LAYOUTS[layout](folder, image_size)


def layout_of(folder: Path) -> str:
    """The name of the layout of a folder. Raises InputError where it is none that is read."""
    if (folder / CONFIG).is_file():
        return "open_clip"
    if (folder / "config.json").is_file():
        config = read_json(folder / "config.json")
        kind = str(config.get("model_type", ""))
        if kind in LAYOUTS:
            return kind
        if "architecture" in config:
            return "timm_vit"
        raise InputError(
            f"{folder} is in a layout that is not read",
            expected=", ".join(sorted(LAYOUTS)),
            got=kind or "no model_type",
        )
    raise InputError(f"{folder} holds no encoder", expected="config.json or open_clip_config.json beside the weights")


def random_tower(config: PreTrainedConfig, *, seed: int) -> Opened:
    """A vision tower of this configuration with random weights; the same seed gives the same numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(config)
    return transformers_towers.vision_opened(model)

"""Towers in transformers' own layouts: pairs (CLIP, SigLIP, ...) and vision towers alone (DINOv2, ViT, ...)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.model.family import side
from osler.model.tower import Opened, Pooling, TextTower

PAIRS = ("clip", "siglip", "vision-text-dual-encoder")


@dataclass(frozen=True)
class _Kind:
    """A vision model: tokens before its patches, how it pools, what may be left unread of a folder that holds it.

    unread: patterns of stored names that belong to a head of another task.
    options: further arguments of its call.
    """

    num_prefix: int
    pool: Pooling = "own"
    unread: tuple[str, ...] = ()
    free_size: bool = False


ALONE: dict[str, _Kind] = {
    "clip_vision_model": _Kind(1, unread=("visual_projection.",)),
    "siglip_vision_model": _Kind(0),
    "internvl_vision": _Kind(1, pool="mean"),
    "dinov2": _Kind(1, unread=("classifier.",), free_size=True),
    "dinov2_with_registers": _Kind(1, unread=("classifier.",), free_size=True),
    "dinov3_vit": _Kind(1, free_size=True),
    "vit": _Kind(1, pool="class", unread=("classifier.", "pooler.")),
}


def open_pair(folder: Path, image_size: int | None) -> Opened:
    """Both towers of a pair with their projections."""
    config = _configuration(folder)
    model = _strict(folder, config, unread=())
    mean, std, _ = picture_settings(folder)
    text, why = _text(model, config, folder)
    bias = getattr(model, "logit_bias", None)
    return Opened(
        model.vision_model,
        width=int(config.vision_config.hidden_size),
        image_size=side(config.vision_config.image_size),
        num_prefix=_prefix(config.vision_config),
        mean=mean,
        std=std,
        text=text,
        joint=getattr(model, "visual_projection", None) or nn.Identity(),
        logit_scale=float(model.logit_scale.detach().exp()),
        logit_bias=float(bias.detach()) if bias is not None else getattr(config, "logit_bias", None),
        without_text=why,
    )


def open_alone(folder: Path, image_size: int | None) -> Opened:
    """A vision tower."""
    config = _configuration(folder)
    model = _strict(folder, config, unread=ALONE[config.model_type].unread)
    return vision_opened(model, folder=folder, image_size=image_size)


def vision_opened(model: nn.Module, *, folder: Path | None = None, image_size: int | None = None) -> Opened:
    """A vision model at hand, with what its folder says of pixels."""
    config = model.config
    kind = ALONE[config.model_type]
    mean, std, stated = picture_settings(folder) if folder else (None, None, None)
    own = side(config.image_size)
    return Opened(
        model,
        width=int(config.hidden_size),
        image_size=(image_size or stated or own) if kind.free_size else own,
        num_prefix=_prefix(config),
        pool=kind.pool,
        mean=mean,
        std=std,
    )


def picture_settings(
    folder: Path,
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None, int | None]:
    """Mean, deviation and side of the pictures, as a folder's preprocessor_config.json states them; None where not."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        if (folder / name).is_file():
            settings = read_json(folder / name)
            settings = settings.get("image_processor", settings)
            crop = settings.get("crop_size") if settings.get("do_center_crop") else settings.get("size")
            size = crop.get("height", crop.get("shortest_edge")) if isinstance(crop, dict) else crop
            mean, std = (settings.get(key) for key in ("image_mean", "image_std"))
            return tuple(mean) if mean else None, tuple(std) if std else None, size
    return None, None, None


def load_tokenizer(folder: Path) -> Any | None:
    """The tokenizer of a folder, None where it has none."""
    if not (folder / "tokenizer.json").is_file():
        return None
    return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def _prefix(config: Any) -> int:
    return ALONE[config.model_type].num_prefix + int(getattr(config, "num_register_tokens", 0) or 0)


def _configuration(folder: Path) -> Any:
    existing_file(folder / "config.json")
    transformers_logging.disable_progress_bar()
    return AutoConfig.from_pretrained(folder, local_files_only=True)


def _strict(folder: Path, config: Any, *, unread: tuple[str, ...]) -> Any:
    """The model, if its weights are all there and none is left over but heads of another task."""
    try:
        model, report = AutoModel.from_pretrained(
            folder,
            config=config,
            output_loading_info=True,
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # so that the report below names the tensor
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError(f"cannot load the model in {folder}: {error}") from error
    leftover = re.compile("|".join(map(re.escape, unread)) or "(?!)")
    problems = {
        "missing": [name for name in report["missing_keys"] if not leftover.match(name)],
        "unexpected": [name for name in report["unexpected_keys"] if not leftover.match(name)],
        "mis-shaped": [str(each) for each in report["mismatched_keys"]],
    }
    said = [f"{len(names)} {kind} ({', '.join(sorted(names)[:3])})" for kind, names in problems.items() if names]
    if said:
        raise InputError(
            f"the weights in {folder} do not fit their configuration: {'; '.join(said)}",
            fix="Use the files of one and the same model.",
        )
    return model.float().eval()


def _text(model: Any, config: Any, folder: Path) -> tuple[TextTower | None, str]:
    tokenizer = load_tokenizer(folder)
    if tokenizer is None:
        return None, f"{folder} has no tokenizer.json"
    is_siglip = config.model_type == "siglip"
    return (
        TextTower(
            model.text_model,
            getattr(model, "text_projection", None) or nn.Identity(),
            tokenizer,
            max_tokens=int(config.text_config.max_position_embeddings),
            pad_to_max=is_siglip,
            needs_mask=not is_siglip,
        ),
        "",
    )

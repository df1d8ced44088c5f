"""Towers in transformers' own layouts: pairs (CLIP, SigLIP, ...) and vision towers alone (DINOv2, ViT, ...)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.model.family import side
from osler.model.pretrained.strict import refuse_pickles
from osler.model.tower import Opened, Pooling, TextTower

# In the configuration of a tower that `osler export` wrote alone: how it is pooled, where not by its own class.
POOLING_KEY = "osler_pooling"
PAIRS = ("clip", "siglip", "vision-text-dual-encoder")


@dataclass(frozen=True)
class _Kind:
    """A vision model: tokens before its patches, how it pools, what may be left unread of a folder that holds it.

    unread: beginnings of stored names that belong to a head of another task.
    free_size: whether it takes pictures of any size.
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
# Text models, and stored names of theirs that belong to another task.
_TEXTS: dict[str, tuple[str, ...]] = {"bert": ("cls.",), "clip_text_model": ("text_projection.",)}


@dataclass(frozen=True)
class Read:
    """What a folder holds: a model, its tokenizer, and how its pictures are normalised; None where it does not say."""

    model: Any
    tokenizer: Any | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None


def read_pair(folder: Path) -> Read:
    """Both towers of a pair with their projections."""
    _expect(folder, PAIRS, "a pair of towers")
    mean, std, _ = picture_settings(folder)
    return Read(_strict(folder, unread=()), load_tokenizer(folder), mean, std)


def read_alone(folder: Path) -> Read:
    """A vision tower without words."""
    kind = _expect(folder, tuple(ALONE), "a vision tower")
    mean, std, _ = picture_settings(folder)
    return Read(_strict(folder, unread=ALONE[kind].unread), None, mean, std)


def read_text(folder: Path) -> Read:
    """A text tower with its tokenizer: BERT's, or CLIP's alone or out of a pair."""
    kind = _expect(folder, (*_TEXTS, *PAIRS), "a text tower")
    tokenizer = load_tokenizer(folder)
    if tokenizer is None:
        raise InputError(
            f"{folder} has no tokenizer.json", fix="Convert its tokenizer with transformers' AutoTokenizer and save it."
        )
    model = read_pair(folder).model.text_model if kind in PAIRS else _strict(folder, unread=_TEXTS[kind])
    return Read(model, tokenizer, None, None)


def open_pair(folder: Path, image_size: int | None) -> Opened:
    """Both towers of a pair as an encoder uses them; `image_size` is the pair's own."""
    found = read_pair(folder)
    model, config = found.model, found.model.config
    text, why = _text(found, folder)
    bias = getattr(model, "logit_bias", None)
    return Opened(
        model.vision_model,
        width=int(config.vision_config.hidden_size),
        image_size=side(config.vision_config.image_size),
        num_prefix=_prefix(config.vision_config),
        mean=found.mean,
        std=found.std,
        text=text,
        joint=getattr(model, "visual_projection", None) or nn.Identity(),
        logit_scale=float(model.logit_scale.detach().exp()),
        logit_bias=float(bias.detach()) if bias is not None else getattr(config, "logit_bias", None),
        without_text=why,
    )


def open_alone(folder: Path, image_size: int | None) -> Opened:
    """A vision tower as an encoder uses it."""
    return vision_opened(read_alone(folder).model, folder=folder, image_size=image_size)


def vision_opened(model: nn.Module, *, folder: Path | None = None, image_size: int | None = None) -> Opened:
    """A vision model at hand, with what its folder says of pixels."""
    config = model.config
    kind = ALONE[config.model_type]
    mean, std, stated = picture_settings(folder) if folder else (None, None, None)
    own = side(config.image_size)
    return Opened(
        model,
        width=int(config.hidden_size),
        image_size=(stated or image_size or own) if kind.free_size else own,
        num_prefix=_prefix(config),
        pool=getattr(config, POOLING_KEY, kind.pool),
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


def model_type(folder: Path) -> str:
    """What config.json says the model is. Raises InputError where there is none."""
    return str(read_json(existing_file(folder / "config.json")).get("model_type"))


def _expect(folder: Path, kinds: tuple[str, ...], noun: str) -> str:
    kind = model_type(folder)
    if kind not in kinds:
        raise InputError(
            f"{folder} holds no {noun.removeprefix('a ')}", expected=f"model_type {', '.join(kinds)}", got=kind
        )
    return kind


def _strict(folder: Path, *, unread: tuple[str, ...]) -> Any:
    """The model, if its weights are all there and none is left over but heads of another task."""
    transformers_logging.disable_progress_bar()
    refuse_pickles(folder)
    try:
        model, report = AutoModel.from_pretrained(
            folder,
            output_loading_info=True,
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # so that the report below names the tensor
            dtype=torch.float32,
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
    return model.eval()


def _text(found: Read, folder: Path) -> tuple[TextTower | None, str]:
    if found.tokenizer is None:
        return None, f"{folder} has no tokenizer.json"
    config = found.model.config
    is_siglip = config.model_type == "siglip"
    tower = TextTower(
        found.model.text_model,
        getattr(found.model, "text_projection", None) or nn.Identity(),
        found.tokenizer,
        max_tokens=int(config.text_config.max_position_embeddings),
        pad_to_max=is_siglip,
        needs_mask=not is_siglip,
    )
    return tower, ""

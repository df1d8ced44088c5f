"""A family's model from local folders of its real parts: a vision tower, a language model and, if wanted, a projector.

Everything that can be known from configurations and file headers is checked before any weight is read. Weights come
from safetensors files only; MXFP4 experts are widened on the way. A projector that no folder gives is random.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from safetensors import safe_open
from transformers import AutoConfig, PreTrainedConfig

from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_file, read_json
from osler.model import kernels
from osler.model.checkpoint import register
from osler.model.compose import OslerForConditionalGeneration
from osler.model.config import OslerConfig
from osler.model.family import Family
from osler.model.headers import Header, read_headers
from osler.model.mxfp4 import dequantized
from osler.model.part_layout import LAYOUTS, our_names
from osler.model.processor import OslerProcessor
from osler.model.tokenizer import IMAGE, chat_template
from osler.model.vocabulary import tokenizer_from

_NEEDED, _OPTIONAL = ("vision", "language"), ("projector",)
_PROJECTOR = "model.multi_modal_projector."
_TABLE, _HEAD = "model.language_model.embed_tokens.weight", "lm_head.weight"
# What makes a part another one than the family's: shapes, and how the pixels or experts are used.
_VISION_FIELDS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "patch_size", "image_size")
_TEXT_FIELDS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_local_experts", "num_experts_per_tok")
_BLOCKS, _SCALES = "_blocks", "_scales"


@dataclass(frozen=True)
class _Stored:
    """Where one tensor of the model comes from. With `scales` it is MXFP4: blocks of 32 numbers and their exponents."""

    name: str
    header: Header
    scales: tuple[str, Header] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape once read."""
        if self.scales is None:
            return self.header.shape
        experts, rows, groups, half = self.header.shape
        return experts, groups * half * 2, rows


def assemble(
    family: Family,
    parts: Mapping[str, Path],
    *,
    seed: int,
    dtype: torch.dtype = torch.bfloat16,
    attention: dict[str, str] | None = None,
    experts: str | None = None,
    device: str = "cpu",
    training: bool = False,
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    """The family's model with the weights of its real parts, and its processor.

    Args:
        family: what the parts must be. For the tower's last layer but one, give
            `dataclasses.replace(family, vision_feature_layer=-2)`.
        parts: folders by part: `vision`, `language`, and `projector` for one that is trained already. The folder of
            a whole model (`internvl`, `osler`) can stand for each of its parts.
        seed: of a random projector.
        dtype: of the weights in memory.
        attention, experts: implementations per part, as `checkpoint.load` takes them.
        device: torch device name of where it will run; the weights stay on the CPU.
        training: whether it will be trained; some kernels can only answer.

    Raises:
        InputError: a folder is missing, holds another model, does not fit the family or the other parts, or a
            tensor is missing, unexpected or of another shape, or the model cannot run on these implementations.
    """
    _check_keys(parts)
    attention = attention or {"text_config": "eager", "vision_config": "sdpa"}
    config, tokenizer = _configuration(family, parts)
    attention, experts = kernels.settle(config, attention=attention, experts=experts, device=device, training=training)
    model = _empty(config, dtype, attention)
    if experts is not None:
        model.set_experts_implementation({"text_config": experts})
    stored = {name: each for part, folder in parts.items() for name, each in _stored(part, folder).items()}
    stored = _without_unread_layer(stored, family, config)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if "projector" not in parts:
        wanted = {name: shape for name, shape in wanted.items() if not name.startswith(_PROJECTOR)}
    if config.text_config.tie_word_embeddings and _TABLE in stored:
        stored.setdefault(_HEAD, stored[_TABLE])
    config.text_config.tie_word_embeddings = False  # the head becomes a matrix of its own
    _refuse_differences(wanted, stored, parts)
    weights = dict(_read(stored, dtype))
    # A copy where it was tied: of two names for one memory only one would be saved.
    weights[_HEAD] = weights[_HEAD].clone()
    if "projector" not in parts:
        weights |= _random_projector(model, seed=seed, dtype=dtype)
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval(), family.processor(tokenizer, config)


def _check_keys(parts: Mapping[str, Path]) -> None:
    known = (*_NEEDED, *_OPTIONAL)
    for key in parts:
        if key not in known:
            raise InputError(
                f"unknown part {key!r}", expected=f"one of {', '.join(known)}", fix=did_you_mean(key, known)
            )
    missing = [key for key in _NEEDED if key not in parts]
    if missing:
        raise InputError(f"the folder of part {missing[0]!r} is not given", expected="vision and language")


def _configuration(family: Family, parts: Mapping[str, Path]) -> tuple[OslerConfig, Any]:
    register()
    vision = _part_config("vision", parts["vision"])
    text = _part_config("language", parts["language"])
    vocab_size = family.vocab_size
    _refuse_other("vision", parts["vision"], vision, family.vision_config(), _VISION_FIELDS)
    fields = ("model_type",) if family.any_text_size else _TEXT_FIELDS
    _refuse_other("language", parts["language"], text, family.text_config(vocab_size, 0, 1), fields)
    tokenizer = tokenizer_from(
        parts["language"],
        published=family.published_tokens,
        vocab_size=text.vocab_size,
        template=chat_template(family.template),
    )
    text.pad_token_id, text.eos_token_id = tokenizer.pad_token_id, tokenizer.eos_token_id
    config = family.compose(vision, text, image_token_id=int(tokenizer.convert_tokens_to_ids(IMAGE)))
    return config, tokenizer


def _part_config(part: str, folder: Path) -> PreTrainedConfig:
    """The configuration of one part, out of its own folder or that of a whole model."""
    content = read_json(existing_file(folder / "config.json"))
    layout = LAYOUTS.get(str(content.get("model_type")))
    if layout is None or part not in layout.config_keys:
        raise InputError(
            f"{folder} cannot be the {part} part",
            expected=f"model_type {', '.join(name for name, each in LAYOUTS.items() if part in each.config_keys)}",
            got=str(content.get("model_type")),
        )
    key = layout.config_keys[part]
    values = dict(content[key] if key else content)
    if values.pop("quantization_config", {}).get("quant_method", "mxfp4") != "mxfp4":
        raise InputError(f"the weights in {folder} are packed in a way that is not read", expected="bfloat16 or MXFP4")
    # What is saved inside a whole model may leave its type to that model.
    default = {"internvl": "internvl_vision", "clip": "clip_vision_model", "siglip": "siglip_vision_model"}
    kind = str(values.pop("model_type", default.get(content["model_type"], "")))
    return AutoConfig.for_model(kind, **values)


def _refuse_other(
    part: str, folder: Path, config: PreTrainedConfig, wanted: PreTrainedConfig, fields: tuple[str, ...]
) -> None:
    for name in ("model_type", *fields):
        has, wants = (_plain(getattr(each, name, None)) for each in (config, wanted))
        if has != wants:
            raise InputError(
                f"the {part} part in {folder} is not this family's",
                expected=f"{name} {wants}",
                got=f"{has}",
                fix="Name another folder, or the family that these weights belong to.",
            )


def _plain(value: Any) -> Any:
    """A square given twice is the square."""
    if isinstance(value, (list, tuple)) and len(set(value)) == 1:
        return value[0]
    return value


def _empty(config: OslerConfig, dtype: torch.dtype, attention: dict[str, str]) -> OslerForConditionalGeneration:
    """Parameters without memory. Buffers are real: no file holds them, they follow from the configuration."""
    with init_empty_weights(include_buffers=False):
        return OslerForConditionalGeneration._from_config(config, dtype=dtype, attn_implementation=attention)


def _stored(part: str, folder: Path) -> dict[str, _Stored]:
    """The tensors of `part` in `folder`, by our names."""
    headers = read_headers(folder)
    model_type = str(read_json(folder / "config.json")["model_type"])
    if part not in LAYOUTS[model_type].parts:
        raise InputError(f"{folder} holds no {part}", got=f"a model of type {model_type}")
    names = our_names(model_type, part, list(headers))
    found = {new: _Stored(old, headers[old]) for old, new in names.items() if not new.endswith((_BLOCKS, _SCALES))}
    for old, new in names.items():
        if new.endswith(_BLOCKS):
            scales = old.removesuffix(_BLOCKS) + _SCALES
            if scales not in headers:
                raise InputError(f"tensor {old!r} in {folder} has no scales", expected=scales)
            found[new.removesuffix(_BLOCKS)] = _Stored(old, headers[old], (scales, headers[scales]))
    return found


def _without_unread_layer(stored: dict[str, _Stored], family: Family, config: OslerConfig) -> dict[str, _Stored]:
    """Leave out the tower's last layer where the family reads the one before it."""
    if family.vision_feature_layer == -1:
        return stored
    last = config.vision_config.num_hidden_layers
    unread = tuple(f"model.vision_tower.encoder.{layers}.{last}." for layers in ("layers", "layer"))
    return {name: each for name, each in stored.items() if not name.startswith(unread)}


def _refuse_differences(
    wanted: dict[str, tuple[int, ...]], stored: dict[str, _Stored], parts: Mapping[str, Path]
) -> None:
    """A weight that is missing would be random, an unexpected one unused: both are errors, never warnings."""
    problems = {
        "missing": sorted(wanted.keys() - stored.keys()),
        "unexpected": sorted(stored[name].name for name in stored.keys() - wanted.keys()),
        "mis-shaped": [
            f"{name} {list(stored[name].shape)} for {list(wanted[name])}"
            for name in sorted(wanted.keys() & stored.keys())
            if stored[name].shape != wanted[name]
        ],
    }
    said = [f"{len(names)} {kind} ({', '.join(names[:3])})" for kind, names in problems.items() if names]
    if said:
        folders = ", ".join(sorted({str(folder) for folder in parts.values()}))
        raise InputError(f"the weights in {folders} do not fit their configurations: {'; '.join(said)}")


def _read(stored: dict[str, _Stored], dtype: torch.dtype) -> Iterator[tuple[str, torch.Tensor]]:
    by_file: dict[Path, list[str]] = {}
    for name, each in stored.items():
        by_file.setdefault(each.header.file, []).append(name)
    for file, names in by_file.items():
        with safe_open(file, "pt") as tensors:
            for name in names:
                each = stored[name]
                if each.scales is None:
                    yield name, tensors.get_tensor(each.name).to(dtype)
                else:
                    yield name, _widened(tensors.get_tensor(each.name), each.scales, dtype)


def _widened(blocks: torch.Tensor, scales: tuple[str, Header], dtype: torch.dtype) -> torch.Tensor:
    """MXFP4 to plain numbers. The scales may lie in another file than their blocks."""
    name, header = scales
    with safe_open(header.file, "pt") as tensors:
        return dequantized(blocks, tensors.get_tensor(name), dtype=dtype)


def _random_projector(
    model: OslerForConditionalGeneration, *, seed: int, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Drawn in float32 and rounded after, so that a seed means the same numbers in every dtype."""
    projector = model.model.multi_modal_projector
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drawn = projector.to_empty(device="cpu").float()
        drawn.apply(model._init_weights)
    return {_PROJECTOR + name: tensor.detach().to(dtype) for name, tensor in drawn.state_dict().items()}

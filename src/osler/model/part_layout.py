"""Where published checkpoints keep the parts that a model is composed of: their tensor names as ours.

A layout is known by the `model_type` of its config.json:

    clip_vision_model, siglip_vision_model    a tower alone, with or without the prefix `vision_model.`
    clip, siglip                              a pair of towers; the text half is left where it is
    gpt_oss, llama                            a language model with its head; gpt_oss also in MXFP4
    internvl                                  the "-HF" layout of InternVL: all three parts
    osler                                     what Osler itself writes: all three parts
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_VISION, _PROJECTOR, _LM, _HEAD = (
    "model.vision_tower.",
    "model.multi_modal_projector.",
    "model.language_model.",
    "lm_head.",
)
# Files written by different versions of one library differ in the order of prefixes; the first that fits is taken.
_INTERNVL_LM = {"language_model.model.": _LM, "model.language_model.": _LM, "language_model.lm_head.": _HEAD}


@dataclass(frozen=True)
class Layout:
    """One published layout.

    Args:
        parts: for each part it holds, prefixes of its names and what they become.
        config_key: where config.json describes the vision and the language part; "" at its top.
        leaves: prefixes of names that belong to none of the parts and are known to be left out.
    """

    parts: Mapping[str, Mapping[str, str]]
    config_keys: Mapping[str, str]
    leaves: tuple[str, ...] = ()


def _tower_alone() -> Layout:
    return Layout({"vision": {"vision_model.": _VISION, "": _VISION}}, {"vision": ""})


def _tower_pair() -> Layout:
    leaves = ("text_model.", "text_projection.", "visual_projection.", "logit_scale", "logit_bias")
    return Layout({"vision": {"vision_model.": _VISION}}, {"vision": "vision_config"}, leaves)


def _language_model() -> Layout:
    return Layout({"language": {"model.": _LM, "lm_head.": _HEAD}}, {"language": ""})


_WHOLE_KEYS = {"vision": "vision_config", "language": "text_config"}
LAYOUTS = {
    "clip_vision_model": _tower_alone(),
    "siglip_vision_model": _tower_alone(),
    "clip": _tower_pair(),
    "siglip": _tower_pair(),
    "gpt_oss": _language_model(),
    "llama": _language_model(),
    "internvl": Layout(
        {
            "vision": {"vision_tower.": _VISION, "model.vision_tower.": _VISION},
            "projector": {
                "multi_modal_projector.layer_norm.": f"{_PROJECTOR}norm.",
                "model.multi_modal_projector.layer_norm.": f"{_PROJECTOR}norm.",
                "multi_modal_projector.": _PROJECTOR,
                "model.multi_modal_projector.": _PROJECTOR,
            },
            "language": {**_INTERNVL_LM, "lm_head.": _HEAD},
        },
        _WHOLE_KEYS,
    ),
    "osler": Layout(
        {"vision": {_VISION: _VISION}, "projector": {_PROJECTOR: _PROJECTOR}, "language": {_LM: _LM, _HEAD: _HEAD}},
        _WHOLE_KEYS,
    ),
}
# Buffers that older versions stored although they follow from the configuration.
_DERIVED = re.compile(r"(?:^|\.)(?:position_ids|rotary_emb\.inv_freq)$")


def our_names(model_type: str, part: str, names: list[str]) -> dict[str, str]:
    """Stored name to our name, for the tensors of `part`. Those of the layout's other parts are left out.

    A name that no part of the layout explains is kept as it is, so that a comparison with the model finds it.
    """
    layout = LAYOUTS[model_type]
    others = tuple(prefix for other in layout.parts if other != part for prefix in layout.parts[other])
    mapped = {}
    for name in names:
        prefix = _prefix(name, layout.parts[part])
        if prefix is not None:
            new = layout.parts[part][prefix] + name[len(prefix) :]
        elif name.startswith((*others, *layout.leaves)):
            continue
        else:
            new = name
        if not _DERIVED.search(new):
            mapped[name] = new
    return mapped


def _prefix(name: str, prefixes: Mapping[str, str]) -> str | None:
    fitting = [prefix for prefix in prefixes if name.startswith(prefix)]
    return max(fitting, key=len) if fitting else None

"""`osler export`: a trained model in a layout that engines read.

Everything is written below `OUT/model`; what an engine needs to be started lies beside it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.model.layout import Layout, Source, bf16_pieces, open_source
from osler.model.llava_layout import llava_layout
from osler.model.mxfp4_layout import mxfp4_layout
from osler.model.tower_layouts import open_clip_layout, tower_layout
from osler.model.vllm_layout import vllm_layout
from osler.model.weight_files import write_weights

Format = Literal["bf16", "mxfp4", "llava", "vllm", "tower", "open_clip"]
Experts = Literal["bf16", "mxfp4"]


class ExportConfig(Config):
    """What to export, and how.

    model: folder of a trained model, such as `out/instruct/model`.
    format: `bf16` as it is, rounded; `mxfp4` with four-bit experts; `llava` for transformers' LLaVA classes; `vllm`
        for vLLM with the plugin in `plugins/vllm_osler`; `tower` the vision tower alone, for transformers, of such a
        model or of a pair that the stage `contrast` trained; `open_clip` such a pair, for open_clip.
    experts: of a `vllm` export, `mxfp4` (the default) or `bf16`.
    max_shard_mib: largest weight file; a single larger tensor still gets a file of its own.
    """

    model: Path
    format: Format
    experts: Experts | None = None
    max_shard_mib: PositiveInt = 4096


# Layouts of a folder that need not be a vision-language model's.
_OF_TOWERS: dict[str, Callable[[Path], Layout]] = {"tower": tower_layout, "open_clip": open_clip_layout}


def parse(recipe: Recipe) -> ExportConfig:
    """The recipe, checked."""
    config = ExportConfig.parse(recipe)
    if config.experts is not None and config.format != "vllm":
        raise InputError(
            f"`experts` says nothing in a {config.format} export",
            expected="it with format: vllm",
            fix="Leave it out, or say format: mxfp4.",
        )
    return config


def inputs(config: ExportConfig) -> list[Path]:
    """The model folder."""
    return [config.model]


def run(config: ExportConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write `OUT/model`, tensor by tensor. `device` computes the MXFP4 blocks."""
    if config.format in _OF_TOWERS:
        layout = _OF_TOWERS[config.format](config.model)
    else:
        layout = _layout(open_source(config.model), config.format, config.experts or "mxfp4", device)
    folder = out / "model"
    largest = config.max_shard_mib * 2**20
    num_bytes = write_weights(folder, layout.pieces, max_shard_bytes=largest, log=log, single=layout.weights_name)
    for name, text in layout.files.items():
        write_text(folder / name, text)
    for name, text in layout.beside.items():
        write_text(out / name, text)
    write_json(folder / layout.config_name, layout.config)
    return Outcome(
        message=f"{config.format}: {folder}",
        counts={"tensors": sum(len(piece.specs) for piece in layout.pieces), "weight_bytes": num_bytes},
    )


def _layout(source: Source, form: Format, experts: Experts, device: str) -> Layout:
    if form == "mxfp4":
        return mxfp4_layout(source, device=device)
    if form == "llava":
        return llava_layout(source)
    if form == "vllm":
        return vllm_layout(source, experts=experts, device=device)
    return Layout(config={**source.config, "dtype": "bfloat16"}, pieces=bf16_pieces(source), files=source.files())

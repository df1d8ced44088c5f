"""What a stage asks of a machine, from its recipe and its model's configuration: no weight is read."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from osler.core.catalog import FAMILIES
from osler.core.errors import InputError
from osler.model.checkpoint import configuration
from osler.model.compose import OslerForConditionalGeneration
from osler.model.config import OslerConfig
from osler.model.family import Family
from osler.model.freeze import param_groups, part_of
from osler.train.memory import Dtype, Engine, GpuLoad, Layout, Memory, Part, activations, chunked_logits, logits, memory


@dataclass(frozen=True)
class Work:
    """What a stage asks of each GPU, and how it is laid out.

    Args:
        config: of the composition.
        parts: its parameters, those of adapters included.
        adapted: the language model learns through adapters alone.
        largest_block: parameters of the largest layer.
        layout: engine, GPUs, dtype, checkpointing.
        load: of one GPU in one pass.
        passes_per_step: gradient accumulation.
        steps: of the recipe.
    """

    config: OslerConfig
    parts: tuple[Part, ...]
    adapted: bool
    largest_block: int
    layout: Layout
    load: GpuLoad
    passes_per_step: int
    steps: int

    @property
    def memory(self) -> Memory:
        """Of one GPU."""
        return memory(self.config, self.parts, layout=self.layout, load=self.load, largest_block=self.largest_block)

    @property
    def step_tokens(self) -> int:
        """Tokens of a whole step, on all GPUs, with rows filled to the brim."""
        return self.load.tokens * self.layout.num_gpus * self.passes_per_step

    @property
    def trained_weights(self) -> dict[str, bool]:
        """Per part, whether its own weights have gradients; adapters leave them without."""
        return {part.name: part.trained > 0 and not (part.name == "lm" and self.adapted) for part in self.parts}

    def activations(self, *, checkpointing: bool) -> float:
        """Bytes with or without checkpointing."""
        layout = replace(self.layout, checkpointing=checkpointing)
        return activations(self.config, self.load, layout=layout, tower_learns=self.trained_weights["vision"])

    def logits(self) -> dict[str, float]:
        """Bytes by how the loss is computed."""
        return {
            "every position at once": logits(self.config, self.load.tokens),
            "label positions at once": logits(self.config, self.load.labels),
            "label positions in chunks": chunked_logits(self.config, self.load.labels),
        }


def composition(start: Any) -> OslerConfig:
    """The configuration that a recipe's `model` starts from; reads no weight."""
    if (start.folder is None) == (start.family is None):
        raise InputError("recipe: model needs either 'folder' or 'family'")
    if start.family is not None:
        family: Family = FAMILIES.load(str(start.family))
        return family.full_config()
    return configuration(Path(start.folder))


def work_of(
    config: Any, model_config: OslerConfig, *, num_gpus: int, dtype: Dtype | None, tiles_per_token: float
) -> Work:
    """What a stage's config asks of each of `num_gpus` GPUs, for rows of so many tiles a token.

    Raises:
        InputError: the rows of a step do not divide among the GPUs, or the engine does not suit their number.
    """
    pack, schedule = config.pack, config.schedule
    engine: Engine = config.parallel.engine
    layout = Layout(
        engine=engine,
        num_gpus=num_gpus,
        dtype=dtype or ("mixed" if engine == "zero3" else config.model.dtype),
        checkpointing=schedule.checkpointing == "full",
        # A plan is of GPUs, where `auto` never builds the scores.
        eager=config.model.attention.get("text_config", "eager") == "eager",
    )
    _refuse_layout(layout, pack.rows_per_step)
    rows = pack.rows_per_step // num_gpus
    row_tiles = pack.row_tokens * tiles_per_token
    if pack.row_tiles is not None:
        row_tiles = min(row_tiles, pack.row_tiles)
    words = max(1.0, pack.row_tokens - row_tiles * model_config.image_seq_length)
    rates = {"vision_lr": config.vision_lr, "projector_lr": config.projector_lr, "lm_lr": config.lm_lr}
    parts, largest_block = count_parts(model_config, rates=rates)
    work = Work(
        config=model_config,
        parts=parts,
        adapted=False,
        largest_block=largest_block,
        layout=layout,
        load=GpuLoad(rows, pack.row_tokens, rows * row_tiles, rows * words),
        passes_per_step=schedule.gradient_accumulation,
        steps=schedule.steps,
    )
    lora = config.model.lora
    return with_adapters(work, lora.rank, lora.targets) if lora is not None else work


def with_adapters(work: Work, rank: int, targets: tuple[str, ...]) -> Work:
    """The same work where the language model learns through LoRA (arXiv 2106.09685) instead of its own weights.

    Each adapted layer has two factors: rank times its inputs and its outputs.

    Raises:
        InputError: no linear layer of the language model has one of the names in `targets`.
    """
    with torch.device("meta"):
        model = OslerForConditionalGeneration(work.config)
    layers = [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and "language_model." in name and name.rpartition(".")[2] in targets
    ]
    if not layers:
        raise InputError(f"lora adapts no layer of the language model; its targets are {', '.join(targets)}")
    added = sum(rank * (layer.in_features + layer.out_features) for layer in layers)
    parts = tuple(
        replace(part, parameters=part.parameters + added, trained=added) if part.name == "lm" else part
        for part in work.parts
    )
    return replace(work, parts=parts, adapted=True)


def count_parts(config: OslerConfig, *, rates: dict[str, float | None]) -> tuple[tuple[Part, ...], int]:
    """Parameters by part, trained ones as `param_groups` chooses them, and those of the largest layer.

    The model is built on the meta device: shapes without memory.

    Args:
        config: of the composition.
        rates: `vision_lr`, `projector_lr`, `lm_lr`; None freezes the part.
    """
    with torch.device("meta"):
        model = OslerForConditionalGeneration(config)
    param_groups(model, **rates, weight_decay=0.0)
    sizes = dict.fromkeys(("vision", "projector", "lm"), 0)
    trained = dict(sizes)
    for name, parameter in model.named_parameters():
        sizes[part_of(name)] += parameter.numel()
        trained[part_of(name)] += parameter.numel() * parameter.requires_grad
    return tuple(Part(name, sizes[name], trained[name]) for name in sizes), _largest_block(model)


def _largest_block(model: nn.Module) -> int:
    blocks = [block for module in model.modules() if isinstance(module, nn.ModuleList) for block in module]
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    return max(sum(parameter.numel() for parameter in module.parameters()) for module in [*blocks, *tables])


def _refuse_layout(layout: Layout, rows_per_step: int) -> None:
    if rows_per_step % layout.num_gpus:
        raise InputError(
            f"{rows_per_step} rows a step do not divide among {layout.num_gpus} GPUs",
            expected="pack.rows_per_step as a multiple of the number of GPUs",
            fix=f"Say pack.rows_per_step={-(-rows_per_step // layout.num_gpus) * layout.num_gpus}.",
        )
    if layout.engine == "none" and layout.num_gpus > 1:
        raise InputError(
            f"parallel.engine none uses one GPU, not {layout.num_gpus}",
            expected="parallel.engine ddp, zero3 or fsdp2",
            fix="Say parallel.engine=fsdp2 where the model does not fit one GPU.",
        )

"""`osler train RECIPE --plan`: what a stage will need and how long it will take, before any weight is read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from osler.core.catalog import STAGES
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.log import Log
from osler.model.config import OslerConfig
from osler.train.flops import Shape, causal_pairs, flops_per_step, passes, shape_of
from osler.train.gpus import GIB, Gpu, gpu, gpu_of_device
from osler.train.memory import SHARDED
from osler.train.sample_sizes import measure
from osler.train.stage import ModelConfig
from osler.train.work import Work, composition, with_adapters, work_of

# Of a GPU's memory, what the driver, the kernels' scratch space and fragments leave.
_USABLE = 0.94
_SECONDS_PER_HOUR = 3600.0
# What is tried when memory is short.
_MORE_GPUS = (2, 4, 8, 16, 32, 64, 128)
_LORA = (8, ("q_proj", "k_proj", "v_proj", "o_proj"))
_SHORTEST_ROW = 1024


class PlanConfig(Config):
    """The recipe's `plan`: the machine, and the data as far as they are not at hand. A run itself ignores it.

    family: planned with at its full size where the recipe's `model.folder` is not there yet, as before the stage that
        writes it has run.
    gpu: by name, see `train/gpus.py`. Without it no speed and no fit can be said.
    mfu: share of the GPU's peak that the run will reach; measure it with `benchmarks/train_throughput.py`.
    samples: to train on; without it those of the recipe's steps.
    tokens_per_sample: language-model tokens with those of its tiles; tiles_per_sample: of all its images. Both are
        measured from the index where the data is there; where given, these two go before.
    dtype: `float32` keeps float32 weights, `mixed` bfloat16 ones beside float32 ones in the optimizer, `bfloat16` those
        alone: 16, 16 and 8 bytes a trained parameter with AdamW's state, and 4, 2 and 2 a frozen one. Without it what
        the engine does: zero3 `mixed`, the others `float32`.
    """

    family: str | None = None
    gpu: str | None = None
    num_gpus: PositiveInt = 1
    mfu: float = Field(0.25, gt=0, le=1)
    samples: PositiveInt | None = None
    tokens_per_sample: PositiveFloat | None = None
    tiles_per_sample: NonNegativeFloat | None = None
    dtype: Literal["mixed", "float32", "bfloat16"] | None = None


@dataclass(frozen=True)
class Speed:
    """At the stated MFU, of all GPUs together."""

    tokens_per_s: float
    tiles_per_s: float
    samples_per_s: float
    hours: float


@dataclass(frozen=True)
class Plan:
    """A stage on a machine.

    `gpu` and `speed` are None where no GPU is named; `steps` read the samples once; `stand_in` says which family was
    planned with in place of a folder that is not there, None where the recipe's own model was.
    """

    work: Work
    tokens_per_sample: float
    tiles_per_sample: float
    flops_per_sample: float
    samples: int
    steps: int
    mfu: float
    gpu: Gpu | None
    speed: Speed | None
    stand_in: str | None = None


def parse(recipe: Recipe) -> tuple[Any, PlanConfig]:
    """A training recipe as its stage's config and its `plan`."""
    rest = without_plan(recipe)
    if "stage" not in rest:
        raise InputError("recipe: key 'stage' is missing", expected=f"one of {', '.join(STAGES.names())}")
    stage = STAGES.load(str(rest["stage"]))
    if stage.objective != "next_token":
        raise InputError(f"stage {rest['stage']!r} trains no language model; --plan has no figures for it")
    return stage.config.parse(rest), PlanConfig.parse(recipe.get("plan", {}), "plan")


def without_plan(recipe: Recipe) -> Recipe:
    """The recipe as a run takes it."""
    return {key: value for key, value in recipe.items() if key != "plan"}


def make_plan(config: Any, plan: PlanConfig, *, machine: Gpu | None = None) -> Plan:
    """The plan of a stage's config, on the `machine` at hand or on the one that `plan` names.

    Raises:
        InputError: the rows of a step do not divide among the GPUs, an engine does not suit their number, the model
            or the GPU is not known, or the lengths of the samples can be had neither from the data nor from `plan`.
    """
    machine = machine or (gpu(plan.gpu) if plan.gpu else None)
    start = _start(config.model, plan.family)
    model_config = composition(start)
    tokens, tiles = _sample_sizes(config, plan, model_config)
    work = work_of(config, model_config, num_gpus=plan.num_gpus, dtype=plan.dtype, tiles_per_token=tiles / tokens)
    flops = _flops_per_sample(work, shape_of(model_config), tokens, tiles)
    samples = plan.samples or max(1, int(work.steps * work.step_tokens / tokens))
    return Plan(
        work=work,
        tokens_per_sample=tokens,
        tiles_per_sample=tiles,
        flops_per_sample=flops,
        samples=samples,
        steps=ceil(samples * tokens / work.step_tokens),
        mfu=plan.mfu,
        gpu=machine,
        speed=_speed(plan, machine, flops, samples=samples, tokens=tokens, tiles=tiles) if machine else None,
        stand_in=None if start is config.model else f"family {start.family}, as {config.model.folder} is not there yet",
    )


def refuse_too_little(plan: Plan) -> None:
    """Raise InputError where the plan's GPU cannot hold the step: by how much, and which changes would help."""
    if plan.gpu is None or _fits(plan.work, plan.gpu):
        return
    needed, usable = plan.work.memory.total / GIB, _USABLE * plan.gpu.memory_bytes / GIB
    helps = list(_remedies(plan.work, plan.gpu))
    raise InputError(
        f"too little memory by the plan: {needed:.1f} GiB on each GPU, {needed - usable:.1f} GiB too much",
        expected=f"at most {usable:.1f} GiB, {_USABLE:.0%} of one {plan.gpu.name}",
        fix=f"Enough would be {'; or '.join(helps)}." if helps else "Take larger GPUs or a smaller model.",
    )


def check_device(config: Any, name: str, memory_bytes: int, *, num_gpus: int, log: Log) -> None:
    """Before a run reads weights: refuse a GPU that cannot even hold the state; warn where the whole looks too much.

    State is exact, activations are estimated high; so a run that might just fit goes on.

    Args:
        config: of a stage that learns words.
        name: the GPU's.
        memory_bytes: the GPU's.
        num_gpus: processes that train together.
    """
    known = gpu_of_device(name)
    machine = Gpu(name, known.peak_flops if known else 1.0, memory_bytes, (), "")
    found = make_plan(config, PlanConfig(num_gpus=num_gpus), machine=machine)
    if _fits(found.work, machine):
        return
    if found.work.memory.state > _USABLE * memory_bytes:
        refuse_too_little(found)
    log.warn(
        f"by the plan a step needs {found.work.memory.total / GIB:.1f} GiB, and {name} has {memory_bytes / GIB:.1f}"
    )


def implied_mfu(flops_per_sample: float, *, samples: float, hours: float, num_gpus: int, machine: Gpu) -> float:
    """The share of the peak that a run reached which took so long."""
    return flops_per_sample * samples / (hours * _SECONDS_PER_HOUR * num_gpus * machine.peak_flops)


def _start(model: ModelConfig, family: str | None) -> ModelConfig:
    """The recipe's `model`, or the family that stands in for a folder that is not there."""
    if model.folder is None or model.folder.exists():
        return model
    if family is None:
        raise InputError(
            f"recipe: model.folder {model.folder} is not there",
            fix="Run the stage that writes it, or name the family to plan with: plan.family=NAME.",
        )
    return model.model_copy(update={"folder": None, "family": family})


def _sample_sizes(config: Any, plan: PlanConfig, model_config: OslerConfig) -> tuple[float, float]:
    """Tokens and tiles of a sample."""
    tokens, tiles = plan.tokens_per_sample, plan.tiles_per_sample
    if tokens is None or tiles is None:
        missing = [str(data.shards) for data in config.data if not (data.shards / "index").is_dir()]
        if missing or not config.data:
            raise InputError(
                f"no data to measure samples on ({', '.join(missing) or 'the recipe names none'})",
                fix="State plan.tokens_per_sample and plan.tiles_per_sample.",
            )
        found = measure(
            config.data,
            questions_per_image=config.pack.questions_per_image,
            tile_px=model_config.tile_px,
            max_tiles=model_config.max_tiles,
            max_upscale=config.model.max_upscale,
            tile_tokens=model_config.image_seq_length,
        )
        tokens, tiles = tokens or found.tokens, found.tiles if tiles is None else tiles
    if tokens < tiles * model_config.image_seq_length:
        raise InputError(
            f"plan: {tiles:g} tiles alone are {tiles * model_config.image_seq_length:g} tokens",
            expected="tokens_per_sample with those of the tiles",
            got=f"{tokens:g}",
        )
    return tokens, tiles


def _flops_per_sample(work: Work, shape: Shape, tokens: float, tiles: float) -> float:
    pairs = causal_pairs([tokens], shape.window)
    return flops_per_step(shape, tokens, tiles, passed=passes(**work.trained_weights), pairs=pairs)


def _speed(plan: PlanConfig, machine: Gpu, flops: float, *, samples: int, tokens: float, tiles: float) -> Speed:
    samples_per_s = plan.num_gpus * machine.peak_flops * plan.mfu / flops
    hours = samples / samples_per_s / _SECONDS_PER_HOUR
    return Speed(samples_per_s * tokens, samples_per_s * tiles, samples_per_s, hours)


def _fits(work: Work, machine: Gpu) -> bool:
    return work.memory.total <= _USABLE * machine.memory_bytes


def _remedies(work: Work, machine: Gpu) -> Iterator[str]:
    """Changes that would be enough: one that costs time alone; failing that, what costs GPUs or accuracy besides."""
    free = list(_free_changes(work))
    enough = [words for words, changed in free if _fits(changed, machine)]
    if enough:
        yield from enough
        return
    layout, load = work.layout, work.load
    lean = replace(work, layout=replace(layout, checkpointing=True, eager=False))
    also = "".join(f"{words} and " for words, _ in free)
    if len(free) > 1 and _fits(lean, machine):
        yield also.removesuffix(" and ")
    for num_gpus in _MORE_GPUS:
        sharded = replace(lean, layout=replace(lean.layout, engine=_sharding(layout.engine), num_gpus=num_gpus))
        if num_gpus >= layout.num_gpus and sharded.layout != lean.layout and _fits(sharded, machine):
            yield f"{also}parallel.engine={sharded.layout.engine} on {num_gpus} GPUs with as many rows each"
            break
    if work.trained_weights["lm"] and _fits(with_adapters(lean, *_LORA), machine):
        yield f"{also}model.lora of rank {_LORA[0]}"
    row_tokens = load.row_tokens // 2
    while row_tokens >= _SHORTEST_ROW:
        if _fits(replace(lean, load=load.shortened(row_tokens)), machine):
            yield f"{also}pack.row_tokens={row_tokens}"
            break
        row_tokens //= 2


def _free_changes(work: Work) -> Iterator[tuple[str, Work]]:
    """Changes that leave the trained weights as they would be."""
    if not work.layout.checkpointing:
        yield "schedule.checkpointing=full", replace(work, layout=replace(work.layout, checkpointing=True))
    if work.layout.eager:
        words = "model.attention.text_config=flex_attention"
        yield words, replace(work, layout=replace(work.layout, eager=False))


def _sharding(engine: str) -> Any:
    return engine if engine in SHARDED else "fsdp2"

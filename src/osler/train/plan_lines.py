"""A plan as lines of text for the terminal."""

from collections.abc import Iterator

from osler.train.memory import Memory
from osler.train.plan import Plan, Speed

_NAMES = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer state",
    "gathered": "engine's buffers",
    "activations": "activations",
    "logits": "logits",
}


def plan_lines(plan: Plan) -> str:
    """The whole plan."""
    return "\n".join([*_model(plan), "", *_memory(plan), "", *_data(plan), "", *_speed(plan)])


def _model(plan: Plan) -> Iterator[str]:
    if plan.stand_in is not None:
        yield f"model: {plan.stand_in}"
    yield f"{'parameters':<24}{'all':>16}{'trained':>16}"
    for part in plan.work.parts:
        yield f"  {part.name:<22}{part.parameters:>16,}{part.trained:>16,}"
    totals = [sum(part.parameters for part in plan.work.parts), sum(part.trained for part in plan.work.parts)]
    yield f"  {'all':<22}{totals[0]:>16,}{totals[1]:>16,}"


def _memory(plan: Plan) -> Iterator[str]:
    layout, load, found = plan.work.layout, plan.work.load, plan.work.memory
    yield (
        f"memory on each of {layout.num_gpus} GPU{'s' * (layout.num_gpus > 1)} (engine {layout.engine}, "
        f"{layout.dtype}, {load.rows} row{'s' * (load.rows > 1)} of {load.row_tokens:,} tokens, {load.tiles:.0f} tiles)"
    )
    for key, name in _NAMES.items():
        yield f"  {name:<38}{_size(getattr(found, key))}"
    yield f"  {'all':<38}{_size(found.total)}{_of_gpu(plan, found)}"
    for words, checkpointing in (("with", True), ("without", False)):
        mark = "  <- this recipe" if checkpointing == layout.checkpointing else ""
        size = plan.work.activations(checkpointing=checkpointing)
        yield f"  {f'activations {words} checkpointing':<38}{_size(size)}{mark}"
    for words, size in plan.work.logits().items():
        yield f"  {f'logits of {words}':<38}{_size(size)}"


def _size(num_bytes: float) -> str:
    in_gib = num_bytes >= 2**30
    return f"{num_bytes / (2**30 if in_gib else 2**20):>12,.1f} {'GiB' if in_gib else 'MiB'}"


def _of_gpu(plan: Plan, found: Memory) -> str:
    if plan.gpu is None:
        return ""
    return f"  {found.total / plan.gpu.memory_bytes:.0%} of one {plan.gpu.name}"


def _data(plan: Plan) -> Iterator[str]:
    yield f"{'samples':<28}{plan.samples:>16,}"
    yield f"{'tokens a sample':<28}{plan.tokens_per_sample:>16,.0f}"
    yield f"{'tiles a sample':<28}{plan.tiles_per_sample:>16,.1f}"
    yield f"{'TFLOP a sample':<28}{plan.flops_per_sample / 1e12:>16.4g}"
    yield f"{'steps to read them once':<28}{plan.steps:>16,}  (schedule.steps: {plan.work.steps:,})"


def _speed(plan: Plan) -> Iterator[str]:
    if plan.gpu is None or plan.speed is None:
        yield "speed and hours: name a GPU, as plan.gpu=h200 plan.num_gpus=8 plan.mfu=0.25"
        return
    speed: Speed = plan.speed
    num_gpus = plan.work.layout.num_gpus
    yield f"at {plan.mfu:.1%} of {num_gpus} x {plan.gpu.peak_flops / 1e12:,.0f} TFLOP/s ({plan.gpu.source})"
    yield f"  {'tokens/s':<26}{speed.tokens_per_s:>16,.0f}  ({speed.tokens_per_s / num_gpus:,.0f} a GPU)"
    yield f"  {'tiles/s':<26}{speed.tiles_per_s:>16,.1f}"
    yield f"  {'samples/s':<26}{speed.samples_per_s:>16,.1f}"
    yield f"  {'hours':<26}{speed.hours:>16,.2f}"

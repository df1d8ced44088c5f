"""Several processes on one training: who they are, what they add up, and what is refused before weights are loaded.

torchrun starts the processes. Each takes an equal part of every step's rows, in the rows' order, so that N processes
see in a step what one would see.

Axes: K layers, E experts.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, set_model_state_dict
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from transformers.modeling_layers import GradientCheckpointingLayer

from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.model.compose import OslerForConditionalGeneration, balancing_loss

T = TypeVar("T")
_LAUNCH = "Start it so: torchrun --nproc-per-node N -m osler.cli.main train RECIPE.yaml --out DIR"
_ZERO3 = Path(__file__).with_name("zero3.json")
# Rank 0 hashes the inputs before it joins, and the others wait for it.
_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class World:
    """The processes of one training. `device` is this process's own."""

    engine: str
    size: int
    rank: int
    device: str

    @property
    def is_sharded(self) -> bool:
        """Does no process hold the whole model?"""
        return self.engine in {"zero3", "fsdp2"}


def check(engine: str, *, num_started: int | None, batch_size: int) -> None:
    """Refuse what would run otherwise than asked, or not at all.

    Args:
        engine: the recipe's `parallel.engine`.
        num_started: processes that torchrun started; None where it was not used.
        batch_size: rows of one forward pass of all processes.
    """
    if engine == "none" and (num_started or 1) > 1:
        raise InputError(
            f"{num_started} processes were started, but the recipe's parallel.engine is none",
            fix="Name an engine: parallel.engine=ddp, zero3 or fsdp2.",
        )
    if engine != "none" and num_started is None:
        raise InputError(
            f"recipe: parallel.engine is {engine}, but torchrun did not start this process, so it would train alone",
            fix=f"`accelerate launch --cpu` starts one process whatever it is asked. {_LAUNCH}",
        )
    if engine == "zero3" and importlib.util.find_spec("deepspeed") is None:
        raise InputError(
            "recipe: parallel.engine is zero3, but deepspeed is not installed",
            fix="DS_BUILD_OPS=0 pip install -e '.[train,deepspeed]', or take parallel.engine=fsdp2.",
        )
    if batch_size % (num_started or 1):
        raise InputError(
            f"{batch_size} rows a step cannot be shared evenly by {num_started} processes",
            expected="a multiple of the number of processes",
            fix="Change pack.rows_per_step (or pairs_per_step) or the number of processes.",
        )


@contextmanager
def joined(engine: str, *, device: str) -> Iterator[World]:
    """Hold the process group while training; at the end every process waits for the last."""
    settings = read_settings()
    if engine == "none":
        yield World(engine, 1, 0, device)
        return
    on_gpu = device.startswith("cuda")
    if on_gpu:
        device = f"cuda:{settings.local_rank}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    if engine == "zero3":
        # Before any TrainingArguments: they would ask deepspeed for a world that it does not know yet.
        import deepspeed

        deepspeed.init_distributed("nccl" if on_gpu else "gloo")
    yield World(engine, distributed.get_world_size(), distributed.get_rank(), device)
    wait_for_all()
    distributed.destroy_process_group()


def num_processes() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def wait_for_all() -> None:
    """Return when every process has come here."""
    if num_processes() > 1:
        distributed.barrier()


def summed(value: torch.Tensor) -> torch.Tensor:
    """The sum of every process's `value`, without a gradient."""
    if num_processes() == 1:
        return value
    value = value.detach().clone()
    distributed.all_reduce(value)
    return value


def told_by_first(ask: Callable[[], T]) -> T:
    """What `ask` returns on rank 0, where alone it is called."""
    if num_processes() == 1:
        return ask()
    found: list[Any] = [ask() if distributed.get_rank() == 0 else None]
    distributed.broadcast_object_list(found)
    return found[0]


def balancing_loss_of_all(load_KE: torch.Tensor, share_KE: torch.Tensor, num_tokens: torch.Tensor) -> torch.Tensor:
    """The balancing loss of all processes' tokens together, as each process's part of a mean over processes.

    Load and share enter as a product, so the mean of the processes' own losses would be another loss.
    `num_tokens` are this process's.
    """
    if num_processes() == 1:
        return balancing_loss(load_KE, share_KE)
    part = num_tokens / summed(num_tokens)
    return num_processes() * balancing_loss(summed(load_KE * part), share_KE * part)


def engine_arguments(world: World, *, max_grad_norm: float, batch_size: int, accumulation: int) -> dict[str, Any]:
    """What TrainingArguments are told about the processes."""
    if world.engine == "none":
        return {}
    found: dict[str, Any] = {
        "ddp_backend": "nccl" if world.device.startswith("cuda") else "gloo",
        # A process whose rows hold no image leaves the tower without gradients.
        "ddp_find_unused_parameters": True,
    }
    if world.engine == "zero3":
        found["deepspeed"] = zero3_settings(
            max_grad_norm=max_grad_norm,
            batch_size=batch_size,
            accumulation=accumulation,
            bf16=world.device.startswith("cuda"),
        )
    return found


def zero3_settings(*, max_grad_norm: float, batch_size: int, accumulation: int, bf16: bool) -> dict[str, Any]:
    """DeepSpeed's settings: ZeRO stage 3 (arXiv 1910.02054), nothing offloaded. `batch_size` is one process's.

    They are `zero3.json` beside this file, with the recipe's own values where that says `auto`. The consolidated
    model is written at the end and with each checkpoint, hence its gathering.
    """
    settings: dict[str, Any] = json.loads(_ZERO3.read_text(encoding="utf-8"))
    settings |= {
        "train_micro_batch_size_per_gpu": batch_size,
        "gradient_accumulation_steps": accumulation,
        "gradient_clipping": max_grad_norm,
        "bf16": {"enabled": bf16},
    }
    settings["zero_optimization"]["overlap_comm"] &= bf16  # there is nothing to overlap with on a CPU
    return settings


def shard(model: OslerForConditionalGeneration, *, world: World) -> None:
    """Give each process its part of every layer, in place (FSDP2). Optimizers are made afterwards.

    Rank 0's weights are what all get; the others' model may have none (the meta device), so that a machine holds the
    whole model once.
    """
    policy = MixedPrecisionPolicy()
    if world.device.startswith("cuda"):
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    weights = model.state_dict() if world.rank == 0 else {}
    buffers = dict(model.named_buffers()) if world.rank == 0 else {}
    model.to("meta")
    mesh = distributed.device_mesh.init_device_mesh(torch.device(world.device).type, (world.size,))
    for layer in [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    model.to_empty(device=world.device)
    set_model_state_dict(model, weights, options=StateDictOptions(full_state_dict=True, broadcast_from_rank0=True))
    for name, buffer in model.named_buffers():  # those that no state dict holds, such as rotary frequencies
        if world.rank == 0:
            buffer.copy_(buffers[name])
        distributed.broadcast(buffer, 0)


def whole_model(
    model: OslerForConditionalGeneration, weights: dict[str, torch.Tensor]
) -> OslerForConditionalGeneration:
    """A plain model on the CPU that holds `weights`; for saving, not for running (its buffers are empty)."""
    with torch.device("meta"):
        plain = OslerForConditionalGeneration(model.config)
    plain.load_state_dict({name: each.cpu() for name, each in weights.items()}, assign=True)
    return plain


def gathered_weights(model: OslerForConditionalGeneration) -> dict[str, torch.Tensor]:
    """All weights of an FSDP2 model, on rank 0's CPU; empty on the others. Every process must call it."""
    if not isinstance(model, FSDPModule):
        raise TypeError("only a sharded model has weights to gather")
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    return get_model_state_dict(model, options=options)

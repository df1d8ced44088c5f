"""What several processes are refused, share and add up, as far as one process can tell."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from osler.core.errors import InputError
from osler.model.compose import balancing_loss
from osler.train import parallel
from osler.train.parallel import World, balancing_loss_of_all, check, engine_arguments, zero3_settings


@pytest.mark.parametrize(
    ("engine", "num_started", "batch_size", "message"),
    [
        ("none", 2, 8, "2 processes were started.*engine is none"),
        ("ddp", None, 8, "torchrun did not start this process.*accelerate launch --cpu"),
        ("fsdp2", None, 8, "would train alone"),
        ("ddp", 3, 8, "8 rows a step cannot be shared evenly by 3"),
    ],
)
def test_what_would_run_otherwise_is_refused(
    engine: str, num_started: int | None, batch_size: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check(engine, num_started=num_started, batch_size=batch_size)


def test_zero3_without_deepspeed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="deepspeed is not installed.*fsdp2"):
        check("zero3", num_started=2, batch_size=8)


@pytest.mark.parametrize(("engine", "num_started"), [("none", None), ("none", 1), ("ddp", 1), ("fsdp2", 4)])
def test_what_fits_is_let_through(engine: str, num_started: int | None) -> None:
    check(engine, num_started=num_started, batch_size=8)


def test_the_parts_of_the_balancing_loss_have_the_mean_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes of unequal numbers of tokens, played one after the other."""
    random = torch.Generator().manual_seed(0)
    loads, shares = torch.rand(2, 3, 4, generator=random), torch.rand(2, 3, 4, generator=random)
    tokens = torch.tensor([30, 10])
    parts = tokens / tokens.sum()
    whole = balancing_loss((loads * parts[:, None, None]).sum(0), (shares * parts[:, None, None]).sum(0))
    monkeypatch.setattr(parallel, "num_processes", lambda: 2)
    sums = {1: lambda value: tokens.sum(), 12: lambda value: (loads * parts[:, None, None]).sum(0)}
    monkeypatch.setattr(parallel, "summed", lambda value: sums[value.numel()](value))
    each = [balancing_loss_of_all(loads[rank], shares[rank], tokens[rank]) for rank in (0, 1)]
    torch.testing.assert_close(torch.stack(each).mean(), whole)


def test_one_process_is_told_nothing_about_others() -> None:
    assert engine_arguments(World("none", 1, 0, "cpu"), max_grad_norm=1.0, batch_size=2, accumulation=1) == {}
    assert parallel.num_processes() == 1
    assert parallel.told_by_first(lambda: 7) == 7
    assert torch.equal(parallel.summed(torch.ones(2)), torch.ones(2))


def test_zero3_shards_everything_and_can_write_the_whole() -> None:
    settings = zero3_settings(max_grad_norm=0.5, batch_size=2, accumulation=3, bf16=True)
    assert settings["zero_optimization"]["stage"] == 3
    assert settings["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"]
    assert (settings["gradient_clipping"], settings["train_micro_batch_size_per_gpu"]) == (0.5, 2)
    assert settings["bf16"] == {"enabled": True}
    assert "deepspeed" not in sys.modules


def test_the_shipped_zero3_file_is_what_is_told_but_for_the_recipe_s_own_values() -> None:
    shipped = json.loads(Path(parallel.__file__).with_name("zero3.json").read_text())
    settings = zero3_settings(max_grad_norm=0.5, batch_size=2, accumulation=3, bf16=True)
    own = {"train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping", "bf16"}
    assert {key for key in settings if settings[key] != shipped[key]} == own == set(_with_auto(shipped))
    assert settings.keys() == shipped.keys()
    on_cpu = zero3_settings(max_grad_norm=0.5, batch_size=2, accumulation=3, bf16=False)
    assert on_cpu["bf16"] == {"enabled": False} and on_cpu["zero_optimization"]["overlap_comm"] is False


def _with_auto(settings: dict[str, Any]) -> list[str]:
    return [key for key, value in settings.items() if value in ("auto", {"enabled": "auto"})]

"""What is counted between two log entries."""

import math

import pytest
import torch

from osler.model.compose import OslerCausalLMOutput
from osler.train.tally import Tally


def batch(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    return {
        "document_ids": torch.tensor([[0, 0, 0, 1], [0, 0, 0, -1]]),
        "labels": torch.tensor([[-100, 1, 2, 3], [-100, 4, -100, -100]]),
        "pixel_values": torch.zeros(3, 3, 8, 8),
        **changes,
    }


def outputs(losses: list[float], load: list[list[float]] | None = None) -> OslerCausalLMOutput:
    return OslerCausalLMOutput(
        token_losses=torch.tensor(losses), router_load=None if load is None else torch.tensor(load)
    )


def test_losses_are_told_apart_by_source_and_weighed_by_labels() -> None:
    tally = Tally(("films", "text", "unseen"))
    sources = torch.tensor([[0, 0, 0, 1], [1, 1, 1, -1]])
    tally.add(batch(), outputs([1.0, 2.0, 3.0, 5.0]), source_ids_BT=sources, aux_loss=torch.tensor(2.0))
    tally.add(batch(), outputs([3.0, 2.0, 3.0, 5.0]), source_ids_BT=sources, aux_loss=torch.tensor(4.0))
    found = tally.read()
    assert found["loss/films"] == 2.0
    assert found["loss/text"] == 4.0
    assert "loss/unseen" not in found
    assert found["token_loss"] == 3.0
    assert found["aux_loss"] == 3.0
    assert tally.read() == {}


def test_fill_tokens_and_tiles_are_those_of_a_forward_pass() -> None:
    tally = Tally(())
    tally.add(batch(), outputs([1.0] * 4), source_ids_BT=None, aux_loss=None)
    dummy = batch(pixel_values=torch.zeros(1, 3, 8, 8), num_dummy_tiles=torch.tensor(1))
    tally.add(dummy, outputs([1.0] * 4), source_ids_BT=None, aux_loss=None)
    found = tally.read()
    assert (found["fill"], found["tokens"], found["tiles"]) == (7 / 8, 7.0, 1.5)


def test_router_balance_is_the_busiest_expert_over_the_mean() -> None:
    tally = Tally(())
    load = [[0.5, 0.5, 0.5, 0.5], [1.0, 1.0, 0.0, 0.0]]
    tally.add(batch(), outputs([1.0] * 4, load), source_ids_BT=None, aux_loss=None)
    found = tally.read()
    assert found["router_max_load/0"] == pytest.approx(1.0)
    assert found["router_max_load/1"] == pytest.approx(2.0)


def test_a_batch_without_labels_counts_as_nothing() -> None:
    tally = Tally(("films",))
    labels = torch.full((2, 4), -100)
    tally.add(batch(labels=labels), outputs([]), source_ids_BT=torch.zeros(2, 4, dtype=torch.long), aux_loss=None)
    found = tally.read()
    assert found["token_loss"] == 0.0
    assert not math.isnan(found["fill"])

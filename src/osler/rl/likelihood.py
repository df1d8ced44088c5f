"""How likely a model is to say given replies: replies to one question are branches of a row that share its words.

Axes: R rows, T tokens of a row, L reply tokens, V vocabulary, K layers, E experts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from osler.model.attention import PADDING
from osler.model.compose import OslerForConditionalGeneration, balancing_loss, router_use
from osler.rl.questions import Question
from osler.rl.rollout import seen

# Logits held at once, as in training: 0.5 GiB in float32.
_CHUNK_LOGITS = 2**27


class Likelihood(NamedTuple):
    """Of each reply's tokens, in order: log-probabilities and, without gradient, entropies of the draw.

    aux_loss: the experts' balancing loss, if asked for.
    """

    logps: list[torch.Tensor]
    entropies: list[torch.Tensor]
    aux_loss: torch.Tensor | None


@dataclass
class _Row:
    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)


def likelihood(
    model: OslerForConditionalGeneration,
    asked: Sequence[tuple[Question, Sequence[int]]],
    *,
    temperature: float,
    row_tokens: int,
    with_aux_loss: bool = False,
) -> Likelihood:
    """The likelihood of each (question, reply).

    Args:
        model: the policy or its reference.
        asked: replies as token ids; those to one and the same question object share a row.
        temperature: that the logits are divided by, as in the draw.
        row_tokens: a row is closed before it exceeds this; flash kernels take one reply a row.
        with_aux_loss: whether the routers' use is asked for.
    """
    alone = str(model.config.text_config._attn_implementation).startswith("flash_attention")
    rows, owners, starts = _rows(asked, row_tokens=0 if alone else row_tokens)
    length = max(len(row.ids) for row in rows)
    device = model.device
    documents = torch.tensor([[0] * len(row.ids) + [PADDING] * (length - len(row.ids)) for row in rows], device=device)
    extra: dict[str, Any] = {"output_router_logits": True} if with_aux_loss else {}
    outputs = model.model(
        _padded([row.ids for row in rows], length, 0, device),
        position_ids=_padded([row.positions for row in rows], length, 0, device),
        branch_ids=_padded([row.branches for row in rows], length, 0, device),
        document_ids=documents,
        use_cache=False,
        **seen(model, owners),
        **extra,
    )
    places, targets = _places(asked, starts, length)
    hidden_LD = outputs.last_hidden_state.flatten(0, 1)[torch.tensor(places, device=device)]
    logps_L, entropies_L = _scores(model.lm_head, hidden_LD, torch.tensor(targets, device=device), temperature)
    sizes = [len(reply) for _, reply in asked]
    aux_loss = None
    if with_aux_loss:
        experts = model.config.text_config.num_experts_per_tok
        aux_loss = balancing_loss(*router_use(outputs.router_logits, experts, documents.flatten() >= 0))
    return Likelihood(list(logps_L.split(sizes)), list(entropies_L.split(sizes)), aux_loss)


def _rows(
    asked: Sequence[tuple[Question, Sequence[int]]], *, row_tokens: int
) -> tuple[list[_Row], list[Question], list[tuple[int, int, int]]]:
    """The rows, the question of each, and of each reply its row, where it begins there, and where its question ends."""
    rows: list[_Row] = []
    owners: list[Question] = []
    starts: list[tuple[int, int, int]] = []
    last: dict[int, int] = {}
    for question, reply in asked:
        prefix, said = question.ids, list(reply[:-1])  # nothing follows the last token, so it need not be read
        number = last.get(id(question))
        if number is None or len(rows[number].ids) + len(said) > row_tokens:
            number = last[id(question)] = len(rows)
            rows.append(_Row(list(prefix), list(range(len(prefix))), [0] * len(prefix)))
            owners.append(question)
        row = rows[number]
        starts.append((number, len(row.ids), len(prefix) - 1))
        branch = row.branches[-1] + 1
        row.ids += said
        row.positions += range(len(prefix), len(prefix) + len(said))
        row.branches += [branch] * len(said)
    return rows, owners, starts


def _places(
    asked: Sequence[tuple[Question, Sequence[int]]], starts: Sequence[tuple[int, int, int]], length: int
) -> tuple[list[int], list[int]]:
    """Of each reply token: the flat place of the token before it, which foretells it, and the token."""
    places: list[int] = []
    targets: list[int] = []
    for (_, reply), (row, begin, before) in zip(asked, starts, strict=True):
        places += [row * length + before, *range(row * length + begin, row * length + begin + len(reply) - 1)]
        targets += reply
    return places, targets


def _scores(
    head: nn.Module, hidden_LD: torch.Tensor, targets_L: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    size = max(1, _CHUNK_LOGITS // int(head.out_features))
    if len(targets_L) <= size:
        return _chunk_scores(head, hidden_LD, targets_L, temperature)
    parts = [
        checkpoint(_chunk_scores, head, *chunk, temperature, use_reentrant=False)
        for chunk in zip(hidden_LD.split(size), targets_L.split(size), strict=True)
    ]
    return torch.cat([logps for logps, _ in parts]), torch.cat([entropies for _, entropies in parts])


def _chunk_scores(
    head: nn.Module, hidden_LD: torch.Tensor, targets_L: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    logits_LV = head(hidden_LD).float() / temperature
    logps_L = -F.cross_entropy(logits_LV, targets_L, reduction="none")
    with torch.no_grad():
        all_LV = logits_LV.log_softmax(-1)
        entropies_L = -(all_LV.exp() * all_LV).sum(-1)
    return logps_L, entropies_L


def _padded(rows: list[list[int]], length: int, value: int, device: torch.device) -> torch.Tensor:
    return torch.tensor([row + [value] * (length - len(row)) for row in rows], device=device)

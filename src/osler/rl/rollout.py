"""Replies drawn from the model: each question is read once, and its replies are written side by side.

Axes: P questions, B replies, T tokens, V vocabulary, N tiles, M image tokens a tile, D channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase
from transformers.modeling_outputs import BaseModelOutputWithPooling

from osler.model.compose import OslerForConditionalGeneration
from osler.rl.questions import Question


@dataclass(frozen=True)
class Drawing:
    """How a reply is drawn. temperature 0 takes the likeliest token; `banned_ids` are never said."""

    max_new_tokens: int
    temperature: float
    end_id: int
    pad_id: int
    banned_ids: tuple[int, ...]


def drawing(
    tokenizer: PreTrainedTokenizerBase, image_token_id: int, *, max_new_tokens: int, temperature: float
) -> Drawing:
    """The settings for a tokenizer.

    An image token that was said would ask for an image that is not there; padding stands for what was not said.
    """
    end_id, pad_id = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
    return Drawing(max_new_tokens, temperature, end_id, pad_id, (image_token_id, pad_id))


def seen(model: OslerForConditionalGeneration, questions: Sequence[Question]) -> dict[str, Any]:
    """What the model is told of the questions' images, in order; each distinct one passes the tower once."""
    tiles: list[torch.Tensor] = []
    known: dict[str, range] = {}
    places: list[int] = []
    num_tiles = 0
    for question in questions:
        for name, cut in zip(question.pictures, question.tiles, strict=True):
            if name not in known:
                known[name] = range(num_tiles, num_tiles + len(cut))
                num_tiles += len(cut)
                tiles.append(cut)
            places += known[name]
    if not tiles:
        return {}
    features_NMD = model.get_image_features(torch.cat(tiles).to(model.device)).pooler_output
    images = features_NMD[torch.tensor(places, device=model.device)]
    return {"mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=images)}}


@torch.no_grad()
def roll_out(
    model: OslerForConditionalGeneration,
    questions: Sequence[Question],
    *,
    num_replies: int,
    drawing: Drawing,
    random: torch.Generator,
) -> list[list[int]]:
    """`num_replies` replies to each question, in order, the end token included where one was said.

    The same weights, questions and state of `random` give the same replies.
    """
    was_training = model.training
    model.eval()
    logits, cache, mask_BT = _read(model, questions, num_replies=num_replies, pad_id=drawing.pad_id)
    replies: list[list[int]] = [[] for _ in range(len(mask_BT))]
    rows = list(range(len(replies)))  # of each row of the batch, which reply it writes
    for place in range(drawing.max_new_tokens):
        token_B = _draw(logits, drawing, random)
        for row, token in zip(rows, token_B.tolist(), strict=True):
            if not _has_ended(replies[row], drawing):
                replies[row].append(token)
        unended = [n for n, row in enumerate(rows) if not _has_ended(replies[row], drawing)]
        if not unended or place + 1 == drawing.max_new_tokens:
            break
        if len(unended) <= len(rows) // 2:  # a few long replies must not be paid for by all
            kept = torch.tensor(unended, device=model.device)
            cache.batch_select_indices(kept)
            rows, token_B, mask_BT = [rows[n] for n in unended], token_B[kept], mask_BT[kept]
        mask_BT = torch.cat([mask_BT, torch.ones_like(mask_BT[:, :1])], dim=1)
        outputs = model(
            input_ids=token_B[:, None],
            attention_mask=mask_BT,
            position_ids=mask_BT.sum(1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
        )
        logits = outputs.logits[:, -1]
    model.train(was_training)
    return replies


def _read(
    model: OslerForConditionalGeneration, questions: Sequence[Question], *, num_replies: int, pad_id: int
) -> tuple[torch.Tensor, Any, torch.Tensor]:
    """Each question read once: logits [B, V] of the first token of each reply, the cache, and the mask [B, T]."""
    device = model.device
    length = max(len(question.ids) for question in questions)
    ids_PT = torch.tensor([[pad_id] * (length - len(q.ids)) + q.ids for q in questions], device=device)
    mask_PT = torch.tensor([[0] * (length - len(q.ids)) + [1] * len(q.ids) for q in questions], device=device)
    outputs = model(
        input_ids=ids_PT,
        attention_mask=mask_PT,
        position_ids=(mask_PT.cumsum(1) - 1).clamp(min=0),
        **seen(model, questions),
        use_cache=True,
        logits_to_keep=1,
    )
    cache = outputs.past_key_values
    cache.batch_repeat_interleave(num_replies)
    logits_BV = outputs.logits[:, -1].repeat_interleave(num_replies, 0)
    return logits_BV, cache, mask_PT.repeat_interleave(num_replies, 0)


def _has_ended(reply: list[int], drawing: Drawing) -> bool:
    return bool(reply) and reply[-1] == drawing.end_id


def _draw(logits_BV: torch.Tensor, drawing: Drawing, random: torch.Generator) -> torch.Tensor:
    logits_BV = logits_BV.float()
    logits_BV[:, list(drawing.banned_ids)] = -torch.inf
    if drawing.temperature == 0:
        return logits_BV.argmax(-1)
    return torch.multinomial((logits_BV / drawing.temperature).softmax(-1), 1, generator=random)[:, 0]

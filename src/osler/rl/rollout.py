"""Replies drawn from the model: each question is read once, and its replies are written side by side.

Axes: P questions, B replies, T tokens, N tiles, M image tokens a tile, D channels.
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
    device = model.device
    length = max(len(question.ids) for question in questions)
    ids_PT = torch.tensor([[drawing.pad_id] * (length - len(q.ids)) + q.ids for q in questions], device=device)
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
    mask_BT = mask_PT.repeat_interleave(num_replies, 0)
    logits = outputs.logits[:, -1].repeat_interleave(num_replies, 0)
    written: list[torch.Tensor] = []
    ended_B = torch.zeros(len(mask_BT), dtype=torch.bool, device=device)
    while True:
        token_B = _draw(logits, drawing, random).masked_fill(ended_B, drawing.pad_id)
        written.append(token_B)
        ended_B |= token_B == drawing.end_id
        if len(written) == drawing.max_new_tokens or bool(ended_B.all()):
            break
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
    return [_until_end(row, drawing.end_id) for row in torch.stack(written, dim=1).tolist()]


def _draw(logits_BV: torch.Tensor, drawing: Drawing, random: torch.Generator) -> torch.Tensor:
    logits_BV = logits_BV.float()
    logits_BV[:, list(drawing.banned_ids)] = -torch.inf
    if drawing.temperature == 0:
        return logits_BV.argmax(-1)
    return torch.multinomial((logits_BV / drawing.temperature).softmax(-1), 1, generator=random)[:, 0]


def _until_end(ids: list[int], end_id: int) -> list[int]:
    return ids[: ids.index(end_id) + 1] if end_id in ids else ids

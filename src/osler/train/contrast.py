"""Contrastive losses over pairs of pictures and words, in chunks and over several processes.

Axes: B this process's pairs, N the pairs of all processes, C H W pixels, T tokens, E channels of the joint space.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.distributed.nn.functional import all_gather
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from osler.model.dual import START_BIAS, START_SCALE, Pair, image_embeddings, text_embeddings
from osler.train.parallel import num_processes, summed

# CLIP's bound: the temperature's logarithm stays below it, or the loss of large batches becomes unstable.
MAX_SCALE = math.log(100.0)


class Contrast(nn.Module):
    """Both towers under a contrastive loss.

    Args:
        pair: the towers, trained in place.
        loss: `infonce` or `sigmoid`.
        chunk_pairs: pairs whose activations are held at once; None holds all of them.
        mask_same: pairs with the same words or the same picture are not each other's negatives.
        is_new: the temperature and the bias start afresh, as the loss's paper says.
    """

    def __init__(
        self, pair: Pair, *, loss: str, chunk_pairs: int | None = None, mask_same: bool = True, is_new: bool = True
    ) -> None:
        super().__init__()
        self.model = pair.model
        self.config = pair.model.config
        self.mean, self.std = pair.mean, pair.std
        self.loss = loss
        self.chunk_pairs = chunk_pairs
        self.mask_same = mask_same
        scale = self.model.logit_scale
        if is_new:
            scale.data.fill_(START_SCALE[loss])
        if loss == "sigmoid":
            self._take_bias(is_new)
        self.figures = Figures()

    @property
    def bias(self) -> nn.Parameter | None:
        """What the sigmoid loss adds to each logit; SigLIP's model has its own, CLIP's has none."""
        if self.loss != "sigmoid":
            return None
        return self.model.logit_bias if hasattr(self.model, "logit_bias") else self.logit_bias

    def forward(
        self,
        pixel_values: torch.Tensor,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *,
        pair_ids: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """The loss of uint8 pictures [B, 3, H, W] and tokens [B, T], as this process's part of a mean over processes.

        `pair_ids` [B, 2] int64 tell equal words (first column) and equal pictures (second).
        """
        self.clamp()
        tokens = {"input_ids": input_ids, **({} if attention_mask is None else {"attention_mask": attention_mask})}
        images_BE = F.normalize(self._in_chunks(self._images, {"pixels": pixel_values}), dim=-1)
        texts_BE = F.normalize(self._in_chunks(self._texts, tokens), dim=-1)
        images_NE, texts_NE, ids_N2 = _of_all(images_BE), _of_all(texts_BE), _ids_of_all(pair_ids)
        first = _rank() * len(pair_ids)
        same_BN = _same(pair_ids, ids_N2, first=first) if self.mask_same else None
        scale = self.model.logit_scale.exp()
        to_texts_BN, to_images_BN = (
            scale * rows @ all_.T for rows, all_ in ((images_BE, texts_NE), (texts_BE, images_NE))
        )
        if self.loss == "sigmoid":
            loss = sigmoid_loss(to_texts_BN + self.bias, same_BN, first=first)
        else:
            loss = (info_nce(to_texts_BN, same_BN, first=first) + info_nce(to_images_BN, same_BN, first=first)) / 2
        self.figures.count(to_texts_BN, to_images_BN, same_BN, first=first, log_scale=self.model.logit_scale)
        return {"loss": loss}

    def clamp(self) -> None:
        """Hold the temperature within CLIP's bounds, as the published code does after each step."""
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, MAX_SCALE)

    def settle(self) -> None:
        """Write what the towers' own file has no place for into their configuration. Call it before saving."""
        self.clamp()
        if self.loss == "sigmoid" and not hasattr(self.model, "logit_bias"):
            self.model.config.logit_bias = float(self.logit_bias.detach())

    def _take_bias(self, is_new: bool) -> None:
        if hasattr(self.model, "logit_bias"):
            if is_new:
                self.model.logit_bias.data.fill_(START_BIAS)
            return
        start = START_BIAS if is_new else getattr(self.config, "logit_bias", None) or START_BIAS
        self.logit_bias = nn.Parameter(torch.tensor(start))

    def _images(self, pixels: torch.Tensor) -> torch.Tensor:
        mean, std = (torch.tensor(each, device=pixels.device).view(1, 3, 1, 1) for each in (self.mean, self.std))
        return image_embeddings(self.model, (pixels.float() / 255 - mean) / std).float()

    def _texts(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        mask = {} if attention_mask is None else {"attention_mask": attention_mask}
        return text_embeddings(self.model, {"input_ids": input_ids, **mask}).float()

    def _in_chunks(self, encode: Callable[..., torch.Tensor], inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Embeddings, of which a chunk's activations are made a second time when its gradient is asked for.

        That is gradient caching: a first pass without a graph, the loss over all embeddings, a second pass chunk by
        chunk with the gradient of the loss by the chunk's embeddings. Dropout draws the same numbers in both.
        """
        size = self.chunk_pairs
        number = len(next(iter(inputs.values())))
        if size is None or size >= number or not torch.is_grad_enabled():
            return encode(*inputs.values())
        starts = range(0, number, size)
        chunks = [tuple(each[start : start + size] for each in inputs.values()) for start in starts]
        return torch.cat([checkpoint(encode, *chunk, use_reentrant=False) for chunk in chunks])


def info_nce(logits_BN: torch.Tensor, same_BN: torch.Tensor | None, *, first: int) -> torch.Tensor:
    """Cross-entropy of each row against its own column, `first` + row; columns that are the same are left out."""
    if same_BN is not None:
        logits_BN = logits_BN.masked_fill(same_BN, -torch.inf)
    own_B = torch.arange(first, first + len(logits_BN), device=logits_BN.device)
    return F.cross_entropy(logits_BN, own_B)


def sigmoid_loss(logits_BN: torch.Tensor, same_BN: torch.Tensor | None, *, first: int) -> torch.Tensor:
    """Each picture with each text is a question of yes or no; summed over texts, averaged over pictures."""
    signs_BN = -torch.ones_like(logits_BN)
    rows_B = torch.arange(len(logits_BN), device=logits_BN.device)
    signs_BN[rows_B, first + rows_B] = 1.0
    costs_BN = -F.logsigmoid(signs_BN * logits_BN)
    if same_BN is not None:
        costs_BN = costs_BN.masked_fill(same_BN, 0.0)
    return costs_BN.sum(1).mean()


class Figures(TrainerCallback):
    """What a log entry says beside the loss, since the last one: how often a picture found its words among the step's.

    `image_to_text` and `text_to_image` are shares of pairs, `logit_scale` what cosines are multiplied by.
    """

    def __init__(self) -> None:
        self._sums: torch.Tensor | None = None
        self._scale = 0.0

    def count(
        self,
        to_texts_BN: torch.Tensor,
        to_images_BN: torch.Tensor,
        same_BN: torch.Tensor | None,
        *,
        first: int,
        log_scale: torch.Tensor,
    ) -> None:
        """Add a step; nothing is copied off the device."""
        own_B = torch.arange(first, first + len(to_texts_BN), device=to_texts_BN.device)
        hits = []
        for logits in (to_texts_BN, to_images_BN):
            shown = logits.detach() if same_BN is None else logits.detach().masked_fill(same_BN, -torch.inf)
            hits.append((shown.argmax(1) == own_B).sum())
        counts = torch.stack([*hits, torch.tensor(len(own_B), device=own_B.device)]).double()
        self._sums = counts if self._sums is None else self._sums + counts
        self._log_scale = log_scale

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the figures into the entry of the steps' loss."""
        logs: dict[str, Any] = kwargs["logs"]
        if "loss" not in logs or self._sums is None:
            return
        images, texts, pairs = summed(self._sums).tolist()
        self._sums = None
        found = {
            "image_to_text": images / pairs,
            "text_to_image": texts / pairs,
            "logit_scale": float(self._log_scale.detach().exp()),
        }
        logs.update(found)
        if state.log_history:
            state.log_history[-1].update(found)


def _of_all(own: torch.Tensor) -> torch.Tensor:
    """The rows of all processes in their order; the gradient comes back from every process's loss."""
    return own if num_processes() == 1 else torch.cat(list(all_gather(own)))


def _ids_of_all(own: torch.Tensor) -> torch.Tensor:
    if num_processes() == 1:
        return own
    found = [torch.empty_like(own) for _ in range(num_processes())]
    torch.distributed.all_gather(found, own)
    return torch.cat(found)


def _rank() -> int:
    return torch.distributed.get_rank() if num_processes() > 1 else 0


def _same(own_B2: torch.Tensor, all_N2: torch.Tensor, *, first: int) -> torch.Tensor:
    """[B, N]: is another pair one of the same words or of the same picture?"""
    same_BN = (own_B2[:, None] == all_N2[None]).any(-1)
    rows_B = torch.arange(len(own_B2), device=own_B2.device)
    same_BN[rows_B, first + rows_B] = False
    return same_BN

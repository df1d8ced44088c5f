"""DPO on TRL: pairs of replies as TRL's trainer takes them, with the start model as reference.

Axes: B sequences, the chosen ones first, T tokens, N tiles, C H W pixels.
"""

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import SequentialSampler
from transformers import PreTrainedTokenizerBase
from trl import DPOConfig, DPOTrainer

from osler.model.compose import OslerForConditionalGeneration, checkpoint_layers
from osler.model.processor import OslerProcessor
from osler.rl.course import Course
from osler.rl.preference import Pair
from osler.rl.questions import Questions
from osler.train.trainer import optimizer, train_on


class PairCollator:
    """Turns pair numbers into a batch; a pure function of the numbers.

    Args:
        questions: of each pair, by its number.
        pairs: the replies.
        tokenizer: the model's own.
    """

    def __init__(self, questions: Questions, pairs: Sequence[Pair], tokenizer: PreTrainedTokenizerBase) -> None:
        self.questions = questions
        self.pairs = pairs
        self.tokenizer = tokenizer

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask`, `completion_mask` int64 [B, T], padded right; `pixel_values` [N, C, H, W].

        The first half of the rows are the chosen replies, the second the rejected ones to the same questions.
        """
        numbers = [feature["row"] for feature in features]
        rows: list[tuple[list[int], int]] = []
        tiles: list[torch.Tensor] = []
        for side in ("chosen", "rejected"):
            for number in numbers:
                question = self.questions[number]
                reply = self.tokenizer.encode(getattr(self.pairs[number], side), add_special_tokens=False)
                rows.append(([*question.ids, *reply, int(self.tokenizer.eos_token_id)], len(question.ids)))
                tiles += question.tiles
        length = max(len(ids) for ids, _ in rows)
        pad_id = int(self.tokenizer.pad_token_id)
        batch = {
            "input_ids": torch.tensor([ids + [pad_id] * (length - len(ids)) for ids, _ in rows]),
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (length - len(ids)) for ids, _ in rows]),
            "completion_mask": torch.tensor(
                [[0] * begin + [1] * (len(ids) - begin) + [0] * (length - len(ids)) for ids, begin in rows]
            ),
        }
        if tiles:
            batch["pixel_values"] = torch.cat(tiles)
        return batch


def items(order: Sequence[int]) -> Dataset:
    """Pair numbers in order. TRL leaves a dataset alone, and its batches to the collator, where it has images."""
    return Dataset.from_dict({"row": list(map(int, order)), "images": [[] for _ in order]})


class PairTrainer(DPOTrainer):
    """DPOTrainer over planned pairs, in their order."""

    def _get_train_sampler(self, *given: Any, **options: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)


def fit_pairs(
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    collate: PairCollator,
    course: Course,
    beta: float,
    loss_type: str,
    reference: OslerForConditionalGeneration,
) -> None:
    """Train on pairs, from the last whole checkpoint if there is one.

    Args:
        course: its order names the pairs as they are shown, its batch is the pairs of one forward pass.
        beta, loss_type: see `DpoConfig`.
        reference: the start, frozen.
    """
    schedule = course.schedule
    has_experts = hasattr(model.config.text_config, "router_aux_loss_coef")
    arguments = DPOConfig(
        **schedule.arguments(course.out, course.world(model.device)),
        beta=beta,
        loss_type=[loss_type],
        max_length=None,
        disable_dropout=False,
        gradient_checkpointing=False,  # done by `checkpoint_layers`
        router_aux_loss_coef=schedule.router_aux_coef if has_experts else None,
    )
    if schedule.checkpointing == "full":
        checkpoint_layers(model)
    trainer = PairTrainer(
        model=model,
        ref_model=reference,
        args=arguments,
        data_collator=collate,
        train_dataset=items(course.order),
        processing_class=processing,
        optimizers=(optimizer(course.param_groups), None),
        callbacks=course.callbacks(),
    )
    train_on(trainer, course.out)

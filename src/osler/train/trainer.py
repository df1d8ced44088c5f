"""The trainers: TRL's SFTTrainer for packed rows, and transformers' Trainer for the tower warm-up."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import nn
from transformers import PrinterCallback, Trainer, TrainingArguments
from trl import SFTConfig, SFTTrainer

from osler.core.log import Log
from osler.model.attention import PADDING
from osler.model.compose import OslerForConditionalGeneration
from osler.model.processor import OslerProcessor
from osler.train.callbacks import MetricsFile, ProgressBar, WholeCheckpoints, last_whole_checkpoint


@dataclass(frozen=True)
class Schedule:
    """Plain values of `ScheduleConfig`, plus the batch size."""

    steps: int
    batch_size: int
    warmup_ratio: float
    min_lr_ratio: float
    gradient_accumulation: int
    max_grad_norm: float
    checkpoint_every: int
    log_every: int
    num_workers: int
    seed: int
    device: str

    @property
    def num_items(self) -> int:
        """Dataset items that the run will read."""
        return self.steps * self.batch_size * self.gradient_accumulation

    def arguments(self, out: Path) -> dict[str, Any]:
        """Arguments that TrainingArguments and SFTConfig share."""
        return {
            "output_dir": str(out / "checkpoints"),
            "max_steps": self.steps,
            "per_device_train_batch_size": self.batch_size,
            "gradient_accumulation_steps": self.gradient_accumulation,
            "max_grad_norm": self.max_grad_norm,
            "lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": self.min_lr_ratio},
            "warmup_steps": round(self.steps * self.warmup_ratio),
            "save_steps": self.checkpoint_every,
            # The last but one is kept: the newest counts only once its marker is written.
            "save_total_limit": 2,
            "logging_steps": self.log_every,
            "dataloader_num_workers": self.num_workers,
            "seed": self.seed,
            "use_cpu": self.device == "cpu",
            "bf16": self.device != "cpu",
            "remove_unused_columns": False,
            # The plan is the order: a sampler that shuffled again would undo the packing.
            "train_sampling_strategy": "sequential",
            "disable_tqdm": True,
            # By default a loss of NaN is logged as 0.
            "logging_nan_inf_filter": False,
            "report_to": "none",
        }


class PackedTrainer(SFTTrainer):
    """SFTTrainer over packed rows.

    The loss is the model's own: over label positions only, normalised by the labels of the global batch, so
    that a long answer weighs by its tokens whichever row it fell into.
    """

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """Cross-entropy plus the experts' balancing loss times its coefficient."""
        outputs = model(
            **inputs,
            num_items_in_batch=num_items_in_batch,
            output_router_logits=self.aux_loss_enabled or None,
            use_cache=False,
        )
        loss = outputs.loss
        if num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # the count is global, and gradients are averaged over ranks
        metrics = self._metrics["train" if self.model.training else "eval"]
        if outputs.aux_loss is not None and self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss / self.args.gradient_accumulation_steps
            metrics["aux_loss"].append(outputs.aux_loss.item())
        real = inputs["document_ids"] != PADDING
        metrics["fill"].append(real.float().mean().item())
        metrics["tokens"].append(real.sum().item())
        metrics["tiles"].append(len(inputs.get("pixel_values", ())))
        return (loss, outputs) if return_outputs else loss


def fit_packed(
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    collate: Callable[[Any], dict[str, torch.Tensor]],
    param_groups: list[dict[str, Any]],
    schedule: Schedule,
    router_aux_coef: float,
    out: Path,
    log: Log,
) -> None:
    """Train on planned rows, from the last whole checkpoint if there is one."""
    arguments = SFTConfig(
        **schedule.arguments(out),
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        activation_checkpointing=False,
        router_aux_loss_coef=router_aux_coef if hasattr(model.config.text_config, "router_aux_loss_coef") else None,
    )
    trainer = PackedTrainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=Dataset.from_dict({"row": range(schedule.num_items)}),
        processing_class=processing,
        optimizers=(_optimizer(param_groups), None),
        callbacks=_callbacks(out, log),
    )
    _train(trainer, out)


def fit_plain(
    model: nn.Module,
    *,
    collate: Callable[[Any], dict[str, torch.Tensor]],
    param_groups: list[dict[str, Any]],
    schedule: Schedule,
    out: Path,
    log: Log,
) -> None:
    """Train any module whose forward returns a dict with `loss`, from the last whole checkpoint if there is one."""
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**schedule.arguments(out)),
        data_collator=collate,
        train_dataset=Dataset.from_dict({"row": range(schedule.num_items)}),
        optimizers=(_optimizer(param_groups), None),
        callbacks=_callbacks(out, log),
    )
    _train(trainer, out)


def _optimizer(param_groups: list[dict[str, Any]]) -> torch.optim.AdamW:
    return torch.optim.AdamW(param_groups, betas=(0.9, 0.999), eps=1e-8, fused=True)


def _callbacks(out: Path, log: Log) -> list[Any]:
    return [WholeCheckpoints(), MetricsFile(out / "metrics.jsonl"), ProgressBar(log, out.name)]


def _train(trainer: Trainer, out: Path) -> None:
    trainer.remove_callback(PrinterCallback)  # the bar and metrics.jsonl say it already
    checkpoint = last_whole_checkpoint(out / "checkpoints")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

"""The trainers: TRL's SFTTrainer for packed rows, and transformers' Trainer for the tower warm-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainingArguments
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from trl import SFTConfig, SFTTrainer

from osler.core.log import Log
from osler.model.attention import PADDING
from osler.model.compose import IGNORED_LABEL, OslerForConditionalGeneration
from osler.model.processor import OslerProcessor
from osler.train.callbacks import callbacks, last_whole_checkpoint
from osler.train.meter import Meter
from osler.train.parallel import World, balancing_loss_of_all, engine_arguments, num_processes, summed, told_by_first
from osler.train.tally import Tally

Batch = dict[str, torch.Tensor]
Collate = Callable[[Any], Batch]


@dataclass(frozen=True)
class Schedule:
    """Plain values of `ScheduleConfig`, plus the rows of a forward pass, the seed and where to report."""

    steps: int
    warmup_ratio: float
    min_lr_ratio: float
    gradient_accumulation: int
    max_grad_norm: float
    weight_decay: float
    router_aux_coef: float
    checkpoint_every: int
    log_every: int
    num_workers: int
    checkpointing: str
    eval_every: int | None
    eval_rows: int
    keep_best: dict[str, str] | None
    early_stop: dict[str, int] | None
    batch_size: int
    seed: int
    report_to: tuple[str, ...]

    @property
    def num_items(self) -> int:
        """Dataset items that the run will read."""
        return self.steps * self.batch_size * self.gradient_accumulation

    @property
    def num_eval_items(self) -> int:
        """Items of one evaluation: `eval_rows`, made up to whole forward passes."""
        return -(-self.eval_rows // self.batch_size) * self.batch_size

    @property
    def num_kept(self) -> int:
        """Checkpoints on disk: the newest counts only once its marker is written, so the last but one is kept."""
        return 3 if self.keep_best else 2

    @property
    def cosine(self) -> dict[str, Any]:
        """How the learning rate moves, as transformers names it."""
        return {
            "lr_scheduler_type": "cosine_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": self.min_lr_ratio},
            "warmup_steps": round(self.steps * self.warmup_ratio),
        }

    def arguments(self, out: Path, world: World) -> dict[str, Any]:
        """Arguments that TrainingArguments and SFTConfig share."""
        batch_size = self.batch_size // world.size
        found: dict[str, Any] = {
            "output_dir": str(out / "checkpoints"),
            "max_steps": self.steps,
            "per_device_train_batch_size": batch_size,
            "per_device_eval_batch_size": batch_size,
            "gradient_accumulation_steps": self.gradient_accumulation,
            "max_grad_norm": self.max_grad_norm,
            **self.cosine,
            "save_steps": self.checkpoint_every,
            "save_total_limit": self.num_kept,
            "restore_callback_states_from_checkpoint": bool(self.early_stop),
            "logging_steps": self.log_every,
            "dataloader_num_workers": self.num_workers,
            "seed": self.seed,
            "use_cpu": world.device == "cpu",
            "bf16": world.device != "cpu",
            "remove_unused_columns": False,
            # The plan is the order: a sampler that shuffled again would undo the packing.
            "train_sampling_strategy": "sequential",
            "disable_tqdm": True,
            # By default a loss of NaN is logged as 0.
            "logging_nan_inf_filter": False,
            # TensorBoard's callback is our own: it writes to out/logs.
            "report_to": [name for name in self.report_to if name != "tensorboard"] or "none",
        }
        if self.eval_every is not None:
            found |= {"eval_strategy": "steps", "eval_steps": self.eval_every}
        if self.keep_best is not None:
            found["load_best_model_at_end"] = True
            found["metric_for_best_model"] = self.keep_best["metric"]
            found["greater_is_better"] = self.keep_best["mode"] == "max"
        return found | engine_arguments(
            world,
            max_grad_norm=self.max_grad_norm,
            batch_size=batch_size,
            accumulation=self.gradient_accumulation,
        )


@dataclass(frozen=True)
class Feed:
    """What is read.

    Args:
        train, evaluation: item numbers to batches.
        sources: what the batches' `source_ids` number, for training and for evaluation.
        meter: counts what is trained on.
    """

    train: Collate
    sources: tuple[str, ...] = ()
    evaluation: Collate | None = None
    eval_sources: tuple[str, ...] = ()
    meter: Meter | None = None


class PackedTrainer(SFTTrainer):
    """SFTTrainer over packed rows.

    The loss is the model's own: over label positions only, normalised by the labels of the global batch, so
    that a long answer weighs by its tokens whichever row it fell into.
    """

    optimizer: torch.optim.Optimizer | None
    control: TrainerControl

    def __init__(self, *, feed: Feed, optimizer: torch.optim.Optimizer, **options: Any) -> None:
        self.given_optimizer = optimizer
        super().__init__(data_collator=feed.train, optimizers=(optimizer, None), **options)
        self.feed = feed
        self.tally = Tally(feed.sources)
        self.eval_tally = Tally(feed.eval_sources)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """The given one: under DeepSpeed the trainer forgets it, and with it each part's learning rate."""
        self.optimizer = self.optimizer or self.given_optimizer
        return self.optimizer

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """Cross-entropy plus the experts' balancing loss times its coefficient."""
        if self.model.training and self.feed.meter is not None:
            self.feed.meter.count(inputs)
        coefficient = self.router_aux_loss_coef if self.aux_loss_enabled and self.model.training else None
        loss, outputs = packed_loss(
            model,
            inputs,
            num_items=num_items_in_batch,
            aux_coef=None if coefficient is None else coefficient / self.args.gradient_accumulation_steps,
            tally=self.tally if self.model.training else self.eval_tally,
        )
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: Mapping[str, float | None], start_time: float | None = None) -> None:
        """The trainer's entry, with what was tallied since the last one."""
        found = dict(logs)
        if "loss" in found:
            found |= without_token_loss(self.tally.read())
            found |= self.feed.meter.figures() if self.feed.meter is not None else {}
        super().log(found, start_time)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the evaluation rows: the mean over all their labels, whichever batch they fell into."""
        dataset = self.eval_dataset
        loader = DataLoader(
            dataset,
            batch_size=self.args.per_device_eval_batch_size,
            collate_fn=self.feed.evaluation,
            num_workers=self.args.dataloader_num_workers,
        )
        self.model_wrapped.eval()
        with torch.no_grad():
            for batch in self.accelerator.prepare_data_loader(loader):
                self.compute_loss(self.model_wrapped, self._prepare_inputs(batch))
        metrics = eval_metrics(self.eval_tally)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.model_wrapped.train()
        return metrics

    def _get_num_items_in_batch(self, batch_samples: list[Batch], device: torch.device) -> torch.Tensor | None:
        return num_items(batch_samples, device) if batch_samples else None


def packed_loss(
    model: nn.Module,
    batch: Batch,
    *,
    num_items: torch.Tensor | None,
    aux_coef: float | None,
    tally: Tally,
) -> tuple[torch.Tensor, Any]:
    """A batch's loss, as this process's part of a mean over processes, and the model's outputs.

    Args:
        batch: what the collator made.
        num_items: labels (or weights) of all processes' batches of this step; None takes this batch's.
        aux_coef: of the experts' balancing loss; None where there is none.
        tally: counts the batch.
    """
    batch = dict(batch)
    source_ids = batch.pop("source_ids", None)
    outputs = model(
        **batch,
        num_items_in_batch=num_items,
        output_router_logits=aux_coef is not None or None,
        use_cache=False,
    )
    # The count is global, and gradients are averaged over processes.
    loss = outputs.loss if num_items is None else outputs.loss * num_processes()
    aux_loss = None
    if aux_coef is not None and outputs.router_load is not None:
        num_tokens = (batch["document_ids"] != PADDING).sum()
        aux_loss = balancing_loss_of_all(outputs.router_load, outputs.router_share, num_tokens)
        loss = loss + aux_coef * aux_loss
    tally.add(batch, outputs, source_ids_BT=source_ids, aux_loss=aux_loss)
    return loss, outputs


def num_items(batches: list[Batch], device: Any) -> torch.Tensor:
    """Labels of all processes' batches, or the sum of their weights."""
    counts = []
    for batch in batches:
        scored = batch["labels"][:, 1:] != IGNORED_LABEL
        weights = batch.get("label_weights")
        counts.append(scored.sum() if weights is None else weights[:, 1:][scored].sum())
    return summed(torch.stack(counts).sum().to(device))


def without_token_loss(found: dict[str, float]) -> dict[str, float]:
    """A training entry holds the trainer's own `loss`."""
    return {name: value for name, value in found.items() if name != "token_loss"}


def eval_metrics(tally: Tally) -> dict[str, float]:
    """`eval_loss`, per label, in all and by source."""
    found = tally.read()
    by_source = {f"eval_{name}": value for name, value in found.items() if name.startswith("loss/")}
    return {"eval_loss": found["token_loss"], **by_source}


def fit_packed(
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    feed: Feed,
    param_groups: list[dict[str, Any]],
    schedule: Schedule,
    world: World,
    out: Path,
    log: Log,
) -> dict[str, torch.Tensor] | None:
    """Train on planned rows, from the last whole checkpoint if there is one.

    Returns rank 0's copy of all weights where the model itself no longer holds them whole, else None.
    """
    has_experts = hasattr(model.config.text_config, "router_aux_loss_coef")
    arguments = SFTConfig(
        **schedule.arguments(out, world),
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        # Done by `checkpoint_layers`, for all engines alike.
        activation_checkpointing=False,
        router_aux_loss_coef=schedule.router_aux_coef if has_experts else None,
    )
    trainer = PackedTrainer(
        feed=feed,
        model=model,
        args=arguments,
        train_dataset=items(schedule.num_items),
        eval_dataset=items(schedule.num_eval_items) if feed.evaluation else None,
        processing_class=processing,
        optimizer=optimizer(param_groups),
        callbacks=_callbacks(out, log, schedule, feed.meter),
    )
    train_on(trainer, out)
    if world.engine != "zero3":
        return None
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    # While transformers holds DeepSpeed's settings, every model that any process makes is sharded over all of them.
    unset_hf_deepspeed_config()
    return weights


def fit_plain(
    model: nn.Module,
    *,
    collate: Collate,
    param_groups: list[dict[str, Any]],
    schedule: Schedule,
    world: World,
    out: Path,
    log: Log,
    figures: TrainerCallback | None = None,
) -> None:
    """Train any module whose forward returns a dict with `loss`, from the last whole checkpoint if there is one.

    `figures` adds to the log's entries.
    """
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**schedule.arguments(out, world)),
        data_collator=collate,
        train_dataset=items(schedule.num_items),
        optimizers=(optimizer(param_groups), None),
        callbacks=_callbacks(out, log, schedule, figures),
    )
    train_on(trainer, out)


def items(number: int) -> Dataset:
    """Item numbers, which the collators turn into batches."""
    return Dataset.from_dict({"row": range(number)})


def optimizer(param_groups: list[dict[str, Any]]) -> torch.optim.AdamW:
    """AdamW with the published recipe's betas and epsilon."""
    return torch.optim.AdamW(param_groups, betas=(0.9, 0.999), eps=1e-8, fused=True)


def _callbacks(out: Path, log: Log, schedule: Schedule, meter: TrainerCallback | None = None) -> list[Any]:
    patience = schedule.early_stop["patience"] if schedule.early_stop else None
    return callbacks(out, log, report_to=schedule.report_to, patience=patience, meter=meter)


def train_on(trainer: Trainer, out: Path) -> None:
    """Train from the last whole checkpoint below `out` if there is one, else from the start."""
    trainer.remove_callback(PrinterCallback)  # the bar and metrics.jsonl say it already
    checkpoint = told_by_first(lambda: last_whole_checkpoint(out / "checkpoints"))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

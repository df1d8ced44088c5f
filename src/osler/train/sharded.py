"""Training whose model is in parts on several processes, with torch's own FSDP2.

The trainers have no such engine on a CPU (they take DDP without a word), so this is a loop of its own. It keeps
their schedule, loss, callbacks and files: a step here is a step there.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.tensor import DTensor
from torch.utils.data import DataLoader
from transformers import (
    DefaultFlowCallback,
    EarlyStoppingCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    get_scheduler,
)
from transformers.trainer_callback import CallbackHandler

from osler.core.log import Log
from osler.model.compose import OslerForConditionalGeneration
from osler.model.freeze import part_of
from osler.train.callbacks import callbacks, last_whole_checkpoint
from osler.train.parallel import World, gathered_weights, summed, told_by_first
from osler.train.tally import Tally
from osler.train.trainer import (
    Batch,
    Collate,
    Feed,
    Schedule,
    eval_metrics,
    items,
    num_items,
    optimizer,
    packed_loss,
    without_token_loss,
)

_STATE = "trainer_state.json"


def fit_sharded(
    model: OslerForConditionalGeneration,
    *,
    feed: Feed,
    param_groups: list[dict[str, Any]],
    schedule: Schedule,
    world: World,
    out: Path,
    log: Log,
) -> dict[str, torch.Tensor]:
    """Train a model that `parallel.shard` has split, from the last whole checkpoint if there is one.

    Returns all weights on rank 0, nothing on the others.
    """
    run = _Run(model, feed=feed, param_groups=param_groups, schedule=schedule, world=world, out=out, log=log)
    folder = told_by_first(lambda: last_whole_checkpoint(out / "checkpoints"))
    if folder:
        run.load(folder)
        run.load_state(folder)
    run.follow("on_train_begin")
    while run.state.global_step < schedule.steps and not run.control.should_training_stop:
        run.step()
    run.follow("on_train_end")
    if schedule.keep_best and run.state.best_model_checkpoint:
        run.load(Path(run.state.best_model_checkpoint))
    return gathered_weights(model)


@dataclass
class _Best:
    """Which metric is watched; `is_better` compares a new value with the best."""

    metric: str
    mode: str

    def is_better(self, new: float, best: float | None) -> bool:
        return best is None or (new > best if self.mode == "max" else new < best)


class _Run:
    """One training under way."""

    def __init__(
        self,
        model: nn.Module,
        *,
        feed: Feed,
        param_groups: list[dict[str, Any]],
        schedule: Schedule,
        world: World,
        out: Path,
        log: Log,
    ) -> None:
        self.model, self.feed, self.schedule, self.world = model, feed, schedule, world
        self.folder = out / "checkpoints"
        self.optimizer = optimizer(param_groups)
        self.rates = _rates(self.optimizer, schedule)
        self.tally, self.eval_tally = Tally(feed.sources), Tally(feed.eval_sources)
        self.has_experts = hasattr(model.config.text_config, "router_aux_loss_coef")
        self.args = TrainingArguments(**schedule.arguments(out, World("none", 1, world.rank, world.device)))
        self.state = TrainerState(max_steps=schedule.steps, is_world_process_zero=world.rank == 0)
        self.state.compute_steps(self.args, schedule.steps)
        self.control = TrainerControl()
        patience = schedule.early_stop["patience"] if schedule.early_stop else None
        watching = callbacks(out, log, report_to=schedule.report_to, patience=patience, meter=feed.meter)
        self.watching = CallbackHandler([DefaultFlowCallback(), *watching], model, None, self.optimizer, self.rates)
        self.batches: Iterator[Batch] | None = None

    def follow(self, event: str, *args: Any) -> None:
        """Tell the callbacks."""
        self.control = getattr(self.watching, event)(self.args, self.state, self.control, *args)

    def step(self) -> None:
        """One optimizer step, and what is due after it."""
        if self.batches is None:
            self.batches = self._train_batches()
            self.total, self.since = torch.zeros((), device=self.world.device), 0
        self.model.train()
        self.follow("on_step_begin")
        lot = [_moved(next(self.batches), self.world.device) for _ in range(self.schedule.gradient_accumulation)]
        count = num_items(lot, self.world.device)
        for batch in lot:
            if self.feed.meter is not None:
                self.feed.meter.count(batch)
            loss, _ = packed_loss(self.model, batch, num_items=count, aux_coef=self._aux_coef(), tally=self.tally)
            loss.backward()
            self.total += loss.detach()
        self._drop_pretended_gradients(lot)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.max_grad_norm)
        rate = self.rates.get_last_lr()[0]
        self.optimizer.step()
        self.rates.step()
        self.optimizer.zero_grad()
        self.state.global_step += 1
        self.since += 1
        self.follow("on_step_end")
        self._after(norm, rate)

    def _drop_pretended_gradients(self, lot: list[Batch]) -> None:
        """A step without any image leaves the tower alone, as it does in one process: zeros would move AdamW on."""
        tiles = sum(len(batch["pixel_values"]) - batch.get("num_dummy_tiles", 0) for batch in lot)
        if not summed(torch.as_tensor(tiles, device=self.world.device)):
            for name, parameter in self.model.named_parameters():
                if part_of(name) != "lm":
                    parameter.grad = None

    def load(self, folder: Path) -> None:
        """Weights, optimizer and schedule as they were written to `folder`."""
        state = self._checkpointed()
        checkpoint.load(state, checkpoint_id=folder)
        set_state_dict(self.model, self.optimizer, model_state_dict=state["model"], optim_state_dict=state["optimizer"])
        self.rates.load_state_dict(state["rates"])
        torch.set_rng_state(state["random"])

    def _checkpointed(self) -> dict[str, Any]:
        """What a checkpoint holds, as it is now."""
        model, moments = get_state_dict(self.model, self.optimizer)
        return {
            "model": model,
            "optimizer": moments,
            "rates": self.rates.state_dict(),
            "random": torch.get_rng_state(),
        }

    def load_state(self, folder: Path) -> None:
        """What was logged and watched before the checkpoint in `folder`."""
        self.state = TrainerState.load_from_json(str(folder / _STATE))
        self.state.is_world_process_zero = self.world.rank == 0
        for callback in self._stateful():
            for name, value in self.state.stateful_callbacks[type(callback).__name__]["attributes"].items():
                setattr(callback, name, value)

    def _stateful(self) -> list[Any]:
        return [each for each in self.watching.callbacks if isinstance(each, EarlyStoppingCallback)]

    def _save(self) -> None:
        folder = self.folder / f"checkpoint-{self.state.global_step}"
        checkpoint.save(self._checkpointed(), checkpoint_id=folder)
        if self.state.best_global_step == self.state.global_step:
            self.state.best_model_checkpoint = str(folder)
        self.state.stateful_callbacks = {type(each).__name__: each.state() for each in self._stateful()}
        if self.world.rank == 0:
            self.state.save_to_json(str(folder / _STATE))
            self._remove_old()
        self.follow("on_save")

    def _remove_old(self) -> None:
        steps = sorted(int(each.name.rpartition("-")[2]) for each in self.folder.glob("checkpoint-*"))
        for step in steps[: -self.schedule.num_kept]:
            folder = self.folder / f"checkpoint-{step}"
            if str(folder) != self.state.best_model_checkpoint:
                shutil.rmtree(folder)

    def _after(self, norm: torch.Tensor, rate: float) -> None:
        if self.control.should_log:
            mean = summed(self.total).item() / self.world.size / self.since
            self.total, self.since = torch.zeros_like(self.total), 0
            norm = norm.full_tensor() if isinstance(norm, DTensor) else norm
            entry = {"loss": mean, "grad_norm": norm.item(), "learning_rate": rate}
            figures = self.feed.meter.figures() if self.feed.meter is not None else {}
            self._log(entry | without_token_loss(self.tally.read()) | figures)
        if self.control.should_evaluate:
            self._evaluate()
        if self.control.should_save:
            self._save()

    def _log(self, entry: dict[str, float]) -> None:
        self.state.epoch = self.state.global_step / self.schedule.steps
        entry["epoch"] = self.state.epoch
        self.state.log_history.append({**entry, "step": self.state.global_step})
        self.follow("on_log", entry)

    def _evaluate(self) -> None:
        if self.feed.evaluation is None:
            return
        self.model.eval()
        with torch.no_grad():
            for batch in self._batches(self.feed.evaluation, self.schedule.num_eval_items, first=0):
                moved = _moved(batch, self.world.device)
                packed_loss(self.model, moved, num_items=None, aux_coef=None, tally=self.eval_tally)
        metrics = eval_metrics(self.eval_tally)
        self._log(dict(metrics))
        self.follow("on_evaluate", metrics)
        if self.schedule.keep_best:
            best = _Best(**self.schedule.keep_best)
            if best.is_better(metrics[best.metric], self.state.best_metric):
                self.state.best_metric, self.state.best_global_step = metrics[best.metric], self.state.global_step

    def _train_batches(self) -> Iterator[Batch]:
        first = self.state.global_step * self.schedule.gradient_accumulation * self.schedule.batch_size
        return self._batches(self.feed.train, self.schedule.num_items, first=first)

    def _batches(self, collate: Collate, number: int, *, first: int) -> Iterator[Batch]:
        """This process's part of each forward pass: the rank-th run of neighbours."""
        whole, part = self.schedule.batch_size, self.schedule.batch_size // self.world.size
        starts = range(first + self.world.rank * part, number, whole)
        lots = [list(range(start, start + part)) for start in starts]
        dataset = items(number)
        return iter(DataLoader(dataset, batch_sampler=lots, collate_fn=collate, num_workers=self.schedule.num_workers))

    def _aux_coef(self) -> float | None:
        coefficient = self.schedule.router_aux_coef
        return coefficient / self.schedule.gradient_accumulation if self.has_experts and coefficient else None


def _rates(optimizer: torch.optim.Optimizer, schedule: Schedule) -> torch.optim.lr_scheduler.LRScheduler:
    cosine = schedule.cosine
    return get_scheduler(
        cosine["lr_scheduler_type"],
        optimizer,
        num_warmup_steps=cosine["warmup_steps"],
        num_training_steps=schedule.steps,
        scheduler_specific_kwargs=cosine["lr_scheduler_kwargs"],
    )


def _moved(batch: Batch, device: str) -> Batch:
    return {name: each.to(device) for name, each in batch.items()}

"""The meter: counts of a packed batch, rates over this process's own steps, and what is not known stays empty."""

from types import SimpleNamespace

import pytest
import torch

from osler.core.log import Log
from osler.train.flops import causal_pairs, flops_per_step, passes, shape_of
from osler.train.gpus import GIB
from osler.train.meter import Meter, peak_memory_gib
from osler.train.rows import Document
from plan_models import published_config

SHAPE = shape_of(published_config())
ALL = passes(vision=True, projector=True, lm=True)
PEAK = 1e15


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def batch():
    """Two rows of 8: documents of 5 and 2 tokens, the first with two branches; then one of 4. Two real tiles."""
    return {
        "document_ids": torch.tensor([[0, 0, 0, 0, 0, 1, 1, -1], [0, 0, 0, 0, -1, -1, -1, -1]]),
        "branch_ids": torch.tensor([[0, 0, 1, 2, 2, 0, 1, 0], [0, 0, 1, 1, 0, 0, 0, 0]]),
        "position_ids": torch.tensor([[0, 1, 2, 2, 3, 0, 1, 0], [0, 1, 2, 3, 0, 0, 0, 0]]),
        "labels": torch.tensor([[-100, -100, 7, -100, 7, -100, 7, -100], [-100, -100, -100, 7] + [-100] * 4]),
        "pixel_values": torch.zeros(3, 3, 2, 2),
        "num_dummy_tiles": torch.tensor(1),
    }


class Run:
    """What a trainer does with its callbacks."""

    def __init__(self, meter, clock, history=()):
        self.meter, self.clock = meter, clock
        self.state = SimpleNamespace(log_history=list(history), global_step=len(history))

    def step(self, seconds, *, batches=1, waits=0.0):
        self.clock.now += waits
        self.meter.on_step_begin(None, self.state, None)
        for _ in range(batches):
            self.meter.count(batch())
        self.clock.now += seconds
        self.state.global_step += 1
        self.meter.on_step_end(None, self.state, None)

    def log(self, **entry):
        logs = entry or {"loss": 1.0}
        self.state.log_history.append({**logs, "step": self.state.global_step})
        self.meter.on_log(None, self.state, None, logs=logs)
        return logs


@pytest.fixture
def clock():
    return Clock()


def run(clock, history=(), **changes):
    options = {"peak_flops": PEAK, "clock": clock, **changes}
    shape, passed = options.pop("shape", SHAPE), options.pop("passed", ALL)
    return Run(Meter(shape, passed, **options), clock, history)


def test_rates_are_those_of_the_steps_since_the_last_entry(clock):
    running = run(clock)
    running.step(2.0)
    running.step(2.0, batches=2)
    found = running.log()
    assert found["tokens_per_s"] == 3 * 11 / 4
    assert found["tiles_per_s"] == 3 * 2 / 4, "a dummy tile is none"
    assert found["samples_per_s"] == 3 * 4 / 4, "branches 1 and 2, 1, and 1 of the second row"
    assert running.state.log_history[-1] == {**found, "step": 2}
    running.step(1.0)
    assert running.log()["tokens_per_s"] == 11


def test_mfu_counts_what_each_token_sees_and_the_labels_alone_at_the_head(clock):
    running = run(clock)
    running.step(1.0)
    pairs = causal_pairs([3, 2, 4], SHAPE.window)
    shared = 2 * 0 + (3 + 4)  # the second branch goes on from the prefix of 2: it sees 3, then 4 tokens
    pairs = type(pairs)(pairs.full + shared, pairs.window + shared)
    flops = flops_per_step(SHAPE, 11, 2, passed=ALL, pairs=pairs, head_tokens=4)
    assert running.log()["mfu"] == pytest.approx(flops / PEAK)


def test_the_counts_are_those_of_a_real_batch(clock, collator, selection):
    made = collator([(Document(0, (0, 1)), Document(0, (5,)))])([{"row": 0}])
    meter = run(clock).meter
    meter.on_step_begin(None, None, None)
    meter.count(made)
    clock.now += 1
    found = meter.figures()
    assert found["samples_per_s"] == 3
    assert found["tokens_per_s"] == (made["document_ids"] >= 0).sum().item()
    assert found["tiles_per_s"] == len(made["pixel_values"])


def test_what_is_not_known_is_empty_never_zero(clock):
    for changes in ({"peak_flops": None}, {"shape": None, "passed": None}):
        running = run(clock, **changes)
        running.step(1.0)
        assert running.log()["mfu"] is None


def test_saving_and_evaluating_take_no_part_but_waiting_for_data_does(clock):
    running = run(clock)
    running.step(1.0)
    for event in (running.meter.on_save, running.meter.on_evaluate):
        clock.now += 50
        event(None, running.state, None)
    running.step(1.0, waits=2.0)
    assert running.log()["tokens_per_s"] == 2 * 11 / 4


def test_a_resumed_run_leaves_the_entries_before_alone(clock):
    before = [{"loss": 2.0, "step": 1, "tokens_per_s": 5.0}, {"loss": 1.9, "step": 2}]
    running = run(clock, history=[dict(entry) for entry in before])
    clock.now += 1000  # loading the checkpoint
    running.step(1.0)
    assert running.log()["tokens_per_s"] == 11
    assert running.state.log_history[:2] == before


def test_entries_without_a_loss_and_without_steps_get_nothing(clock):
    running = run(clock)
    assert "tokens_per_s" not in running.log()
    running.step(1.0)
    for entry in ({"eval_loss": 1.0}, {"train_runtime": 3.0}):
        assert running.log(**entry) == entry
    assert running.log()["tokens_per_s"] == 11, "the step still counts for the next loss"
    assert running.meter.figures() == {}


def test_a_trainer_may_write_the_figures_itself(clock):
    running = run(clock)
    running.step(1.0)
    logs = {"loss": 1.0, **running.meter.figures()}
    running.step(1.0)
    running.meter.on_log(None, running.state, None, logs=dict(logs))
    assert running.meter.figures()["tokens_per_s"] == 11, "the second step was not swallowed"


def test_memory_is_that_of_the_process(clock):
    running = run(clock)
    running.step(1.0)
    assert running.log()["memory_gib"] == peak_memory_gib(torch.device("cpu"))
    assert 0.05 < peak_memory_gib(torch.device("cpu")) < 64 and GIB == 2**30


def test_in_a_real_training_every_entry_has_them(store_folder, tmp_path, monkeypatch):
    """Hung into the trainer's callbacks and its loss, as the trainer does."""
    import json

    from osler.train import run as training
    from osler.train import trainer

    meter = Meter(SHAPE, ALL, peak_flops=None)
    plain, loss = trainer._callbacks, trainer.PackedTrainer.compute_loss

    def counted(self, model, inputs, *args, **options):
        meter.count(inputs)
        return loss(self, model, inputs, *args, **options)

    monkeypatch.setattr(trainer, "_callbacks", lambda *given: [meter, *plain(*given)])
    monkeypatch.setattr(trainer.PackedTrainer, "compute_loss", counted)
    recipe = {
        "stage": "instruct", "model": {"family": "tiny"}, "data": [{"shards": str(store_folder)}],
        "schedule": {"steps": 3, "log_every": 1}, "pack": {"row_tokens": 300, "rows_per_step": 2},
    }  # fmt: skip
    training.run(training.parse(recipe), tmp_path, device="cpu", log=Log(quiet=True))
    entries = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    steps = [entry for entry in entries if "loss" in entry]
    assert len(steps) == 3
    for entry in steps:
        assert entry["tokens_per_s"] > 0 and entry["mfu"] is None and entry["memory_gib"] > 0

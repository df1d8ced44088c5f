"""`osler rl`: a model that learns from its own replies. The recipe's `method` says how."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.core.config import Recipe
from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_file, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.model import checkpoint, lora
from osler.model.compose import OslerForConditionalGeneration
from osler.model.freeze import param_groups
from osler.model.processor import OslerProcessor
from osler.rl.alarms import Alarms, Limits
from osler.rl.attempts import rows, try_attempts
from osler.rl.config import DpoConfig, GrpoConfig, JudgedConfig, RejectionConfig, SupervisedConfig
from osler.rl.course import Course
from osler.rl.dpo import PairCollator, fit_pairs
from osler.rl.grpo import Asking, Loss, fit_groups
from osler.rl.preference import places_of, read_pairs
from osler.rl.questions import Pool, Questions, draw_pool, order
from osler.rl.rejection import draw_replies, harvest, write_harvest
from osler.rl.reward import Panel
from osler.rl.rollout import drawing
from osler.rl.supervised import fit_answers
from osler.schema.sample import Sample
from osler.scoring.report_metrics.extract import Extractors
from osler.train.pack import Selection
from osler.train.run import start_model
from osler.train.sources import mixture_files, select_all
from osler.train.trainer import Schedule

METHODS: dict[str, type[Any]] = {
    "grpo": GrpoConfig,
    "dpo": DpoConfig,
    "rejection": RejectionConfig,
    "supervised": SupervisedConfig,
}
_ACCURACY = {"answer_correct": 1.0}
# Questions on which attempts to be paid without seeing are tried.
_NUM_TRIED = 64
_NO_JUDGE = "no reward of the recipe can judge its answer"

Trained = GrpoConfig | DpoConfig | SupervisedConfig
AnyConfig = Trained | RejectionConfig


def parse(recipe: Recipe) -> AnyConfig:
    """The recipe as its method's config."""
    name = recipe.get("method")
    if name not in METHODS:
        raise InputError(
            "recipe: key 'method' is missing" if name is None else f"recipe: unknown method {name!r}",
            expected=f"one of {', '.join(METHODS)}",
            fix=did_you_mean(str(name), METHODS),
        )
    config: AnyConfig = METHODS[name].parse(recipe)
    if isinstance(config, GrpoConfig):
        _check_evaluation(config)
    return config


def inputs(config: AnyConfig) -> list[Path]:
    """Folders and files that the method reads."""
    model = [config.model.folder] if config.model.folder else []
    data = (*config.data, *getattr(config, "eval_data", ()))
    folders = [each.shards / part for each in data for part in ("shards", "index")]
    pairs = [existing_file(path) for path in config.pairs] if isinstance(config, DpoConfig) else []
    return [*model, *folders, *mixture_files(data), *pairs]


def run(config: AnyConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Train, or draw replies, or go on where a run was cut."""
    methods: dict[type[Any], Callable[..., Outcome]] = {
        GrpoConfig: _grpo,
        DpoConfig: _dpo,
        RejectionConfig: _rejection,
        SupervisedConfig: _supervised,
    }
    return methods[type(config)](config, out, device=device, log=log)


def _grpo(config: GrpoConfig, out: Path, *, device: str, log: Log) -> Outcome:
    started, rollout, loss = _start(config, device), config.rollout, config.loss
    pass_size = rollout.prompts_per_step * rollout.replies_per_prompt // config.schedule.gradient_accumulation
    schedule = _schedule(config, pass_size)
    with _extracted(config, out, device) as extracted:
        asking, pool = _asking(config, started, Panel(config.rewards, extracted))
        tried = [asking.questions[number].sample for number in range(min(_NUM_TRIED, len(pool.places)))]
        _try_attempts(config, asking.panel, tried, out, log)
        num_asked = schedule.steps // loss.updates_per_rollout * rollout.prompts_per_step
        fit_groups(
            started.model,
            asking,
            course=_course(config, started, schedule, num_shown=num_asked, of=len(pool.places), out=out, log=log),
            loss=Loss(**loss.model_dump(), num_replies=rollout.replies_per_prompt),
            alarms=Alarms(Limits(**config.alarms.model_dump()), log),
            reference=_frozen(started.model) if loss.kl and config.model.lora is None else None,
        )
    counts = {"questions": len(pool.places), "asked": num_asked, "replies": num_asked * rollout.replies_per_prompt}
    return _finish(config, started, out, counts)


def _supervised(config: SupervisedConfig, out: Path, *, device: str, log: Log) -> Outcome:
    started = _start(config, device)
    schedule = _schedule(config, config.prompts_per_step)
    pool = draw_pool(started.selections, num_prompts=config.num_prompts, seed=config.seed)
    fit_answers(
        started.model,
        started.processing,
        selections=started.selections,
        places=pool.places,
        course=_course(config, started, schedule, of=len(pool.places), out=out, log=log),
    )
    return _finish(config, started, out, {"questions": len(pool.places), "answers": schedule.num_items})


def _dpo(config: DpoConfig, out: Path, *, device: str, log: Log) -> Outcome:
    started = _start(config, device)
    pairs = read_pairs(config.pairs)
    questions = Questions(started.selections, places_of(pairs, started.selections), started.processing)
    schedule = _schedule(config, config.pairs_per_step)
    reference = _frozen(started.model)  # before what learns is settled
    fit_pairs(
        started.model,
        started.processing,
        collate=PairCollator(questions, pairs, started.processing.tokenizer),
        course=_course(config, started, schedule, of=len(pairs), out=out, log=log),
        beta=config.beta,
        loss_type=config.loss_type,
        reference=reference,
    )
    return _finish(config, started, out, {"pairs": len(pairs), "shown": schedule.num_items})


def _rejection(config: RejectionConfig, out: Path, *, device: str, log: Log) -> Outcome:
    started, rollout = _start(config, device), config.rollout
    with _extracted(config, out, device) as extracted:
        asking, _ = _asking(config, started, Panel(config.rewards, extracted))
        drawn = draw_replies(
            started.model.eval(),
            asking,
            out,
            num_replies=rollout.replies_per_prompt,
            part_size=rollout.prompts_per_step,
            log=log,
        )
        found = harvest(asking, drawn, min_reward=config.min_reward, min_gap=config.min_gap)
    pictures = started.processing.image_processor
    sizes = {"tile_px": pictures.tile_px, "max_tiles": pictures.max_tiles}
    counts = write_harvest(asking, found, out, shard_records=config.shard_records, **sizes)
    if not found.kept:
        log.warn(f"no reply was worth {config.min_reward:g}: there are no shards, see {out / 'drops.parquet'}")
    message = f"{counts['samples']} samples and {counts['pairs']} pairs from {counts['questions']} questions: {out}"
    return Outcome(message, seeds={"seed": config.seed}, counts=counts)


@dataclass(frozen=True)
class Started:
    """A model on its device, and what it is asked from."""

    model: OslerForConditionalGeneration
    processing: OslerProcessor
    selections: list[Selection]


def _start(config: AnyConfig, device: str) -> Started:
    if config.model.folder is None:
        raise InputError(
            "recipe: model.folder is missing", expected="a model that can answer: the folder of an instruct stage"
        )
    selections = select_all(config.data, questions_per_image=1)
    model, processing = start_model(config.model, selections, seed=config.seed, device=device, empty=False)
    return Started(model.to(device), processing, selections)


def _frozen(model: OslerForConditionalGeneration) -> OslerForConditionalGeneration:
    return deepcopy(model).eval().requires_grad_(False)


def _extracted(config: JudgedConfig, out: Path, device: str) -> AbstractContextManager[Extractors]:
    return closing(Extractors(config.metric_weights, cache=out / "extractions.sqlite", device=device))


def _asking(config: JudgedConfig, started: Started, panel: Panel) -> tuple[Asking, Pool]:
    """What is asked, and the pool that it was drawn from; what no reward can judge is left out and counted."""

    def refuse(sample: Sample) -> str:
        return "" if panel.judges(sample) else _NO_JUDGE

    model, processing = started.model, started.processing
    pool = draw_pool(started.selections, num_prompts=config.num_prompts, seed=config.seed, refuse=refuse)
    held, eval_questions = config.rollout.prompts_per_step * 2, Questions([], [], processing)
    if isinstance(config, GrpoConfig) and config.eval_data:
        chosen = select_all(config.eval_data, questions_per_image=1)
        rows = config.schedule.eval_rows
        eval_pool = draw_pool(chosen, num_prompts=rows, seed=config.seed, refuse=refuse)
        eval_questions = Questions(chosen, eval_pool.places, processing, held=rows)
    max_new_tokens, temperature = config.rollout.max_new_tokens, config.rollout.temperature
    asking = Asking(
        questions=Questions(started.selections, pool.places, processing, held=held),
        eval_questions=eval_questions,
        panel=panel,
        accuracy=Panel(_ACCURACY, panel.extracted),
        tokenizer=processing.tokenizer,
        drawing=drawing(
            processing.tokenizer, model.config.image_token_id, max_new_tokens=max_new_tokens, temperature=temperature
        ),
        seed=config.seed,
        row_tokens=config.rollout.row_tokens,
    )
    return asking, pool


def _try_attempts(config: GrpoConfig, panel: Panel, samples: list[Sample], out: Path, log: Log) -> None:
    """Write `attempts.json`; what pays without seeing is said, or ends the run before it begins."""
    payments = try_attempts(panel, samples, max_tokens=config.rollout.max_new_tokens)
    write_json(out / "attempts.json", rows(payments))
    for payment in payments:
        if payment.pays:
            said = f"the rewards pay {payment.mean:.3f} for the attempt {payment.attempt!r}, more than for a guess"
            if config.alarms.action == "stop":
                raise InputError(said, expected=f"at most {payment.guess:.3f}", fix="Change the weights of rewards.")
            log.warn(f"{said} ({payment.guess:.3f}): see attempts.json")


def _schedule(config: Trained, batch_size: int) -> Schedule:
    options = config.schedule.model_dump()
    return Schedule(**options, batch_size=batch_size, seed=config.seed, report_to=config.report_to)


def _course(
    config: Trained, started: Started, schedule: Schedule, *, of: int, num_shown: int | None = None, out: Path, log: Log
) -> Course:
    """A course through `of` questions or pairs, of which as many are shown as the schedule has room for."""
    rates = {"vision_lr": config.vision_lr, "projector_lr": config.projector_lr, "lm_lr": config.lm_lr}
    return Course(
        order(of, num_shown or schedule.num_items, seed=config.seed).tolist(),
        param_groups(started.model, **rates, weight_decay=config.schedule.weight_decay),
        schedule,
        out,
        log,
    )


def _check_evaluation(config: GrpoConfig) -> None:
    if (config.schedule.eval_every is None) == bool(config.eval_data):
        raise InputError(
            "recipe: schedule.eval_every and eval_data go together",
            fix="Give both: what is asked, and after how many steps; or neither.",
        )


def _finish(config: Trained, started: Started, out: Path, counts: dict[str, int]) -> Outcome:
    if config.model.lora is not None:
        lora.merge(started.model)
    checkpoint.save(started.model, started.processing, out / "model")
    return Outcome(
        f"trained {config.schedule.steps} steps: {out / 'model'}",
        seeds={"seed": config.seed},
        counts={"steps": config.schedule.steps, **counts},
    )

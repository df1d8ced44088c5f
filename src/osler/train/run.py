"""`osler train`: a stage's recipe to a trained model folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.core.catalog import FAMILIES, STAGES
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.model import checkpoint
from osler.model.compose import OslerForConditionalGeneration
from osler.model.freeze import param_groups
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter, conversation_text
from osler.schema.sample import Sample
from osler.store.reader import Store, record_starts
from osler.train.collate import PackCollator
from osler.train.pack import Lengths, Row, Selection, plan_rows, select
from osler.train.stage import DataConfig, ModelConfig, PackConfig, ScheduleConfig, Stage
from osler.train.trainer import Schedule, fit_packed, fit_plain
from osler.train.warm import MaskCollator, PatchMasks

# Records read to train a tokenizer, and samples read to measure token lengths: enough for steady figures.
_TOKENIZER_RECORDS = 2000
_LENGTH_SAMPLES = 200


def parse(recipe: Recipe) -> Config:
    """The recipe as its stage's config."""
    if "stage" not in recipe:
        raise InputError("recipe: key 'stage' is missing", expected=f"one of {', '.join(STAGES.names())}")
    stage: Stage = STAGES.load(str(recipe["stage"]))
    return stage.config.parse(recipe)


def inputs(config: Any) -> list[Path]:
    """Folders that the stage reads."""
    model = [config.model.folder] if config.model.folder else []
    return [*model, *(data.shards / part for data in config.data for part in ("shards", "index"))]


def run(config: Any, out: Path, *, device: str, log: Log) -> Outcome:
    """Train, or go on from the last checkpoint, and write `model/` and `metrics.jsonl`."""
    stage: Stage = STAGES.load(config.stage)
    selections = _selections(config.data)
    model, processing = _start(config.model, selections, seed=config.seed, device=device)
    schedule = _schedule(config.schedule, batch_size=_batch_size(config), seed=config.seed, device=device)
    fit = {"next_token": _fit_next_token, "patch_masks": _fit_patch_masks}[stage.objective]
    fit(config, model, processing, selections=selections, schedule=schedule, out=out, log=log)
    checkpoint.save(model, processing, out / "model")
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    return Outcome(
        f"trained {schedule.steps} steps: {out / 'model'}",
        seeds={"seed": config.seed},
        counts={"parameters": num_parameters, "steps": schedule.steps},
    )


def _fit_next_token(
    config: Any,
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    selections: list[Selection],
    schedule: Schedule,
    out: Path,
    log: Log,
) -> None:
    pack: PackConfig = config.pack
    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    rows = plan_rows(
        selections,
        [_lengths(selection, prompter, processing) for selection in selections],
        num_rows=schedule.num_items,
        rows_per_step=pack.rows_per_step,
        row_tokens=pack.row_tokens,
        questions_per_image=pack.questions_per_image,
        seed=config.seed,
        window_shards=pack.window_shards,
    )
    groups = param_groups(
        model,
        vision_lr=config.vision_lr,
        projector_lr=config.projector_lr,
        lm_lr=config.lm_lr,
        weight_decay=config.schedule.weight_decay,
    )
    fit_packed(
        model,
        processing,
        collate=PackCollator(selections, rows, prompter=prompter, pictures=processing.image_processor),
        param_groups=groups,
        schedule=schedule,
        router_aux_coef=config.schedule.router_aux_coef,
        out=out,
        log=log,
    )


def _fit_patch_masks(
    config: Any,
    model: OslerForConditionalGeneration,
    processing: OslerProcessor,
    *,
    selections: list[Selection],
    schedule: Schedule,
    out: Path,
    log: Log,
) -> None:
    labels = _mask_labels(selections[0])
    rows: list[Row] = plan_rows(
        selections,
        [Lengths(1, 0, 0, processing.image_processor.tile_px, 1) for _ in selections],
        num_rows=schedule.num_items,
        rows_per_step=1,
        row_tokens=1,  # every record is a row of its own
        questions_per_image=1,
        seed=config.seed,
        window_shards=None,
    )
    module = PatchMasks(model, num_labels=len(labels))
    collate = MaskCollator(
        selections,
        rows,
        pictures=processing.image_processor,
        labels=labels,
        patch_px=model.config.vision_config.patch_size,
        min_coverage=config.min_coverage,
    )
    rates = {"vision_lr": config.vision_lr, "projector_lr": None, "lm_lr": None}
    groups = param_groups(model, **rates, weight_decay=config.schedule.weight_decay)
    groups.append({"params": list(module.head.parameters()), "lr": config.vision_lr, "weight_decay": 0.0})
    fit_plain(module, collate=collate, param_groups=groups, schedule=schedule, out=out, log=log)


def _selections(data: tuple[DataConfig, ...]) -> list[Selection]:
    return [
        select(
            Store(each.shards),
            split=each.split,
            tasks=each.tasks,
            licences=each.licences,
            weight=each.weight,
            withhold_images=each.withhold_images,
        )
        for each in data
    ]


def _start(
    start: ModelConfig, selections: list[Selection], *, seed: int, device: str
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    if (start.folder is None) == (start.family is None):
        raise InputError("recipe: model needs either 'folder' or 'family'")
    if start.folder is not None:
        return checkpoint.load(start.folder, device=device, attention=start.attention, experts=start.experts)
    family = FAMILIES.load(str(start.family))
    texts = (conversation_text(sample) for selection in selections for sample in _spread(selection))
    model, processing = family.build(texts, seed=seed)
    model.set_experts_implementation({"text_config": start.experts})
    return model.to(device), processing


def _spread(selection: Selection) -> Iterator[Sample]:
    """All samples of records spread evenly over a selection's whole split."""
    starts = record_starts(selection.table)
    chosen = starts[:: max(1, len(starts) // _TOKENIZER_RECORDS)]
    for row in selection.store.rows(selection.table, chosen):
        yield from selection.store.record_samples(row)


def _lengths(selection: Selection, prompter: Prompter, processing: OslerProcessor) -> Lengths:
    """Measure how the index's estimates relate to this tokenizer."""
    step = max(1, selection.table.num_rows // _LENGTH_SAMPLES)
    rows = selection.store.rows(selection.table, range(0, selection.table.num_rows, step))
    samples = selection.store.samples(rows)
    own, prefix = 0, 0
    for sample in samples:
        ids = prompter.training(sample, [1] * len(sample.media)).ids
        shared = prompter.prefix_length(ids)
        own += len(ids) - shared
        prefix = max(prefix, shared - processing.image_seq_length * len(sample.media))
    return Lengths(
        per_estimate=own / max(1, sum(row["text_tokens"] for row in rows)),
        prefix=prefix,
        per_tile=processing.image_seq_length,
        tile_px=processing.image_processor.tile_px,
        max_tiles=processing.image_processor.max_tiles,
    )


def _mask_labels(selection: Selection) -> tuple[str, ...]:
    media = selection.store.sample(selection.store.rows(selection.table, [0])[0]).media
    if not media or media[0].mask is None:
        raise InputError("the tower can only be warmed on images with drawn masks", fix="Use phantom shards.")
    return media[0].mask.labels


def _batch_size(config: Any) -> int:
    return config.pack.rows_per_step if hasattr(config, "pack") else config.images_per_step


def _schedule(schedule: ScheduleConfig, *, batch_size: int, seed: int, device: str) -> Schedule:
    return Schedule(
        steps=schedule.steps,
        batch_size=batch_size,
        warmup_ratio=schedule.warmup_ratio,
        min_lr_ratio=schedule.min_lr_ratio,
        gradient_accumulation=schedule.gradient_accumulation,
        max_grad_norm=schedule.max_grad_norm,
        checkpoint_every=schedule.checkpoint_every,
        log_every=schedule.log_every,
        num_workers=schedule.num_workers,
        seed=seed,
        device=device,
    )

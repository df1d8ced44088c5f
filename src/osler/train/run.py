"""`osler train`: a stage's recipe to a trained model folder."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch

from osler.core.catalog import FAMILIES, STAGES
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import existing_folder, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.settings import read_settings
from osler.model import checkpoint, kernels, lora, parts
from osler.model.compose import OslerForConditionalGeneration, checkpoint_layers
from osler.model.family import Family
from osler.model.freeze import param_groups, part_of
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter, conversation_text
from osler.schema.sample import Sample
from osler.store.reader import record_starts
from osler.train.collate import PackCollator
from osler.train.fill_report import fill_report
from osler.train.flops import passes, shape_of
from osler.train.gpus import gpu_of_device
from osler.train.meter import Meter
from osler.train.pack import Lengths, Packing, Selection, plan, plan_rows
from osler.train.parallel import World, check, joined, shard, whole_model
from osler.train.plan import check_device
from osler.train.pretrain import Terms, Towers, pretrain
from osler.train.sharded import fit_sharded
from osler.train.sources import mixture_files, select_all
from osler.train.stage import MaskRecipe, ModelConfig, PairRecipe, PartsConfig, Stage, StageRecipe, TextRecipe
from osler.train.trainer import Feed, Schedule, fit_packed, fit_plain
from osler.train.warm import MaskCollator, PatchMasks

# Records read to train a tokenizer, and samples read to measure token lengths: enough for steady figures.
_TOKENIZER_RECORDS = 2000
_LENGTH_SAMPLES = 200

# Rank 0's copy of all weights, where no process holds the whole model.
Weights = dict[str, torch.Tensor] | None


def parse(recipe: Recipe) -> Config:
    """The recipe as its stage's config."""
    if "stage" not in recipe:
        raise InputError("recipe: key 'stage' is missing", expected=f"one of {', '.join(STAGES.names())}")
    stage: Stage = STAGES.load(str(recipe["stage"]))
    return stage.config.parse(recipe)


def inputs(config: StageRecipe | PairRecipe) -> list[Path]:
    """Folders that the stage reads."""
    if isinstance(config, PairRecipe):
        model, parts = Towers.of(config).folders, []
    else:
        model = [config.model.folder] if config.model.folder else []
        parts = list(_folders(config.model.parts).values()) if config.model.parts else []
    data = (*config.data, *getattr(config, "eval_data", ()))
    folders = [each.shards / part for each in data for part in ("shards", "index")]
    return [*model, *parts, *folders, *mixture_files(data)]


def run(config: StageRecipe | PairRecipe, out: Path, *, device: str, log: Log) -> Outcome:
    """Train, or go on from the last checkpoint, and write `model/` and `metrics.jsonl`.

    Where torchrun started several processes, each calls this; rank 0 alone writes beside the checkpoints.
    """
    stage: Stage = STAGES.load(config.stage)
    engine = config.parallel.engine if isinstance(config, TextRecipe | PairRecipe) else "none"
    check(engine, num_started=read_settings().num_processes, batch_size=_batch_size(config))
    _check_evaluation(config)
    if isinstance(config, PairRecipe):
        with joined(engine, device=device) as world:
            return _pretrain(config, world, out=out, log=log)
    _check_adapters(config, engine)
    with joined(engine, device=device) as world:
        if world.device.startswith("cuda") and isinstance(config, TextRecipe):
            gpu = torch.cuda.get_device_properties(world.device)
            check_device(config, gpu.name, gpu.total_memory, num_gpus=world.size, log=log)
        return _train(config, stage, world, out=out, log=log)


def _pretrain(config: PairRecipe, world: World, *, out: Path, log: Log) -> Outcome:
    """A pair of towers, pictures and words."""
    selections = select_all(config.data, questions_per_image=1)
    given: dict[str, Any] = {"schedule": _schedule(config), "world": world, "out": out, "log": log}
    num_parameters = pretrain(Towers.of(config), selections, Terms.of(config), **given)
    return _outcome(config, num_parameters, world, out)


def _schedule(config: StageRecipe | PairRecipe) -> Schedule:
    return Schedule(
        **config.schedule.model_dump(),
        batch_size=_batch_size(config),
        seed=config.seed,
        report_to=config.report_to,
    )


def _outcome(config: StageRecipe | PairRecipe, num_parameters: int, world: World, out: Path) -> Outcome:
    steps = config.schedule.steps
    return Outcome(
        f"trained {steps} steps: {out / 'model'}",
        seeds={"seed": config.seed},
        counts={"parameters": num_parameters, "steps": steps, "processes": world.size},
    )


def _train(config: StageRecipe, stage: Stage, world: World, *, out: Path, log: Log) -> Outcome:
    schedule = _schedule(config)
    selections = select_all(config.data, questions_per_image=_questions_per_image(config))
    # FSDP2 gives every process its part of what rank 0 holds.
    empty = world.engine == "fsdp2" and world.rank > 0
    model, processing = start_model(config.model, selections, seed=config.seed, device=world.device, empty=empty)
    if kernels.AUTO in {*config.model.attention.values(), config.model.experts} and world.rank == 0:
        log.info(f"auto: {kernels.in_use(model.config)}")
    if not world.is_sharded:  # else each process moves its part of a layer itself: whole, the model may not fit
        model.to(world.device)
    # A sharded model knows only its parts.
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    job = Job(model, processing, selections=selections, schedule=schedule, world=world, out=out, log=log)
    if stage.objective == "patch_masks":
        weights = _fit_patch_masks(cast(MaskRecipe, config), job)
    else:
        weights = _fit_next_token(cast(TextRecipe, config), job)
    if config.model.lora is not None:
        lora.merge(model)
    if world.rank == 0:
        checkpoint.save(model if weights is None else whole_model(model, weights), processing, out / "model")
    return _outcome(config, num_parameters, world, out)


@dataclass(frozen=True)
class Job:
    """What a stage trains, on what, and where it writes."""

    model: OslerForConditionalGeneration
    processing: OslerProcessor
    _: KW_ONLY
    selections: list[Selection]
    schedule: Schedule
    world: World
    out: Path
    log: Log


def _fit_next_token(config: TextRecipe, job: Job) -> Weights:
    model, world, schedule = job.model, job.world, job.schedule
    train, report = _packed(config, job, job.selections, num_rows=schedule.num_items)
    if world.rank == 0:
        write_json(job.out / "pack.json", report)
    evaluation = None
    if config.eval_data:
        chosen = select_all(config.eval_data, questions_per_image=config.pack.questions_per_image)
        evaluation, _ = _packed(config, job, chosen, num_rows=schedule.num_eval_items)
    if schedule.checkpointing == "full":
        checkpoint_layers(model)
    rates = {"vision_lr": config.vision_lr, "projector_lr": config.projector_lr, "lm_lr": config.lm_lr}
    param_groups(model, **rates, weight_decay=schedule.weight_decay)  # settles what learns, before it is split
    meter = _meter(model, world.device)
    if world.engine == "fsdp2":
        shard(model, world=world)
    groups = param_groups(model, **rates, weight_decay=schedule.weight_decay)
    feed = Feed(
        train=train,
        sources=train.sources,
        evaluation=evaluation,
        eval_sources=evaluation.sources if evaluation else (),
        meter=meter,
    )
    shared: dict[str, Any] = {
        "feed": feed,
        "param_groups": groups,
        "schedule": schedule,
        "world": world,
        "out": job.out,
        "log": job.log,
    }
    if world.engine == "fsdp2":
        return fit_sharded(model, **shared)
    return fit_packed(model, job.processing, **shared)


def _packed(
    config: TextRecipe, job: Job, selections: list[Selection], *, num_rows: int
) -> tuple[PackCollator, dict[str, Any]]:
    """The batches' maker, and the fill report of its rows."""
    pack, processing = config.pack, job.processing
    prompter = Prompter(processing.tokenizer, image_seq_length=processing.image_seq_length)
    packing = Packing(
        row_tokens=pack.row_tokens,
        row_tiles=pack.row_tiles,
        rows_per_step=pack.rows_per_step,
        questions_per_image=pack.questions_per_image,
        window_shards=pack.window_shards,
        order=pack.order,
        look_ahead=pack.look_ahead,
        overlong=pack.overlong,
    )
    lengths = [_lengths(selection, prompter, processing) for selection in selections]
    made = plan(selections, lengths, packing=packing, num_rows=num_rows, seed=config.seed)
    collate = PackCollator(
        selections,
        made.rows,
        prompter=prompter,
        pictures=processing.image_processor,
        loss_weight=pack.loss_weight,
        max_document_tokens=pack.row_tokens if pack.overlong == "cut" else None,
        # Else rows of words alone would reach no weight that learns, or leave one process waiting for the others.
        always_tiles=job.world.is_sharded or config.lm_lr is None,
    )
    return collate, fill_report(made, selections, packing)


def _meter(model: OslerForConditionalGeneration, device: str) -> Meter:
    """What a step costs follows from which parts learn; adapters leave their part's own weights alone."""
    learning = {
        part_of(name) for name, weight in model.named_parameters() if weight.requires_grad and ".lora_" not in name
    }
    gpu = gpu_of_device(torch.cuda.get_device_name(device)) if device.startswith("cuda") else None
    return Meter(
        shape_of(model.config),
        passes(vision="vision" in learning, projector="projector" in learning, lm="lm" in learning),
        peak_flops=gpu.peak_flops if gpu else None,
        device=device,
    )


def _fit_patch_masks(config: MaskRecipe, job: Job) -> Weights:
    selections, schedule, pictures = job.selections, job.schedule, job.processing.image_processor
    labels = _mask_labels(selections[0])
    rows = plan_rows(
        selections,
        [Lengths(1, 0, 0, pictures.tile_px, 1) for _ in selections],
        num_rows=schedule.num_items,
        rows_per_step=1,
        row_tokens=1,  # every record is a row of its own
        questions_per_image=1,
        seed=config.seed,
        window_shards=None,
    )
    module = PatchMasks(job.model, num_labels=len(labels))
    collate = MaskCollator(
        selections,
        rows,
        pictures=pictures,
        labels=labels,
        patch_px=job.model.config.vision_config.patch_size,
        min_coverage=config.min_coverage,
    )
    rates = {"vision_lr": config.vision_lr, "projector_lr": None, "lm_lr": None}
    groups = param_groups(job.model, **rates, weight_decay=schedule.weight_decay)
    groups.append({"params": list(module.head.parameters()), "lr": config.vision_lr, "weight_decay": 0.0})
    fit_plain(
        module, collate=collate, param_groups=groups, schedule=schedule, world=job.world, out=job.out, log=job.log
    )
    return None


def _questions_per_image(config: StageRecipe) -> int:
    return config.pack.questions_per_image if isinstance(config, TextRecipe) else 1


def _check_evaluation(config: StageRecipe | PairRecipe) -> None:
    eval_every, eval_data = config.schedule.eval_every, getattr(config, "eval_data", ())
    if eval_every is not None and not eval_data:
        raise InputError("recipe: schedule.eval_every needs samples to score", fix="Name them under eval_data.")
    if eval_data and eval_every is None:
        raise InputError("recipe: eval_data is never scored", fix="Say how often: schedule.eval_every, in steps.")


def _check_adapters(config: StageRecipe, engine: str) -> None:
    if config.model.lora is not None and engine in {"zero3", "fsdp2"}:
        raise InputError(
            f"recipe: model.lora with parallel.engine {engine}",
            expected="parallel.engine none or ddp: adapters cannot be merged into weights that are in parts",
            fix="Say parallel.engine=ddp and model.dtype=bfloat16.",
        )


def start_model(
    start: ModelConfig, selections: list[Selection], *, seed: int, device: str, empty: bool
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    """A model on the CPU that can run on `device`, with its adapters; where `empty`, its weights need not be there."""
    if (start.folder is None) == (start.family is None):
        raise InputError("recipe: model needs either 'folder' or 'family'")
    if start.folder is not None:
        model, processing = _from_folder(start, device=device, empty=empty)
    else:
        model, processing = _from_family(start, selections, seed=seed, device=device)
    if start.max_upscale is not None:
        processing.image_processor.max_upscale = start.max_upscale
    if start.lora is not None:
        options = start.lora.model_dump()
        lora.attach(model, **options, seed=seed)
    return model, processing


def _from_folder(
    start: ModelConfig, *, device: str, empty: bool
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    folder = existing_folder(Path(str(start.folder)))
    for key in ("parts", "vision_feature_layer"):
        if getattr(start, key) is not None:
            raise InputError(f"recipe: model.{key} builds a family, but model.folder is given", fix="Leave one out.")
    config = checkpoint.configuration(folder)
    attention, experts = kernels.settle(
        config, attention=start.attention, experts=start.experts, device=device, training=True
    )
    if empty:
        return checkpoint.skeleton(folder, dtype=_dtype(start), attention=attention, experts=experts)
    return checkpoint.load(
        folder, device=device, dtype=_dtype(start), attention=attention, experts=experts, on_device=False
    )


def _from_family(
    start: ModelConfig, selections: list[Selection], *, seed: int, device: str
) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
    family: Family = FAMILIES.load(str(start.family))
    if start.vision_feature_layer is not None:
        family = replace(family, vision_feature_layer=start.vision_feature_layer)
    if start.parts is not None:
        return parts.assemble(
            family,
            _folders(start.parts),
            seed=seed,
            dtype=_dtype(start),
            attention=start.attention,
            experts=start.experts,
            device=device,
            training=True,
        )
    texts = (conversation_text(sample) for selection in selections for sample in _spread(selection))
    model, processing = family.build(texts, seed=seed)
    attention, experts = kernels.settle(
        model.config, attention=start.attention, experts=start.experts, device=device, training=True
    )
    model.set_attn_implementation(attention)
    model.set_experts_implementation({"text_config": experts})
    return model.to(_dtype(start)), processing


def _folders(given: PartsConfig) -> dict[str, Path]:
    return {name: folder for name, folder in given if folder is not None}


def _dtype(start: ModelConfig) -> torch.dtype:
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[start.dtype]


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
        min_tiles=processing.image_processor.min_tiles,
        max_upscale=processing.image_processor.max_upscale,
    )


def _mask_labels(selection: Selection) -> tuple[str, ...]:
    media = selection.store.sample(selection.store.rows(selection.table, [0])[0]).media
    if not media or media[0].mask is None:
        raise InputError("the tower can only be warmed on images with drawn masks", fix="Use phantom shards.")
    return media[0].mask.labels


def _batch_size(config: StageRecipe | PairRecipe) -> int:
    """Rows, images or pairs of one forward pass."""
    if isinstance(config, PairRecipe):
        return config.pairs_per_step
    if isinstance(config, TextRecipe):
        return config.pack.rows_per_step
    return cast(MaskRecipe, config).images_per_step

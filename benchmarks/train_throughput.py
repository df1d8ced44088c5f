"""Training speed of a family and stage on the machine at hand: tokens/s, step time, peak memory and MFU.

    python benchmarks/train_throughput.py family=tiny stage=instruct row_tokens=1024 tiles=8

Weights and rows are random: the speed does not depend on them. The same model trains, step by step in turn, on
  packed     documents side by side in one row, the loss normalised over all labels: what `osler train` does
  padded     the same documents one a row, each padded to the longest: what a plain batch is
and with the experts' products as
  eager      a loop over experts, transformers' plain path
  grouped    torch's grouped product (`grouped_mm`), the peer's
Each variant does the same forward, backward and AdamW step on the same documents, so the ratios of their times compare
like with like; tokens/s count real tokens alone. Peer and versions stand in the table that it writes.

Keys: family, stage (align | midtrain | instruct: which parts learn), row_tokens, document_tokens (mean), tiles (a row),
experts (eager | grouped_mm | both), attention, checkpointing (none | full), lora (rank, 0: none), steps, device, write.
"""

import importlib.metadata
import platform
import re
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml

from osler.core.catalog import FAMILIES, STAGES
from osler.core.errors import InputError
from osler.core.rng import generator
from osler.model.attention import PADDING
from osler.model.checkpoint import register
from osler.model.compose import IGNORED_LABEL, OslerForConditionalGeneration
from osler.model.freeze import param_groups
from osler.train.flops import passes, shape_of
from osler.train.gpus import gpu_of_device
from osler.train.meter import Meter

RESULTS = Path(__file__).parent / "results" / "train_throughput.md"
DEFAULTS: dict[str, Any] = {
    "family": "tiny", "stage": "instruct", "row_tokens": 1024, "document_tokens": 160, "tiles": 8, "experts": "both",
    "attention": "eager", "checkpointing": "none", "lora": 0, "steps": 5, "device": "cpu", "write": True,
}  # fmt: skip
ABOUT = """# Training throughput

Written by `python benchmarks/train_throughput.py`; its first lines say what is compared. Random weights, synthetic
rows, medians of a few steps. MFU counts model FLOPs, the head on label positions only. Memory on a CPU is the most
that the whole process held, so it never falls from one row to the next.

"""
HEAD = (
    "| device | model | stage | row tokens | tiles | variant | s/step (spread) | tokens/s | tiles/s | MFU | memory GiB "
    "| time to the first |\n|---|---|---|--:|--:|---|--:|--:|--:|--:|--:|--:|\n"
)


@dataclass
class Variant:
    """One way to do the same step."""

    experts: str
    rows: str
    batch: dict[str, torch.Tensor]
    seconds: list[float] = field(default_factory=list)
    figures: dict[str, float | None] = field(default_factory=dict)


def main(words: list[str]) -> None:
    options = read_options(words)
    device = str(options["device"])
    torch.manual_seed(0)
    if device == "cpu":
        torch.set_num_threads(1)
    model = build(options, device)
    optimizer = torch.optim.AdamW(groups(model, str(options["stage"])), fused=True)
    variants = make_variants(model.config, options, device)
    meter = meter_of(model, device)
    for number in range(options["steps"] + 1):
        for variant in variants:
            step(model, optimizer, variant, meter, warm=number > 0)
    report(model, variants, options, device)


def read_options(words: list[str]) -> dict[str, Any]:
    """`key=value` words over the defaults."""
    given = dict(word.partition("=")[::2] for word in words)
    if unknown := sorted(set(given) - set(DEFAULTS)):
        raise InputError(f"unknown option {unknown[0]!r}", expected=f"one of {', '.join(DEFAULTS)}")
    options = DEFAULTS | {key: yaml.safe_load(value) for key, value in given.items()}
    if options["document_tokens"] > options["row_tokens"]:
        raise InputError("document_tokens must not exceed row_tokens")
    return options


def build(options: dict[str, Any], device: str) -> OslerForConditionalGeneration:
    """The family with random weights, in bfloat16 on a GPU."""
    register()
    config = FAMILIES.load(str(options["family"])).full_config()
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    attention = {"text_config": options["attention"], "vision_config": "sdpa"}
    with torch.device(device):
        model = OslerForConditionalGeneration._from_config(config, attn_implementation=attention, dtype=dtype)
    if options["lora"]:
        add_adapters(model, int(options["lora"]))
    if options["checkpointing"] == "full":
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})
    return model.to(device).train()


def add_adapters(model: OslerForConditionalGeneration, rank: int) -> None:
    """LoRA on the attention of the language model, by peft."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ModuleNotFoundError as error:
        raise InputError("lora needs the package 'peft'") from error
    names = r".*language_model\.layers\.\d+\.self_attn\.[qkvo]_proj"
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names), model)


def groups(model: OslerForConditionalGeneration, stage: str) -> list[dict[str, Any]]:
    """The optimizer's groups at the stage's own learning rates; beside adapters the language model is frozen."""
    fields = STAGES.load(stage).config.model_fields
    rates = {name: fields[name].default for name in ("vision_lr", "projector_lr", "lm_lr")}
    found = param_groups(model, **rates, weight_decay=0.05)
    adapters = [each for name, each in model.named_parameters() if ".lora_" in name]
    if not adapters or rates["lm_lr"] is None:
        return found
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".lora_" in name if "language_model" in name or "lm_head" in name else True)
    trained = [each for each in model.parameters() if each.requires_grad]
    return [{"params": trained, "lr": rates["lm_lr"]}]


def make_variants(config: Any, options: dict[str, Any], device: str) -> list[Variant]:
    """Every choice of experts with every layout of the same documents."""
    documents = draw_documents(config, options)
    layouts = {"packed": [documents], "padded": [[each] for each in documents]}
    pixels = torch.zeros(options["tiles"], 3, config.tile_px, config.tile_px, dtype=torch.uint8, device=device)
    kinds = ["eager", "grouped_mm"] if options["experts"] == "both" else [str(options["experts"])]
    found = []
    for kind in kinds:
        for name, rows in layouts.items():
            batch = {key: value.to(device) for key, value in collated(config, rows).items()}
            found.append(Variant(kind, name, batch | ({"pixel_values": pixels} if len(pixels) else {})))
    return found


def draw_documents(config: Any, options: dict[str, Any]) -> list[tuple[int, int]]:
    """Image tokens and words of documents that fill a row; lengths vary about the mean as those of questions do."""
    random, per_tile = generator(0, "throughput"), config.image_seq_length
    images = [per_tile] * options["tiles"]
    left = options["row_tokens"] - sum(images)
    if left < max(1, len(images)):
        raise InputError(f"{options['tiles']} tiles of {per_tile} tokens leave no words in a row", fix="Lower tiles.")
    documents: list[tuple[int, int]] = []
    while left > 0:
        tokens = max(8, round(random.lognormal(0, 0.5) * options["document_tokens"]))
        image = images.pop() if images else 0
        words = min(left - len(images), max(8, tokens - image))
        documents.append((image, words))
        left -= words
    return documents


def collated(config: Any, rows: list[list[tuple[int, int]]]) -> dict[str, torch.Tensor]:
    """Rows of documents as `PackCollator` makes them; the second half of the words is learned."""
    length = max(sum(map(sum, row)) for row in rows)
    shape = (len(rows), length)
    batch = {
        "input_ids": torch.full(shape, config.image_token_id + 1),
        "position_ids": torch.zeros(shape, dtype=torch.long),
        "document_ids": torch.full(shape, PADDING),
        "branch_ids": torch.zeros(shape, dtype=torch.long),
        "labels": torch.full(shape, IGNORED_LABEL),
    }
    for number, row in enumerate(rows):
        start = 0
        for document, (image, words) in enumerate(row):
            end = start + image + words
            batch["input_ids"][number, start : start + image] = config.image_token_id
            batch["position_ids"][number, start:end] = torch.arange(end - start)
            batch["document_ids"][number, start:end] = document
            batch["branch_ids"][number, start + image : end] = 1
            batch["labels"][number, end - words // 2 : end] = config.image_token_id + 2
            start = end
    return batch


def meter_of(model: OslerForConditionalGeneration, device: str) -> Meter:
    """The meter that a training uses, for the parts that have gradients."""
    learns = {
        part: any(each.requires_grad for name, each in model.named_parameters() if key in name and "lora_" not in name)
        for part, key in (("vision", "vision_tower"), ("projector", "multi_modal"), ("lm", "language_model"))
    }
    known = gpu_of_device(torch.cuda.get_device_name(device)) if device.startswith("cuda") else None
    peak = known.peak_flops if known else None
    return Meter(shape_of(model.config), passes(**learns), peak_flops=peak, device=device)


def step(model: Any, optimizer: torch.optim.Optimizer, variant: Variant, meter: Meter, *, warm: bool) -> None:
    """One step, timed to the end of its work on the device; the first of a variant only warms up."""
    model.set_experts_implementation({"text_config": variant.experts})
    meter.figures()
    if meter.device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    begun = time.perf_counter()
    meter.on_save(None, None, None)
    meter.on_step_begin(None, None, None)
    meter.count(variant.batch)
    loss = model(**variant.batch, use_cache=False).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    found = meter.figures()
    if warm:
        variant.seconds.append(time.perf_counter() - begun)
        variant.figures = found


def report(model: Any, variants: list[Variant], options: dict[str, Any], device: str) -> None:
    """Print the table and keep it: rows of the same device and setting are replaced."""
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else f"CPU {platform.machine()}, 1 thread"
    adapters = f", LoRA {options['lora']}" if options["lora"] else ""
    shown = f"{options['family']}{adapters}, attention {options['attention']}, checkpointing {options['checkpointing']}"
    setting = f"| {name}; {versions()} | {shown} | {options['stage']} | {options['row_tokens']} | {options['tiles']} |"
    first = statistics.median(variants[0].seconds)
    tokens = int((variants[0].batch["document_ids"] != PADDING).sum())
    rows = []
    for each in variants:
        seconds = statistics.median(each.seconds)
        mfu = each.figures["mfu"]
        share = "not known" if mfu is None else f"{mfu * each.seconds[-1] / seconds:.1%}"
        rows.append(
            f"{setting} {each.rows}, experts {each.experts} | {seconds:.3f} ({min(each.seconds):.3f} to "
            f"{max(each.seconds):.3f}) | {tokens / seconds:,.0f} | {options['tiles'] / seconds:,.1f} | {share} | "
            f"{each.figures['memory_gib']:.2f} | {seconds / first:.2f} |"
        )
    print(HEAD + "\n".join(rows))
    if options["write"]:
        keep(setting, rows)


def versions() -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers"))


def keep(setting: str, rows: list[str]) -> None:
    """Write the rows into the results page, in place of earlier ones of the same setting."""
    before = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.is_file() else []
    kept = [line for line in before if re.match(r"\| (?!device)", line) and not line.startswith(setting)]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(ABOUT + HEAD + "\n".join([*kept, *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"train_throughput: error: {error}")

"""Contrastive pretraining, from the values of its recipe to a pair of trained towers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.core.catalog import DUALS
from osler.core.files import existing_folder, write_json
from osler.core.log import Log
from osler.model import dual
from osler.model.dual import Dual, Pair
from osler.train.contrast import Contrast
from osler.train.pack import Selection
from osler.train.pairs import PairCollator, corpus, pair_rows, share_cut, with_words
from osler.train.parallel import World
from osler.train.stage import PairRecipe
from osler.train.trainer import Schedule, fit_plain

_TEXTS_MEASURED = 500
# CLIP's AdamW (arXiv 2103.00020, table 19, vision transformers): a shorter memory of squares than the other stages'.
_ADAMW = {"betas": (0.9, 0.98), "eps": 1e-6}


@dataclass(frozen=True)
class Towers:
    """Where the towers come from; plain values of `PairConfig`."""

    folder: Path | None
    dual: str | None
    vision: Path | None
    text: Path | None
    joint_width: int

    @staticmethod
    def of(config: PairRecipe) -> "Towers":
        """Those of a recipe."""
        return Towers(**dict(config.model))

    @property
    def folders(self) -> list[Path]:
        """The folders that are read."""
        return [folder for folder in (self.folder, self.vision, self.text) if folder is not None]


@dataclass(frozen=True)
class Terms:
    """How pairs are compared; plain values of `ContrastConfig`.

    rates: learning rates of `vision`, `text` and `head`; None locks a tower.
    """

    loss: str
    chunk_pairs: int | None
    texts: tuple[str, ...]
    mask_same: bool
    min_crop: float
    rates: Mapping[str, float | None]

    @staticmethod
    def of(config: PairRecipe) -> "Terms":
        """Those of a recipe."""
        return Terms(
            loss=config.loss,
            chunk_pairs=config.chunk_pairs,
            texts=config.texts,
            mask_same=config.same == "mask",
            min_crop=config.min_crop,
            rates={"vision": config.vision_lr, "text": config.text_lr, "head": config.head_lr},
        )


def pretrain(
    towers: Towers, selections: list[Selection], terms: Terms, *, schedule: Schedule, world: World, out: Path, log: Log
) -> int:
    """Train, or go on from the last checkpoint, and write `model/`, `metrics.jsonl` and `pairs.json`.

    Returns the number of parameters.
    """
    found = [with_words(selection, terms.texts) for selection in selections]
    chosen = [selection for selection, _ in found]
    pair = start(towers, chosen, terms.texts, seed=schedule.seed)
    rows = pair_rows(chosen, num_rows=schedule.num_items, seed=schedule.seed)
    if world.rank == 0:
        dropped = [counts for _, counts in found]
        write_json(out / "pairs.json", _account(pair, chosen, dropped, num_rows=len(rows), texts=terms.texts))
    is_new = towers.folder is None
    module = Contrast(
        pair, loss=terms.loss, chunk_pairs=terms.chunk_pairs, mask_same=terms.mask_same, is_new=is_new
    ).to(world.device)
    groups = param_groups(module, terms.rates, weight_decay=schedule.weight_decay)
    if schedule.checkpointing == "full":
        pair.model.gradient_checkpointing_enable({"use_reentrant": False})
    collate = PairCollator(
        chosen,
        rows,
        image_size=pair.image_size,
        tokens=pair.tokens,
        texts=terms.texts,
        seed=schedule.seed,
        min_crop=terms.min_crop,
    )
    fit_plain(
        module,
        collate=collate,
        param_groups=groups,
        schedule=schedule,
        world=world,
        out=out,
        log=log,
        figures=module.figures,
    )
    module.settle()
    if world.rank == 0:
        dual.save(pair, out / "model")
    return sum(parameter.numel() for parameter in pair.model.parameters())


def start(towers: Towers, selections: list[Selection], texts: tuple[str, ...], *, seed: int) -> Pair:
    """The towers that training begins with, on the CPU."""
    if towers.folder is not None:
        return dual.load(existing_folder(towers.folder))
    if towers.vision is not None and towers.text is not None:
        vision, text = existing_folder(towers.vision), existing_folder(towers.text)
        return dual.join(vision, text, joint_width=towers.joint_width, seed=seed)
    declared: Dual = DUALS.load(str(towers.dual))
    pair = declared.build(corpus(selections, texts), seed=seed)
    return pair if towers.vision is None else dual.with_vision(pair, existing_folder(towers.vision))


def param_groups(module: Contrast, rates: Mapping[str, float | None], *, weight_decay: float) -> list[dict[str, Any]]:
    """Optimizer groups; a tower without a learning rate is locked. Vectors and numbers are not decayed."""
    groups: dict[tuple[str, bool], list[Any]] = {}
    for name, parameter in module.named_parameters():
        part = _part_of(name)
        reached = not (name == "model.logit_bias" and module.bias is None)
        parameter.requires_grad_(rates[part] is not None and reached)
        if parameter.requires_grad:
            groups.setdefault((part, parameter.ndim >= 2), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": rates[part],
            "weight_decay": weight_decay if decays else 0.0,
            "name": part,
            **_ADAMW,
        }
        for (part, decays), parameters in groups.items()
    ]


def _part_of(name: str) -> str:
    if name.startswith("model.vision_model."):
        return "vision"
    return "text" if name.startswith("model.text_model.") else "head"


def _account(
    pair: Pair, selections: list[Selection], dropped: list[dict[str, int]], *, num_rows: int, texts: tuple[str, ...]
) -> dict[str, Any]:
    """What was trained on and what was left out."""
    words = [text for _, text in zip(range(_TEXTS_MEASURED), corpus(selections, texts), strict=False)]
    return {
        "pairs": num_rows,
        "max_tokens": pair.max_tokens,
        "share_of_texts_cut": share_cut(words, pair.tokenizer, pair.max_tokens),
        "sources": [
            {"shards": str(selection.store.folder), "samples": selection.table.num_rows, "records_left_out": counts}
            for selection, counts in zip(selections, dropped, strict=True)
        ],
    }

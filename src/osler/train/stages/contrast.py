"""Contrastive pretraining: a picture and its words come close, other pictures and words go apart.

InfoNCE is CLIP's loss (arXiv 2103.00020), sigmoid is SigLIP's (arXiv 2303.15343). A tower whose learning rate is null
is locked: with `vision_lr: null` this is LiT (arXiv 2111.07991). `chunk_pairs` is gradient caching (arXiv 2101.06983):
a step of any size in the memory of a chunk, with the same gradient.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from osler.core.config import Config
from osler.train.stage import DataConfig, ParallelConfig, ScheduleConfig, Stage


class PairConfig(Config):
    """Where both towers come from.

    folder: both, trained: a CLIP, a SigLIP or a pair that this stage wrote.
    dual: both, random: an entry of `osler list duals`.
    vision, text: folders of towers to be paired; or `dual` and `vision`: random towers but for the vision tower's
        weights, which may be those of a vision-language model of ours.
    joint_width: channels of the space in which the towers of two folders meet.
    """

    folder: Path | None = None
    dual: str | None = None
    vision: Path | None = None
    text: Path | None = None
    joint_width: PositiveInt = 512

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = {name for name in ("folder", "dual", "vision", "text") if getattr(self, name) is not None}
        if given not in ({"folder"}, {"dual"}, {"dual", "vision"}, {"vision", "text"}):
            raise ValueError("model takes folder, or dual, or dual and vision, or vision and text")
        return self


class ContrastConfig(Config):
    """Recipe of this stage. A learning rate of null locks the tower.

    loss: `infonce` with a learned temperature, or `sigmoid` with a learned temperature and bias.
    pairs_per_step: pictures with their words that are compared with each other, of all processes together.
    chunk_pairs: pairs whose activations are held at once on each process; null holds all of them.
    texts: what stands for a picture, one of them drawn anew each time it is shown: `caption` is an answer that is a
        longer text (a caption or a report), `mention` a paragraph of the article that speaks of the figure, `answer`
        a question with its short answer. A record with neither caption nor answer among them is left out, counted.
    same: what becomes of two pairs of a step with the same words or the same picture: `mask` takes neither as the
        other's negative, `keep` does, as the published recipes do.
    min_crop: least share of a picture's area that a random crop keeps; 1 shows pictures whole.
    head_lr: of the projections, the temperature and the bias.
    """

    stage: Literal["contrast"]
    seed: int = 0
    model: PairConfig
    data: tuple[DataConfig, ...]
    schedule: ScheduleConfig
    parallel: ParallelConfig = ParallelConfig()
    report_to: tuple[str, ...] = ("tensorboard",)
    loss: Literal["infonce", "sigmoid"] = "infonce"
    pairs_per_step: PositiveInt = 256
    chunk_pairs: PositiveInt | None = None
    texts: tuple[Literal["caption", "mention", "answer"], ...] = Field(("caption", "mention"), min_length=1)
    same: Literal["mask", "keep"] = "mask"
    min_crop: float = Field(1.0, gt=0, le=1)
    vision_lr: PositiveFloat | None = 5e-4
    text_lr: PositiveFloat | None = 5e-4
    head_lr: PositiveFloat = 5e-4

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.schedule.gradient_accumulation > 1:
            raise ValueError("gradient_accumulation would compare each part with itself alone; set chunk_pairs instead")
        if self.parallel.engine not in {"none", "ddp"}:
            raise ValueError("the towers are copied to each process: parallel.engine is none or ddp")
        if self.vision_lr is None and self.text_lr is None and self.model.folder is not None:
            raise ValueError("both towers of a trained pair are locked: give vision_lr or text_lr")
        withheld = [data.shards for data in self.data if data.withhold_images]
        if withheld:
            raise ValueError(f"withhold_images leaves nothing to compare words with ({withheld[0]})")
        return self


STAGE = Stage(config=ContrastConfig, objective="pairs")

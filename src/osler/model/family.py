"""What a model family declares: how its parts are built, how its pictures are cut, how its words are laid out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerFast

from osler.core.errors import InputError
from osler.model.checkpoint import register
from osler.model.compose import OslerForConditionalGeneration
from osler.model.config import CLIP_MEAN, CLIP_STD, OslerConfig
from osler.model.processor import OslerImageProcessor, OslerProcessor
from osler.model.tokenizer import IMAGE, chat_template, train_tokenizer

_ATTENTION = {"text_config": "eager", "vision_config": "sdpa"}


@dataclass(frozen=True)
class Miniature:
    """Sizes at which a family's own classes run in a test; what is not named here stays as it is.

    Args:
        vision: fields of the tower's configuration.
        text: fields of the language model's configuration.
        tile_px: side of a tile in pixels.
    """

    vision: Mapping[str, Any]
    text: Mapping[str, Any]
    tile_px: int


@dataclass(frozen=True)
class Family:
    """One architecture.

    Args:
        vision_config: the tower, without arguments.
        text_config: the language model, from its tokenizer's vocabulary size, padding id and end id.
        tile_px: side of a tile in pixels.
        max_tiles: most tiles of one image, the thumbnail not counted.
        vocab_size: rows of the language model's table, and most entries of a tokenizer trained for this family.
        projector_layer_norm: see OslerConfig.
        feature_select: `default` drops the tower's class token, `full` where it has none.
        vision_feature_layer: the tower's layer that the projector reads: -1 the last, -2 the last but one. The
            tower is then built with one layer fewer, as a layer whose output nobody reads gets no gradient, which
            distributed training and its checkpoints cannot bear.
        downsample_ratio: of the grid of patches; 0.5 makes one token of 2 x 2 patches.
        image_mean, image_std: see OslerConfig.
        template: file name of the chat template in this folder, without `.jinja`.
        published_tokens: our special token to the names that play its role in the published tokenizer.
        any_text_size: whether language models of other sizes but the same class will do.
        small: the sizes of `miniature`; None for a family that is small already.
    """

    vision_config: Callable[[], PreTrainedConfig]
    text_config: Callable[[int, int, int], PreTrainedConfig]
    tile_px: int
    max_tiles: int
    vocab_size: int
    projector_layer_norm: bool = True
    feature_select: str = "default"
    vision_feature_layer: int = -1
    downsample_ratio: float = 0.5
    image_mean: tuple[float, ...] = CLIP_MEAN
    image_std: tuple[float, ...] = CLIP_STD
    template: str = "chat_template"
    published_tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    any_text_size: bool = False
    small: Miniature | None = None

    def build(self, texts: Iterable[str], *, seed: int) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
        """A randomly initialised model and a processor whose tokenizer is trained on `texts`.

        Texts are whole conversations as `Prompter.text` renders them. The same texts and seed give the same bytes.
        """
        template = chat_template(self.template)
        return self.assemble(train_tokenizer(texts, vocab_size=self.vocab_size, template=template), seed=seed)

    def assemble(
        self, tokenizer: PreTrainedTokenizerFast, *, seed: int
    ) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
        """A randomly initialised model for a given tokenizer."""
        register()
        config = self.config(tokenizer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = OslerForConditionalGeneration._from_config(config, attn_implementation=_ATTENTION)
        return model, self.processor(tokenizer, config)

    def skeleton(self) -> OslerForConditionalGeneration:
        """The full-size model on the meta device: shapes without memory."""
        register()
        with torch.device("meta"):
            return OslerForConditionalGeneration._from_config(self.full_config(), attn_implementation=_ATTENTION)

    def full_config(self) -> OslerConfig:
        """The configuration with the whole vocabulary; no tokenizer is made, so special tokens' ids mean nothing."""
        return self.compose(self.vision_config(), self.text_config(self.vocab_size, 0, 1), image_token_id=2)

    def miniature(self) -> "Family":
        """The same classes, layout and rules at sizes for tests; random parts only."""
        if self.small is None:
            return self
        small, full = self.small, self.text_config
        return replace(
            self,
            vision_config=lambda: _resized(self.vision_config(), small.vision),
            text_config=lambda vocab, pad, end: _resized(full(vocab, pad, end), small.text),
            tile_px=small.tile_px,
            max_tiles=min(self.max_tiles, 2),
            vocab_size=1024,
            small=None,
        )

    def processor(self, tokenizer: PreTrainedTokenizerFast, config: OslerConfig) -> OslerProcessor:
        """The tokenizer and the tile cutter as one."""
        pictures = OslerImageProcessor(tile_px=self.tile_px, max_tiles=self.max_tiles)
        return OslerProcessor(pictures, tokenizer, tokenizer.chat_template, image_seq_length=config.image_seq_length)

    def config(self, tokenizer: PreTrainedTokenizerFast) -> OslerConfig:
        """The composition's configuration for a tokenizer."""
        end_id, pad_id = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
        return self.compose(
            self.vision_config(),
            self.text_config(len(tokenizer), pad_id, end_id),
            image_token_id=int(tokenizer.convert_tokens_to_ids(IMAGE)),
        )

    def compose(self, vision: PreTrainedConfig, text: PreTrainedConfig, *, image_token_id: int) -> OslerConfig:
        """The configuration of these two parts put together by this family's rules.

        `vision` is the whole tower; which of its layers is read is settled here.

        Raises:
            InputError: the tower's pictures cannot be cut into whole tokens, or are not of the family's tile size.
        """
        if self.vision_feature_layer not in (-1, -2):
            raise InputError("vision_feature_layer", expected="-1 or -2", got=str(self.vision_feature_layer))
        vision = _resized(vision, {"num_hidden_layers": vision.num_hidden_layers + 1 + self.vision_feature_layer})
        return OslerConfig(
            vision_config=vision,
            text_config=text,
            image_token_id=image_token_id,
            image_seq_length=self._tokens_per_side(vision) ** 2,
            tile_px=self.tile_px,
            max_tiles=self.max_tiles,
            projector_layer_norm=self.projector_layer_norm,
            vision_feature_select_strategy=self.feature_select,
            downsample_ratio=self.downsample_ratio,
            image_mean=self.image_mean,
            image_std=self.image_std,
            pad_token_id=text.pad_token_id,
            eos_token_id=text.eos_token_id,
        )

    def _tokens_per_side(self, vision: PreTrainedConfig) -> int:
        image_px, patch_px = side(vision.image_size), side(vision.patch_size)
        if image_px != self.tile_px:
            raise InputError(
                "the tower reads pictures of another size", expected=f"{self.tile_px} px", got=f"{image_px} px"
            )
        token_px = patch_px * round(1 / self.downsample_ratio)
        if image_px % token_px:
            raise InputError(
                "a picture cannot be cut into whole tokens",
                expected=f"a multiple of {token_px} px (patches of {patch_px} px, ratio {self.downsample_ratio})",
                got=f"{image_px} px",
            )
        return image_px // token_px


def side(size: int | tuple[int, ...] | list[int]) -> int:
    """The side of a square given as one number or as two; InternViT's configuration gives two."""
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise InputError("pictures and patches must be square", got=str(size))
    return int(sides.pop())


def _resized(config: PreTrainedConfig, changes: Mapping[str, Any]) -> PreTrainedConfig:
    """A configuration of the same class with some fields changed; what follows from them is derived anew."""
    return type(config)(**{**config.to_dict(), **changes})

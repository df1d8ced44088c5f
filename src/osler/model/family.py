"""What a model family declares: how its parts are built and how its pictures are cut."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerFast

from osler.model.checkpoint import register
from osler.model.compose import OslerForConditionalGeneration
from osler.model.config import OslerConfig
from osler.model.processor import OslerImageProcessor, OslerProcessor
from osler.model.tokenizer import IMAGE, train_tokenizer


@dataclass(frozen=True)
class Family:
    """One architecture.

    Args:
        vision_config: the tower, without arguments.
        text_config: the language model, from its tokenizer's vocabulary size, padding id and end id.
        tile_px: side of a tile in pixels.
        max_tiles: most tiles of one image, the thumbnail not counted.
        vocab_size: most entries of a tokenizer trained for this family.
        projector_layer_norm: see OslerConfig.
        feature_select: `default` drops the tower's class token, `full` where it has none.
    """

    vision_config: Callable[[], PreTrainedConfig]
    text_config: Callable[[int, int, int], PreTrainedConfig]
    tile_px: int
    max_tiles: int
    vocab_size: int
    projector_layer_norm: bool = True
    feature_select: str = "default"

    def build(self, texts: Iterable[str], *, seed: int) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
        """A randomly initialised model and a processor whose tokenizer is trained on `texts`.

        Texts are whole conversations as `Prompter.text` renders them. The same texts and seed give the same bytes.
        """
        return self.assemble(train_tokenizer(texts, vocab_size=self.vocab_size), seed=seed)

    def assemble(
        self, tokenizer: PreTrainedTokenizerFast, *, seed: int
    ) -> tuple[OslerForConditionalGeneration, OslerProcessor]:
        """A randomly initialised model for a given tokenizer."""
        register()
        config = self.config(tokenizer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = OslerForConditionalGeneration._from_config(
                config, attn_implementation={"text_config": "eager", "vision_config": "sdpa"}
            )
        pictures = OslerImageProcessor(tile_px=self.tile_px, max_tiles=self.max_tiles)
        processing = OslerProcessor(
            pictures, tokenizer, tokenizer.chat_template, image_seq_length=config.image_seq_length
        )
        return model, processing

    def config(self, tokenizer: PreTrainedTokenizerFast) -> OslerConfig:
        """The composition's configuration for a tokenizer."""
        vision = self.vision_config()
        patches_per_side = self.tile_px // vision.patch_size
        end_id, pad_id = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
        return OslerConfig(
            vision_config=vision,
            text_config=self.text_config(len(tokenizer), pad_id, end_id),
            image_token_id=int(tokenizer.convert_tokens_to_ids(IMAGE)),
            image_seq_length=(patches_per_side // 2) ** 2,
            tile_px=self.tile_px,
            max_tiles=self.max_tiles,
            projector_layer_norm=self.projector_layer_norm,
            vision_feature_select_strategy=self.feature_select,
            pad_token_id=pad_id,
            eos_token_id=end_id,
        )

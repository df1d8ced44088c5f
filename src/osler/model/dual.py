"""A pair of towers, pictures and words, that contrastive training compares; its files as transformers reads them.

A pair is one of transformers' own classes, whose folder any of its users can open:

    CLIPModel                       CLIP's towers (config.json: `clip`)
    SiglipModel                     SigLIP's (`siglip`)
    VisionTextDualEncoderModel      a vision tower and a text model of two makers (`vision-text-dual-encoder`)

Axes: B pairs, C H W pixels, T tokens, E channels of the joint space.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    CLIPTextModel,
    CLIPVisionModel,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
)
from transformers.utils import logging as transformers_logging

from osler.core.errors import InputError
from osler.core.files import write_json
from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.family import side
from osler.model.pretrained import own, transformers_towers
from osler.model.pretrained.layout import layout_of
from osler.model.pretrained.open_clip_towers import open_open_clip
from osler.model.pretrained.strict import refuse_differences, refuse_pickles

PAD, START, END = "<|pad|>", "<|startoftext|>", "<|endoftext|>"
# CLIP (arXiv 2103.00020, section 2.5) and SigLIP (arXiv 2303.15343, section 3.2): logarithms of the temperatures, and
# SigLIP's bias, which makes the many negatives of the first steps cost little.
START_SCALE = {"infonce": math.log(1 / 0.07), "sigmoid": math.log(10.0)}
START_BIAS = -10.0
_BICUBIC = 3  # Pillow's number, which image processors store


@dataclass(frozen=True)
class Dual:
    """Two towers with random weights, as a file of `model/duals/` declares them.

    Args:
        config: of both towers, from the tokenizer's vocabulary size and its ids of padding, start and end.
        vocab_size: most entries of the tokenizer that is trained for them.
        image_mean, image_std: what pixels on a 0-1 scale are normalised by, per RGB channel.
    """

    config: Callable[[int, int, int, int], PreTrainedConfig]
    vocab_size: int
    image_mean: tuple[float, ...] = CLIP_MEAN
    image_std: tuple[float, ...] = CLIP_STD

    def build(self, texts: Iterable[str], *, seed: int) -> "Pair":
        """Random towers and a tokenizer trained on `texts`; the same texts and seed give the same bytes.

        The vision tower's numbers follow from the seed alone, so that mixes of data can be compared from one start.
        """
        tokenizer = train_tokenizer(texts, vocab_size=self.vocab_size)
        ids = (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id)
        config = self.config(len(tokenizer), *ids)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            vision = AutoModel.from_config(config.vision_config).state_dict()
            model = AutoModel.from_config(config)
        model.vision_model.load_state_dict(vision)
        return Pair(model, tokenizer, mean=self.image_mean, std=self.image_std)


class Pair:
    """Both towers with what their inputs need.

    Args:
        model: of one of the three classes above.
        tokenizer: of the text tower.
        mean, std: what pixels on a 0-1 scale are normalised by, per RGB channel.
    """

    def __init__(self, model: Any, tokenizer: Any, *, mean: Sequence[float], std: Sequence[float]) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.mean = tuple(mean)
        self.std = tuple(std)

    @property
    def image_size(self) -> int:
        """Side of the pictures in pixels."""
        return side(self.model.config.vision_config.image_size)

    @property
    def max_tokens(self) -> int:
        """Longer texts are cut."""
        return int(self.model.config.text_config.max_position_embeddings)

    def tokens(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """`input_ids` [B, T] and, except for SigLIP, `attention_mask`."""
        is_siglip = self.model.config.model_type == "siglip"
        encoded = self.tokenizer(
            list(texts),
            padding="max_length" if is_siglip else "longest",
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        )
        return {name: encoded[name] for name in (("input_ids",) if is_siglip else ("input_ids", "attention_mask"))}


def image_embeddings(model: Any, pixels_BCHW: torch.Tensor) -> torch.Tensor:
    """Normalised pixels to the joint space: [B, E], not of length 1."""
    pooled = model.vision_model(pixel_values=pixels_BCHW).pooler_output
    return model.visual_projection(pooled) if hasattr(model, "visual_projection") else pooled


def text_embeddings(model: Any, tokens: dict[str, torch.Tensor]) -> torch.Tensor:
    """What `Pair.tokens` gives to the joint space: [B, E], not of length 1."""
    pooled = model.text_model(**tokens).pooler_output
    return model.text_projection(pooled) if hasattr(model, "text_projection") else pooled


def save(pair: Pair, folder: Path) -> None:
    """Write both towers, the tokenizer and how pictures are prepared, as transformers' Auto classes read them."""
    transformers_logging.disable_progress_bar()
    pair.model.save_pretrained(folder)
    pair.tokenizer.save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", picture_settings(pair.image_size, pair.mean, pair.std))


def picture_settings(image_size: int, mean: Sequence[float], std: Sequence[float]) -> dict[str, Any]:
    """The content of a preprocessor_config.json: the whole picture, resized to the tower's square."""
    edges = {"height": image_size, "width": image_size}
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": edges,
        "resample": _BICUBIC,
        "do_center_crop": False,
        "crop_size": edges,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(mean),
        "image_std": list(std),
    }


def load(folder: Path) -> Pair:
    """The pair in a folder, its weights on the CPU.

    Raises:
        InputError: no pair there, no tokenizer, or weights that are missing, unexpected or wrongly shaped.
    """
    if layout_of(folder) == "open_clip":
        return _from_open_clip(folder)
    opened = transformers_towers.read_pair(folder)
    if opened.tokenizer is None:
        raise InputError(
            f"{folder} has no tokenizer.json", fix="Convert its tokenizer with transformers' AutoTokenizer and save it."
        )
    return Pair(opened.model, opened.tokenizer, mean=opened.mean or CLIP_MEAN, std=opened.std or CLIP_STD)


def _from_open_clip(folder: Path) -> Pair:
    """CLIP's own two transformers out of open_clip's layout."""
    refuse_pickles(folder)
    opened = open_open_clip(folder, None)
    text = opened.text
    if text is None:
        raise InputError(f"{folder} is no pair of towers: {opened.without_text}")
    if not isinstance(opened.vision, CLIPVisionModel) or not isinstance(text.model, CLIPTextModel):
        raise InputError(
            f"{folder} can be an encoder, but not be trained on",
            expected="CLIP's own two transformers",
            got=f"{type(opened.vision).__name__} and {type(text.model).__name__}",
            fix="Take its vision tower with a text tower of its own: model: {vision: FOLDER, text: FOLDER}.",
        )
    projections: Any = opened.joint, text.projection
    model = CLIPModel(_clip_config(opened.vision.config, text.model.config, projections[0].out_features))
    model.vision_model, model.text_model = opened.vision, text.model
    model.visual_projection, model.text_projection = projections
    if opened.logit_scale is not None:
        model.logit_scale.data.fill_(math.log(opened.logit_scale))
    if opened.logit_bias is not None:
        model.config.logit_bias = opened.logit_bias
    return Pair(model, text.tokenizer, mean=opened.mean or CLIP_MEAN, std=opened.std or CLIP_STD)


def join(vision: Path, text: Path, *, joint_width: int, seed: int) -> Pair:
    """A pair of a vision tower and a text tower out of two folders; the projections are random.

    CLIP's towers make a CLIPModel, others a VisionTextDualEncoderModel.
    """
    pictures, words = vision_tower(vision), transformers_towers.read_text(text)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if (pictures.model.config.model_type, words.model.config.model_type) == (
            "clip_vision_model",
            "clip_text_model",
        ):
            model: Any = CLIPModel(_clip_config(pictures.model.config, words.model.config, joint_width))
            model.vision_model, model.text_model = pictures.model, words.model
        else:
            config = VisionTextDualEncoderConfig.from_vision_text_configs(
                pictures.model.config, words.model.config, projection_dim=joint_width
            )
            model = VisionTextDualEncoderModel(config, vision_model=pictures.model, text_model=words.model)
    return Pair(model, words.tokenizer, mean=pictures.mean or CLIP_MEAN, std=pictures.std or CLIP_STD)


def with_vision(pair: Pair, folder: Path) -> Pair:
    """The pair with the vision weights of a folder in place of its own. Raises InputError where they do not fit."""
    found = vision_tower(folder)
    tower: nn.Module = pair.model.vision_model
    wanted, given = (
        {name: tuple(tensor.shape) for name, tensor in each.state_dict().items()} for each in (tower, found.model)
    )
    refuse_differences(wanted, given, folder)
    tower.load_state_dict(found.model.state_dict())
    return Pair(pair.model, pair.tokenizer, mean=found.mean or pair.mean, std=found.std or pair.std)


def vision_tower(folder: Path) -> transformers_towers.Read:
    """The vision tower of a folder that holds one alone, a pair, or a vision-language model of ours."""
    kind = layout_of(folder)
    if kind == "open_clip":
        refuse_pickles(folder)
        opened = open_open_clip(folder, None)
        return transformers_towers.Read(opened.vision, None, opened.mean, opened.std)
    if kind == "osler":
        opened = own.open_osler(folder, None)
        return transformers_towers.Read(opened.vision, None, opened.mean, opened.std)
    if kind in transformers_towers.PAIRS:
        pair = transformers_towers.read_pair(folder)
        return transformers_towers.Read(pair.model.vision_model, None, pair.mean, pair.std)
    return transformers_towers.read_alone(folder)


def train_tokenizer(texts: Iterable[str], *, vocab_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE of lower-cased text, opened and closed by a token of their own.

    The closing token has the highest id, because open_clip looks for the highest to find a text's end.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 1,
        special_tokens=[PAD, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([END])
    ids = [(token, tokenizer.token_to_id(token)) for token in (START, END)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{START} $A {END}", special_tokens=ids)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END)


def _clip_config(vision: Any, text: Any, joint_width: int) -> CLIPConfig:
    return CLIPConfig(vision_config=vision.to_dict(), text_config=text.to_dict(), projection_dim=joint_width)

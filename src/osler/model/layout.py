"""What an export is made of: the model it reads, and the layout it writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, read_json
from osler.model.config import OslerConfig
from osler.model.weight_files import INDEX, SINGLE, Piece, TensorSpec, Weights, copied

_KEPT_SUFFIXES = {".json", ".jinja", ".txt"}
_MADE = {"config.json", INDEX}
_DEFAULT_HEAD = "lm_head.weight"


@dataclass(frozen=True)
class Source:
    """A model folder as `osler train` leaves it."""

    folder: Path
    config: dict[str, Any]
    weights: Weights

    def files(self) -> dict[str, str]:
        """The texts beside the weights: tokenizer, chat template, processor, generation settings."""
        return {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(self.folder.iterdir())
            if path.is_file() and path.suffix in _KEPT_SUFFIXES and path.name not in _MADE
        }


@dataclass(frozen=True)
class Layout:
    """What is written: a configuration and files below `model/`, weights, and files beside `model/`."""

    config: dict[str, Any]
    pieces: list[Piece]
    files: Mapping[str, str]
    beside: Mapping[str, str] = field(default_factory=dict)
    config_name: str = "config.json"
    weights_name: str = SINGLE


def open_source(folder: Path) -> Source:
    """The model in `folder`.

    Raises:
        InputError: no model of Osler's, one that is quantised already, or an adapter that is not merged.
    """
    config = read_json(existing_file(existing_folder(folder) / "config.json"))
    if config.get("model_type") != OslerConfig.model_type:
        raise InputError(
            f"{folder} is no model to export", expected="model_type osler", got=str(config.get("model_type"))
        )
    if config.get("quantization_config"):
        raise InputError(f"{folder} is quantised already", fix="Export the model that it was made from.")
    weights = Weights(folder)
    adapters = [spec.name for spec in weights.specs() if ".lora_" in spec.name]
    if adapters:
        raise InputError(f"{folder} holds an adapter that is not merged ({adapters[0]})", fix="Merge it first.")
    return Source(folder, config, weights)


def bf16_pieces(source: Source) -> list[Piece]:
    """Every tensor under its own name, in bfloat16."""
    return [copied(source.weights, spec) for spec in source.weights.specs()]


def head_spec(source: Source) -> TensorSpec:
    """The language model's head. Raises InputError where it shares the embedding, which the layout cannot say."""
    if source.config.get("tie_word_embeddings") or _DEFAULT_HEAD not in {s.name for s in source.weights.specs()}:
        raise InputError("this layout needs a head of its own", got="a head tied to the embedding")
    return source.weights.spec(_DEFAULT_HEAD)

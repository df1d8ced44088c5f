"""Entities and their vectors for RaTEScore: a token classifier in `ner`, a sentence encoder in `embedding`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoModelForTokenClassification

from osler.core.errors import InputError
from osler.scoring.report_metrics.extract import Run
from osler.scoring.report_metrics.local_model import load_model, load_tokenizer
from osler.scoring.report_metrics.ratescore import TYPES

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_SHORTEST, _MAX_TOKENS, _MAX_ENTITY_TOKENS = 3, 512, 30
_BATCH = 32


def load(folder: Path, device: str) -> Run:
    """A function from texts to `{"entities": [[words, type], ...], "vectors": one row an entity}`."""
    ner_folder, embedding_folder = Path(folder) / "ner", Path(folder) / "embedding"
    ner_tokenizer = load_tokenizer(ner_folder)
    ner = load_model(AutoModelForTokenClassification, ner_folder, device)
    tokenizer = load_tokenizer(embedding_folder)
    encoder = load_model(AutoModel, embedding_folder, device)
    names = _label_names(ner.config.id2label, ner_folder)

    @torch.inference_mode()
    def run(texts: Sequence[str]) -> list[Any]:
        return [_one(text) for text in texts]

    def _one(text: str) -> dict[str, Any]:
        entities: list[list[str]] = []
        sentences = cut_sentences(text)
        for start in range(0, len(sentences), _BATCH):
            batch = _encode(ner_tokenizer, sentences[start : start + _BATCH], _MAX_TOKENS)
            labels = ner(**batch.to(device)).logits.argmax(dim=2).tolist()
            for ids, mask, row in zip(
                batch["input_ids"].tolist(), batch["attention_mask"].tolist(), labels, strict=True
            ):
                kept = sum(mask)
                tokens = ner_tokenizer.convert_ids_to_tokens(ids[:kept])
                inner = [(token, names[label]) for token, label in zip(tokens, row, strict=False)][1:-1]
                spans = entity_spans([name for _, name in inner])
                entities += [
                    [ner_tokenizer.convert_tokens_to_string([token for token, _ in inner[a:b]]).strip(), kind]
                    for a, b, kind in spans
                ]
        return {"entities": entities, "vectors": _vectors([words for words, _ in entities])}

    def _vectors(words: Sequence[str]) -> np.ndarray:
        if not words:
            return np.zeros((0, encoder.config.hidden_size), dtype=np.float32)
        batch = _encode(tokenizer, words, _MAX_ENTITY_TOKENS)
        return encoder(**batch.to(device)).last_hidden_state[:, 0].float().cpu().numpy()

    return run


def cut_sentences(text: str) -> list[str]:
    """The sentences of at least three characters, cut after . ! ? ; and at line breaks."""
    pieces = (piece.strip() for piece in _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) >= _SHORTEST]


def entity_spans(labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Start, end (exclusive) and type of each run of a `B-` label and the `I-` labels after it."""
    spans: list[tuple[int, int, str]] = []
    for position, label in enumerate(labels):
        if label.startswith("B-"):
            spans.append((position, position + 1, label[2:].upper()))
        elif label.startswith("I-") and spans and spans[-1][1] == position:
            spans[-1] = (spans[-1][0], position + 1, spans[-1][2])
    return spans


def _encode(tokenizer: Any, texts: Sequence[str], max_tokens: int) -> Any:
    return tokenizer(list(texts), padding=True, truncation=True, max_length=max_tokens, return_tensors="pt")


def _label_names(id2label: Mapping[int, str], folder: Path) -> dict[int, str]:
    kinds = {name[2:].upper() for name in id2label.values() if name != "O"}
    if not kinds <= set(TYPES):
        raise InputError(
            f"{folder} names other entity types", expected=", ".join(TYPES), got=", ".join(sorted(kinds - set(TYPES)))
        )
    return dict(id2label)

"""Token vectors for BERTScore: hidden states of one layer, matched pair by pair."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel

from osler.core.errors import InputError
from osler.scoring.report_metrics.bertscore import LAYER, bertscore
from osler.scoring.report_metrics.extract import Run
from osler.scoring.report_metrics.local_model import load_model, load_tokenizer
from osler.scoring.report_metrics.pairs import read_pair

_SPACE = re.compile(r"\s+")


def load(folder: Path, device: str) -> Run:
    """A function from pairs of texts (see `pairs.py`) to their raw precision, recall and F1."""
    tokenizer, model = load_tokenizer(folder), load_model(AutoModel, folder, device)
    if model.config.num_hidden_layers < LAYER:
        raise InputError(f"{folder} is no {LAYER}-layer model", got=f"{model.config.num_hidden_layers} layers")

    def run(keys: Sequence[str]) -> list[Any]:
        pairs = [read_pair(key) for key in keys]
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        vectors = dict(zip(texts, _vectors(texts, tokenizer, model, device), strict=True))
        return [_score(vectors[given], vectors[gold]) for given, gold in pairs]

    return run


def _score(given: tuple[np.ndarray, np.ndarray], gold: tuple[np.ndarray, np.ndarray]) -> list[float]:
    return list(bertscore(given[0], gold[0], given_counts=given[1], gold_counts=gold[1]))


@torch.inference_mode()
def _vectors(texts: Sequence[str], tokenizer: Any, model: Any, device: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each text its token vectors and which of them are of its words."""
    # A leading space gives the first word the token that it has inside a sentence.
    plain = [" " + _SPACE.sub(" ", text.strip()) for text in texts]
    longest = min(tokenizer.model_max_length, model.config.max_position_embeddings - 2)
    batch = tokenizer(
        plain,
        padding=True,
        truncation=True,
        max_length=longest,
        return_tensors="pt",
        return_special_tokens_mask=True,
    )
    special = batch.pop("special_tokens_mask").bool()
    hidden = model(**batch.to(device), output_hidden_states=True).hidden_states[LAYER].float().cpu().numpy()
    mask = batch["attention_mask"].bool().cpu()
    return [(hidden[n][mask[n]], (~special[n])[mask[n]].numpy()) for n in range(len(texts))]

"""CheXbert: a BERT whose first token's vector says of 14 findings whether they are present.

The file holds `bert.*` and `linear_heads.0` to `.13`: thirteen heads of four classes and "No Finding" of two.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

from osler.scoring.report_metrics.chexbert import FINDINGS
from osler.scoring.report_metrics.extract import Run
from osler.scoring.report_metrics.local_model import bare_model, fill, load_tokenizer

_SPACE = re.compile(r"\s+")
_MAX_TOKENS = 512


def load(folder: Path, device: str) -> Run:
    """A function from texts to `{"labels": 14 numbers of 0..3, "vector": float32}`."""
    tokenizer, bert = load_tokenizer(folder), bare_model(AutoModel, folder)
    width = bert.config.hidden_size
    sizes = [4] * (len(FINDINGS) - 1) + [2]
    heads = torch.nn.ModuleList([torch.nn.Linear(width, size) for size in sizes]).eval()
    fill({"bert.": bert, "linear_heads.": heads}, Path(folder) / "model.safetensors")
    bert, heads = bert.to(device), heads.to(device)

    @torch.inference_mode()
    def run(texts: Sequence[str]) -> list[Any]:
        plain = [_SPACE.sub(" ", text).strip() for text in texts]
        longest = min(_MAX_TOKENS, bert.config.max_position_embeddings)
        batch = tokenizer(plain, padding=True, truncation=True, max_length=longest, return_tensors="pt").to(device)
        vectors = bert(**batch).last_hidden_state[:, 0]
        labels = torch.stack([head(vectors).argmax(dim=1) for head in heads], dim=1).tolist()
        return [
            {"labels": row, "vector": vector} for row, vector in zip(labels, vectors.float().cpu().numpy(), strict=True)
        ]

    return run

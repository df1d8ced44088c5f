"""Images and words in the joint space of an encoder with a text tower, as arrays of vectors of length 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from osler.core.log import Log

_TEXTS = 256
_IMAGES = 8192


def image_vectors(loaded: Any, features_ND: np.ndarray) -> np.ndarray:
    """Features of a `LoadedEncoder`'s tower in the joint space: float32 [N, E]."""
    import torch

    device = next(loaded.tower.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(features_ND), _IMAGES):
            features_BD = torch.from_numpy(np.ascontiguousarray(features_ND[start : start + _IMAGES])).to(device)
            parts.append(loaded.images_joint(features_BD).float().cpu().numpy())
    return np.concatenate(parts)


def text_vectors(loaded: Any, texts: Sequence[str], *, log: Log | None = None, label: str = "texts") -> np.ndarray:
    """Texts in the joint space: float32 [T, E]. Texts of like length share a batch, which costs least padding."""
    import torch

    order = sorted(range(len(texts)), key=lambda number: (len(texts[number]), number))
    starts = range(0, len(order), _TEXTS)
    parts = []
    with torch.inference_mode():
        for start in log.progress(list(starts), label, unit="batches") if log else starts:
            batch = [texts[number] for number in order[start : start + _TEXTS]]
            parts.append(loaded.texts_joint(batch).float().cpu().numpy())
    table = np.empty((len(texts), parts[0].shape[1]), dtype=np.float32)
    table[order] = np.concatenate(parts)
    return table

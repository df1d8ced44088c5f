"""Zero-shot classification: which class's prompts lie nearest to an image, without any training.

A class is the mean direction of its prompts: each prompt's features are scaled to length 1, averaged over all templates
and words of the class, and scaled to length 1 again (Radford et al. 2021, arXiv 2103.00020, section 3.1.4). An image's
probabilities are the softmax of its cosines with the classes, times the encoder's logit scale. Where a picture has
several classes or none, each class is asked by itself, against its denial (`no effusion`), as CheXzero does (Tiu et al.
2022, doi 10.1038/s41551-022-00936-9).

Axes: N images, T templates, K classes, E channels of the joint space.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.errors import InputError
from osler.transfer.prompts import Prompts

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 [texts, E] of length 1."""
DEFAULT_SCALE = 100.0
"""The logit scale of an encoder that has learned none: where CLIP's training stops it."""


@dataclass(frozen=True, eq=False)
class Directions:
    """Class directions of length 1. templates_TKE: of each template alone. ensemble_KE: of all together.

    absent_*: of the classes' denials; None where every picture has one class.
    """

    templates_TKE: np.ndarray
    ensemble_KE: np.ndarray
    absent_templates_TKE: np.ndarray | None = None
    absent_ensemble_KE: np.ndarray | None = None


def class_directions(encode: Encode, prompts: Prompts, *, is_multi_label: bool) -> Directions:
    """The directions of all classes; every prompt is encoded once."""
    templates, ensemble = _directions(encode, prompts, absent=False)
    if not is_multi_label:
        return Directions(templates, ensemble)
    return Directions(templates, ensemble, *_directions(encode, prompts, absent=True))


def probabilities(images_NE: np.ndarray, directions: Directions, *, scale: float | None) -> np.ndarray:
    """Probabilities [N, K] by the ensemble of all prompts.

    Args:
        images_NE: of length 1.
        directions: of the classes.
        scale: the encoder's logit scale; None for DEFAULT_SCALE.
    """
    return _probabilities(images_NE, directions.ensemble_KE, directions.absent_ensemble_KE, scale)


def template_probabilities(images_NE: np.ndarray, directions: Directions, *, scale: float | None) -> np.ndarray:
    """Probabilities [T, N, K] by each template alone, with all words of each class."""
    absent = directions.absent_templates_TKE
    return np.stack(
        [
            _probabilities(images_NE, present, None if absent is None else absent[number], scale)
            for number, present in enumerate(directions.templates_TKE)
        ]
    )


def _directions(encode: Encode, prompts: Prompts, *, absent: bool) -> tuple[np.ndarray, np.ndarray]:
    """[T, K, E] and [K, E]."""
    groups = [
        [prompts.texts(template, name, absent=absent) for name in prompts.words] for template in prompts.templates
    ]
    texts = list(dict.fromkeys(text for row in groups for cell in row for text in cell))
    features = np.asarray(encode(texts), dtype=np.float64)
    if not np.isfinite(features).all():
        raise InputError("the text tower gives features that are not finite", fix="Check the encoder's weights.")
    place = {text: number for number, text in enumerate(texts)}
    per_template = np.stack([[features[[place[t] for t in cell]].mean(axis=0) for cell in row] for row in groups])
    # Words of a class weigh the same in every template, so the mean of the templates' means is that of all prompts.
    return _unit(per_template), _unit(per_template.mean(axis=0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _probabilities(
    images: np.ndarray, present: np.ndarray, absent: np.ndarray | None, scale: float | None
) -> np.ndarray:
    factor = DEFAULT_SCALE if scale is None else scale
    logits = factor * (np.asarray(images, dtype=np.float64) @ present.T)
    if absent is None:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    against = factor * (np.asarray(images, dtype=np.float64) @ absent.T)
    return 1 / (1 + np.exp(np.clip(against - logits, -700, 700)))

"""Few-shot probe: logistic regression on a few training images of each class, with one fixed penalty.

No validation part is used: who has two images of a class has none to choose a penalty on. Each seed draws an order of
the training images once, of which n shots take the first n of each class, so that more shots contain fewer. Of a
multi-label set n images are drawn that show the label and n that do not, label by label.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.core.rng import generator
from osler.transfer.logistic import logistic_path
from osler.transfer.probe import Answers, Draw, Probe, spread, unlearned


class FewShotConfig(Config):
    """sizes: images of each class; a class that has fewer gives all. l2, scale: of the regression, fixed."""

    version: Literal[1] = 1
    sizes: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 2, 4, 8, 16)
    l2: PositiveFloat = 10.0
    scale: Literal["each", "all", "none"] = "all"
    max_iterations: PositiveInt = 5000
    tolerance: PositiveFloat = 1e-8


def probe(draw: Draw, options: FewShotConfig) -> dict[str, Answers]:
    """Probabilities of the test items by number of shots."""
    order = generator(draw.seed, "few_shot", draw.set_name).permutation(len(draw.train.targets))
    return {str(size): _shots(draw, order, size, options) for size in options.sizes}


def _shots(draw: Draw, order: np.ndarray, size: int, options: FewShotConfig) -> Answers:
    if not draw.is_multi_label:
        rows = _first(draw.train.targets, order, size)
        table = _fitted(draw, draw.train.targets[rows], rows, options, draw.num_classes)
        return Answers(table, {"num_images": len(rows), **unlearned(draw, draw.train.targets)})
    columns = []
    for label in range(draw.num_classes):
        own = draw.train.targets[:, label].astype(np.int64)
        rows = _first(own, order, size)
        columns.append(_fitted(draw, own[rows], rows, options, 2)[:, 1])
    return Answers(np.stack(columns, axis=1), {"num_shots": size, **unlearned(draw, draw.train.targets)})


def _first(targets: np.ndarray, order: np.ndarray, size: int) -> np.ndarray:
    """The first `size` images of each class, in the drawn order."""
    found = [order[targets[order] == label][:size] for label in np.unique(targets)]
    return np.concatenate(found)


def _fitted(draw: Draw, targets: np.ndarray, rows: np.ndarray, options: FewShotConfig, num_classes: int) -> np.ndarray:
    present, numbers = np.unique(targets, return_inverse=True)
    if len(present) < 2:
        return spread(np.ones((len(draw.test.features), 1)), present, num_classes)
    path = logistic_path(
        draw.train.features[rows],
        numbers,
        (options.l2,),
        scale=options.scale,
        max_iterations=options.max_iterations,
        tolerance=options.tolerance,
    )
    return spread(next(iter(path))[1](draw.test.features), present, num_classes)


PROBE = Probe(config=FewShotConfig, run=probe)

"""Linear probe: multinomial logistic regression on frozen features, its L2 penalty chosen on validation.

The penalty with the least loss on the validation part is taken, the stronger one where two are equal, and the
regression is fitted again on train and validation together. Of a multi-label set every label has a regression and a
penalty of its own.
"""

from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.transfer.logistic import logistic_path
from osler.transfer.probe import Answers, Draw, Probe, spread, unlearned

_LEAST = 1e-15


class LinearConfig(Config):
    """l2: the grid of penalties; scikit-learn's C is 1 / l2. scale: see `logistic_path`.

    refit: whether the validation part is learned from, too, once the penalty is chosen.
    """

    version: Literal[1] = 1
    l2: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)
    scale: Literal["each", "all", "none"] = "each"
    refit: bool = True
    max_iterations: PositiveInt = 5000
    tolerance: PositiveFloat = 1e-8


def probe(draw: Draw, options: LinearConfig) -> dict[str, Answers]:
    """Probabilities of the test items."""
    if not draw.is_multi_label:
        table, l2 = _one(draw, draw.train.targets, draw.validation.targets, options)
        return {"": Answers(table, {"l2": l2, **unlearned(draw, draw.train.targets)})}
    tables, chosen = [], []
    for label in range(draw.num_classes):
        table, l2 = _one(
            draw,
            draw.train.targets[:, label].astype(np.int64),
            draw.validation.targets[:, label].astype(np.int64),
            options,
        )
        tables.append(table[:, 1])
        chosen.append(l2)
    return {"": Answers(np.stack(tables, axis=1), {"l2": chosen, **unlearned(draw, draw.train.targets)})}


def _one(
    draw: Draw, train: np.ndarray, validation: np.ndarray, options: LinearConfig
) -> tuple[np.ndarray, float | None]:
    """Probabilities of the test items and the penalty; no regression and no penalty where train has one class."""
    num_classes = 2 if draw.is_multi_label else draw.num_classes
    fit = partial(
        logistic_path, scale=options.scale, max_iterations=options.max_iterations, tolerance=options.tolerance
    )
    present, numbers = np.unique(train, return_inverse=True)
    if len(present) < 2:
        return spread(np.ones((len(draw.test.features), 1)), present, num_classes), None
    chosen, least = float(max(options.l2)), np.inf
    best = None
    if len(options.l2) > 1 and len(validation):
        for l2, model in fit(draw.train.features, numbers, options.l2):
            given = spread(model(draw.validation.features), present, num_classes)
            loss = -float(np.log(np.maximum(given[np.arange(len(validation)), validation], _LEAST)).mean())
            if loss < least:
                chosen, least, best = l2, loss, model
    if options.refit and len(validation) or best is None:
        features, targets = draw.train.features, train
        if options.refit and len(validation):
            features = np.concatenate([features, draw.validation.features])
            targets = np.concatenate([targets, validation])
        present, numbers = np.unique(targets, return_inverse=True)
        best = next(iter(fit(features, numbers, (chosen,))))[1]
    return spread(best(draw.test.features), present, num_classes), chosen


PROBE = Probe(config=LinearConfig, run=probe)

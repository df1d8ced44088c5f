"""Multinomial logistic regression with an L2 penalty, solved along a grid of penalties.

The minimum is the one that scikit-learn's LogisticRegression has for C = 1 / l2 (two classes: one vector of weights;
more: one each, with a softmax; the intercept is free). scikit-learn begins anew for every penalty and in the features'
own basis, where correlated features make L-BFGS slow: here features are turned once onto their principal axes, each
step is scaled by the curvature along its axis, and each penalty starts from the solution of the one before.

Axes: N items, D features, R principal axes, K outputs (1 for two classes).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.errors import InputError

_RANK = 1e-12


@dataclass(frozen=True, eq=False)
class Logistic:
    """A solution. weights_DK, intercept_K: of standardised features; mean_D and scale_D standardise."""

    weights_DK: np.ndarray
    intercept_K: np.ndarray
    mean_D: np.ndarray
    scale_D: np.ndarray

    def __call__(self, features_ND: np.ndarray) -> np.ndarray:
        """Probabilities of the classes that were in training: [N, classes]."""
        scores = (np.asarray(features_ND, np.float64) - self.mean_D) / self.scale_D @ self.weights_DK
        scores = scores + self.intercept_K
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        return _softmax(scores)


def logistic_path(
    features_ND: np.ndarray,
    targets_N: np.ndarray,
    l2: Sequence[float],
    *,
    scale: str = "each",
    max_iterations: int,
    tolerance: float,
) -> Iterator[tuple[float, Logistic]]:
    """The solution for each penalty, the strongest first.

    Args:
        features_ND: of any scale.
        targets_N: class numbers 0..K-1, each of which occurs.
        l2: the penalties: a sum of losses plus l2 / 2 times the squared length of the weights is made least.
        scale: `each` divides every feature by its own deviation, `all` divides all by one number, `none` only centres.
        max_iterations: of each penalty.
        tolerance: the largest slope along a scaled axis, per item, at which to stop.

    Raises:
        InputError: fewer than two classes, features that are no finite numbers, or a penalty without a minimum.
    """
    num_classes = int(targets_N.max(initial=-1)) + 1
    if num_classes < 2:
        raise InputError("logistic regression needs two classes", expected="at least two", got=str(num_classes))
    mean, scales, rotation_DR, turned_NR = _turned(features_ND, scale)
    truth_NK = np.eye(num_classes)[targets_N]
    truth_NK = truth_NK[:, 1:] if num_classes == 2 else truth_NK
    curvature_R = np.einsum("nr,nr->r", turned_NR, turned_NR)
    weights_RK = np.zeros((turned_NR.shape[1], truth_NK.shape[1]))
    intercept_K = np.zeros(truth_NK.shape[1])
    for penalty in sorted(l2, reverse=True):
        weights_RK, intercept_K = _solved(
            turned_NR, truth_NK, penalty, curvature_R,
            start=(weights_RK, intercept_K), max_iterations=max_iterations, tolerance=tolerance,
        )  # fmt: skip
        yield penalty, Logistic(rotation_DR @ weights_RK, intercept_K, mean, scales)


def _turned(features_ND: np.ndarray, scale: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, scales, the principal axes, and the standardised features on these. What no item varies in is left out."""
    table = np.asarray(features_ND, np.float64)
    if not np.isfinite(table).all():
        raise InputError("features must be finite numbers", got="inf or nan", fix="Check the encoder's weights.")
    mean = table.mean(axis=0)
    centred = table - mean
    scales = np.ones(table.shape[1])
    if scale == "each":
        scales = centred.std(axis=0)
    elif scale == "all":
        scales = np.full(table.shape[1], np.sqrt((centred**2).mean()))
    scales[scales == 0] = 1.0
    centred /= scales
    if len(table) >= table.shape[1]:
        squares, axes_DR = np.linalg.eigh(centred.T @ centred)
        kept = squares > _RANK * max(float(squares[-1]), 1e-300)
        rotation_DR = axes_DR[:, kept]
        return mean, scales, rotation_DR, centred @ rotation_DR
    squares, axes_NR = np.linalg.eigh(centred @ centred.T)
    kept = squares > _RANK * max(float(squares[-1]), 1e-300)
    rotation_DR = centred.T @ axes_NR[:, kept] / np.sqrt(squares[kept])
    return mean, scales, rotation_DR, centred @ rotation_DR


def _solved(
    turned_NR: np.ndarray,
    truth_NK: np.ndarray,
    penalty: float,
    curvature_R: np.ndarray,
    *,
    start: tuple[np.ndarray, np.ndarray],
    max_iterations: int,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercept of one penalty, from `start`, by L-BFGS on scaled axes."""
    from scipy.optimize import minimize

    num_items, num_outputs = truth_NK.shape
    share = _variance(turned_NR @ start[0] + start[1])
    step_R = 1 / np.sqrt(share * curvature_R + penalty)
    step_1 = 1 / np.sqrt(share * num_items)

    def slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        scaled = flat.reshape(-1, num_outputs)
        weights, intercept = scaled[:-1] * step_R[:, None], scaled[-1] * step_1
        loss, error_NK = _loss(turned_NR @ weights + intercept, truth_NK)
        down = np.empty_like(scaled)
        down[:-1] = (turned_NR.T @ error_NK + penalty * weights) * step_R[:, None]
        down[-1] = error_NK.sum(axis=0) * step_1
        return loss + 0.5 * penalty * float((weights**2).sum()), down.ravel()

    first = np.concatenate([start[0] / step_R[:, None], start[1][None] / step_1])
    found = minimize(
        slope,
        first.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iterations, "maxfun": 2 * max_iterations, "maxcor": 20, "ftol": 0.0, "gtol": tolerance},
    )
    solved = found.x.reshape(-1, num_outputs)
    if not np.isfinite(solved).all():
        raise InputError("logistic regression found no minimum", got=f"l2 {penalty:g}", fix="Take a stronger penalty.")
    return solved[:-1] * step_R[:, None], solved[-1] * step_1


def _loss(scores_NK: np.ndarray, truth_NK: np.ndarray) -> tuple[float, np.ndarray]:
    """The summed loss and its slope along the scores."""
    if scores_NK.shape[1] == 1:
        given = np.logaddexp(0.0, scores_NK)
        return float((given - truth_NK * scores_NK).sum()), np.exp(scores_NK - given) - truth_NK
    top = scores_NK.max(axis=1, keepdims=True)
    powers = np.exp(scores_NK - top)
    total = powers.sum(axis=1, keepdims=True)
    loss = float((np.log(total) + top).sum() - np.einsum("nk,nk->", scores_NK, truth_NK))
    powers /= total
    powers -= truth_NK
    return loss, powers


def _variance(scores_NK: np.ndarray) -> float:
    """The mean variance of an output's indicator under the present scores: how curved the loss is."""
    if scores_NK.shape[1] == 1:
        scores_NK = np.concatenate([np.zeros_like(scores_NK), scores_NK], axis=1)
    given = _softmax(scores_NK)
    return max(float((given * (1 - given)).mean()), 1e-4)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    total: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return total

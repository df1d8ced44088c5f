"""RadCliQ: a fitted line through four scores of a report. Lower is better: it estimates the number of errors."""

from typing import Literal, NamedTuple

from osler.core.errors import InputError

Version = Literal["v0", "v1"]
_SAFE_MEAN = 0.1


class Components(NamedTuple):
    """What the line is fitted on, in the fitted order.

    radgraph: mean of RadGraph entity and relation F1 (case kept). bertscore: distilroberta-base, layer 5, rescaled F1.
    semb: cosine of the CheXbert vectors. bleu2: sentence BLEU-2 of lower-cased words.
    """

    radgraph: float
    bertscore: float
    semb: float
    bleu2: float


class _Line(NamedTuple):
    mean: Components
    scale: Components
    weight: Components
    intercept: float


LINES: dict[Version, _Line] = {
    "v0": _Line(
        mean=Components(0.5398376019082272, 0.6312549595000001, 0.7716797866672277, 0.4607372064809605),
        scale=Components(0.3018344440559102, 0.22466950746141123, 0.24750333805236252, 0.30336670936092264),
        weight=Components(-0.4796252644863446, -0.6762170542369337, -0.46366575161751994, 0.2165861905287535),
        intercept=1.641666666666666,
    ),
    "v1": _Line(
        mean=Components(0.53792312, 0.61757256, 0.76479421, 0.44738335),
        scale=Components(0.30282584, 0.22430938, 0.25394391, 0.29892717),
        weight=Components(-0.37708368261038905, -0.37030009974480316, -0.25261621789593225, 4.315048405024756e-12),
        intercept=2.466552561323256e-10,
    ),
}


def radcliq(components: Components, version: Version) -> float:
    """The fitted value. It is linear, so the mean over reports is the value of the mean components."""
    mean, scale, weight, intercept = LINES[version]
    terms = (w * (x - m) / s for x, m, s, w in zip(components, mean, scale, weight, strict=True))
    return sum(terms) + intercept


def inverse_of_mean(mean: float, interval: tuple[float, float] | None) -> float:
    """1 / mean, the column that some tables print. Never the mean of 1 / value.

    Raises:
        InputError: the mean or its interval reaches 0.1 or below, where the quotient runs away and then changes sign.
    """
    low = min(mean, *interval) if interval else mean
    if low <= _SAFE_MEAN:
        raise InputError(
            "1/RadCliQ says nothing here",
            expected=f"a mean whose whole interval lies above {_SAFE_MEAN}",
            got=f"{mean:.4g}" + (f" in {interval[0]:.4g}..{interval[1]:.4g}" if interval else ""),
            fix="Report RadCliQ itself; lower is better.",
        )
    return 1 / mean


def inverse_remark(mean: float, interval: tuple[float, float] | None) -> str:
    """The labelled compatibility column, or why it is refused."""
    try:
        return f"compatibility column 1/mean(RadCliQ), higher is better: {inverse_of_mean(mean, interval):.4f}"
    except InputError as error:
        return f"no compatibility column: {error}"

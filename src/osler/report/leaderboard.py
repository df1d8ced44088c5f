"""Leaderboard: tasks by models, each score with what it has to beat and which other model it can be told apart from."""

from collections.abc import Sequence
from html import escape

from osler.report.elements import section
from osler.report.evaluations import Evaluation
from osler.report.pairs import ARROWS, Pair, is_better, not_compared, side
from osler.report.tables import BASELINES, interval, label, number, published_words, reason, unparsed_words
from osler.schema.result import Interval, Result

_CAPTION = (
    "Each score with its 95 % interval, its count, its share of answers that could not be parsed (they count as "
    "wrong), and how it stands to its baselines and to the other models on the same items: ▲ higher, ▼ lower, = not "
    "told apart (5 %, Holm's correction). Models are in the recipe's order: none is ranked. Published scores are "
    "others' own, over items and by rules that may differ; no mark uses them."
)
_WORDS = {"above": "higher than", "below": "lower than", "not told apart": "not told apart from"}
Key = tuple[str, str]


def leaderboard(evaluations: Sequence[Evaluation], pairs: Sequence[Pair]) -> str:
    """The section; "" where there is one evaluation only, whose scores stand in the table below it."""
    if len(evaluations) < 2:
        return ""
    keys = list(dict.fromkeys((result.task, result.metric) for each in evaluations for result in each.results))
    found = [{(result.task, result.metric): result for result in each.results} for each in evaluations]
    head = "".join(f'<th scope="col">{escape(each.name)}</th>' for each in evaluations)
    rows = "".join(_row(key, found, evaluations, pairs) for key in keys)
    table = (
        f'<div class="scroll"><table class="board">\n<caption>{escape(_CAPTION)}</caption>\n<thead><tr>'
        f'<th scope="col">task</th>{head}<th scope="col">published by others</th></tr></thead>\n'
        f"<tbody>{rows}</tbody>\n</table></div>\n"
    )
    return section("Leaderboard", table + _uncompared(evaluations, pairs))


def _row(key: Key, found: Sequence[dict[Key, Result]], evaluations: Sequence[Evaluation], pairs: Sequence[Pair]) -> str:
    own = [pair for pair in pairs if (pair.task, pair.metric) == key]
    cells = []
    for place, results in enumerate(found):
        result = results.get(key)
        body = '<span class="absent">not asked</span>' if result is None else _score(result, place, own, evaluations)
        cells.append(f"<td>{body}</td>")
    held = [results[key] for results in found if key in results]
    said = list(dict.fromkeys(words for result in held for words in published_words(result)))
    published = "".join(f"<small>{escape(words)}</small>" for words in said) or '<span class="absent">none</span>'
    name = f'<th scope="row">{escape(key[0])}<small>{escape(key[1])}</small></th>'
    return f'<tr>{name}{"".join(cells)}<td class="published">{published}</td></tr>\n'


def _score(result: Result, place: int, pairs: Sequence[Pair], evaluations: Sequence[Evaluation]) -> str:
    stamp = "items not stamped" if not result.items else f"items {result.items}"
    kind = "" if result.items == "verified" else ' class="stamp"'
    if result.value is None:
        return f'<span class="absent">{escape(reason(result))}</span>'
    lines = [
        f"<b>{number(result.value)}</b> <small>({escape(interval(result.ci_low, result.ci_high))})</small>",
        f"<small>n {result.n:,}, unparsed {escape(unparsed_words(result))}</small>",
        f"<small{kind}>{escape(stamp)}</small>",
        *(_against(name, result.baseline.get(name), result.metric) for name in BASELINES),
        *(_mark(pair, place, evaluations) for pair in pairs if place in (pair.first, pair.second)),
    ]
    return "".join(lines)


def _against(name: str, found: Interval | None, metric: str) -> str:
    """How a score stands to one baseline, with the baseline's own value."""
    if found is None or found.value is None:
        return f"<small>? {label(name)}: not measured</small>"
    where = side(found.paired) if found.paired is not None else "not measured"
    words = "not compared with" if where == "not measured" else _WORDS[where]
    return (
        f'<small class="{_tone(metric, where)}">{ARROWS[where]} <span class="aloud">{words} </span>'
        f"{label(name)} {number(found.value)}</small>"
    )


def _mark(pair: Pair, place: int, evaluations: Sequence[Evaluation]) -> str:
    """How a score stands to that of another model on the same items."""
    turned = place == pair.first
    other = evaluations[pair.second if turned else pair.first].name
    where = side(pair.difference, turned=turned)
    if where == "not measured":
        why = "; ".join(pair.difference.notes) or "no test"
        return f'<small class="mark">? against {escape(other)}: not measured ({escape(why)})</small>'
    p, value = pair.difference.p_holm or 0.0, pair.difference.value or 0.0
    shown = "p &lt; 0.001" if p < 0.001 else f"p {p:.3f}"
    words = f"{_WORDS[where]} {escape(other)} by {abs(value):.3f}" if where != "not told apart" else ""
    words = words or f"{_WORDS[where]} {escape(other)} ({-value if turned else value:+.3f})"
    return (
        f'<small class="mark {_tone(pair.metric, where)}">{ARROWS[where]} {words}, {shown}, '
        f"n {pair.difference.n:,}</small>"
    )


def _tone(metric: str, where: str) -> str:
    good = is_better(metric, where)  # type: ignore[arg-type]
    return "" if good is None else "right" if good else "wrong"


def _uncompared(evaluations: Sequence[Evaluation], pairs: Sequence[Pair]) -> str:
    missing = not_compared(tuple(pairs), tuple(evaluations))
    lines = "".join(
        f"<li>{escape(a.name)} with {escape(b.name)}: <code>osler compare {escape(str(a.folder))} "
        f"{escape(str(b.folder))} --out FILE.json</code>, then name FILE.json in <code>comparisons</code></li>"
        for a, b in missing
    )
    if not missing:
        return ""
    return f"<p>Not compared item by item, so that nothing marks which is higher:</p><ul>{lines}</ul>"

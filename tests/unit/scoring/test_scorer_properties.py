"""What every metric keeps, whatever the answers are: order, empty and odd texts, ten options, length, time."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.catalog import METRICS
from osler.schema.sample import LETTERS, Answer, choice, closed, number, open_answer, passage
from osler.scoring.extract import read_reply
from osler.scoring.metrics.rouge import _lcs
from osler.scoring.report_metrics.pairs import read_pair
from osler.scoring.scorer import Metric, load_metric, total
from recorded import Recorded

ALL = [name for base in METRICS.names() for name in (base, *(f"{base}/{v}" for v in METRICS.load(base).variants))]
ODD = [
    "",
    " ",
    "\n",
    "肺に影がある。",
    "é" * 3,
    "e\u0301",
    "\u200b",
    "🫁",
    "\ud800",
    "I cannot answer that.",
    "<|channel|>final",
]
WORDS = st.lists(st.sampled_from(["a", "b", "c", ".", "left", "lung"])).map(" ".join)
TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(ODD), WORDS)


def by_words(text: str):
    """Extractions made of the words themselves."""
    words = text.split()
    return {
        "entities": {str(n): {"tokens": w, "label": "OBS-DP", "relations": []} for n, w in enumerate(words)},
        "labels": [len(text) * n % 4 for n in range(14)],
        "vector": [1.0, float(len(text))],
    }


def by_pair(key: str):
    given_text, gold = read_pair(key)
    return [1.0] * 3 if given_text == gold else [0.5] * 3


EXTRACTED = Recorded(
    {
        "radgraph": by_words,
        "chexbert": by_words,
        "bertscore": by_pair,
        "ratescore": lambda text: {
            "entities": [[w, "DISEASE"] for w in text.split()],
            "vectors": [[1.0, float(len(w))] for w in text.split()] or [[0.0, 0.0]][:0],
        },
        "green": lambda key: {"analysis": json.dumps(key)},
    }
)


def ready(name: str) -> Metric:
    return load_metric(name).bound(EXTRACTED)


def answers() -> st.SearchStrategy[Answer]:
    labels = ("yes", "no", "maybe")
    return st.one_of(
        st.sampled_from(labels).map(lambda text: closed(text, labels)),
        st.sampled_from(range(10)).map(lambda n: choice(f"option {n}", tuple(f"option {m}" for m in range(10)))),
        TEXTS.map(open_answer),
        TEXTS.map(passage),
        st.integers(-5, 5).map(number),
    )


def replies(answer: Answer) -> st.SearchStrategy[str | None]:
    if answer.kind == "choice":
        return st.sampled_from([None, *LETTERS])
    if answer.kind == "number":
        return st.one_of(st.none(), st.integers(-5, 5).map(str))
    return st.one_of(st.none(), TEXTS, st.just(answer.text), st.sampled_from(("yes", "no", "maybe")))


PAIRS = st.lists(answers().flatmap(lambda answer: st.tuples(replies(answer), st.just(answer))), max_size=6)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=15, deadline=None)
@given(pairs=PAIRS, data=st.data())
def test_the_order_of_items_does_not_matter_and_every_score_keeps_its_range(name, pairs, data):
    metric = ready(name)
    low, high = metric.range
    for pair in pairs:
        score = metric.score(*pair)
        assert score is None or low - 1e-9 <= score <= high + 1e-9
        assert pair[1].kind in metric.kinds or score is None
    turned = data.draw(st.permutations(pairs))
    assert metric.aggregate(turned) == pytest.approx(metric.aggregate(pairs), abs=1e-12, nan_ok=False)


@pytest.mark.parametrize("name", [name for name in ALL if load_metric(name).of_sums])
@settings(max_examples=15, deadline=None)
@given(pairs=PAIRS)
def test_sums_of_parts_are_the_parts_sums(name, pairs):
    metric = ready(name)
    measured = [pair for pair in pairs if pair[1].kind in metric.kinds]
    halves = [total(metric.sums(*pair) for pair in half) for half in (measured[:2], measured[2:])]
    if measured:
        assert metric.of_sums(total(halves)) == pytest.approx(metric.aggregate(pairs), abs=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_an_answer_of_100_000_characters_takes_time_in_proportion(name):
    metric = ready(name)
    unit = "the left lung is clear, no effusion of 1.5 cm. "
    for kind, answer in (("open", open_answer("left lung is clear")), ("text", passage("The left lung is clear."))):
        if kind in metric.kinds and metric.name.partition("/")[0] != "ratescore":
            seconds = [least_seconds(metric, unit * (length // len(unit)), answer) for length in (10_000, 100_000)]
            assert seconds[1] < 0.5 + 25 * seconds[0] and seconds[1] < 2.0


def least_seconds(metric: Metric, text: str, answer: Answer) -> float:
    taken = []
    for _ in range(2):
        start = time.process_time()
        metric.score(text, answer)
        if metric.sums is not None:
            metric.sums(text, answer)
        taken.append(time.process_time() - start)
    return min(taken)


@pytest.mark.parametrize("letter", LETTERS)
def test_ten_options_under_channels_end_in_the_right_score(letter):
    options = tuple(f"finding {n}" for n in range(10))
    answer = choice(options[LETTERS.index(letter)], options)
    thought = "<|channel|>analysis<|message|>A or B?<|end|><|start|>assistant"
    reply = f"{thought}<|channel|>final<|message|>Answer: {letter}<|return|>"
    found = read_reply(reply, answer)
    for name in ("choice_accuracy", "exact_match", "macro_f1", "balanced_accuracy"):
        assert load_metric(name).score(found.parsed, answer) == 1.0


@pytest.mark.parametrize("reply", ["I'm sorry, I cannot answer that.", "", "   ", "<think>left lung"])
def test_a_refusal_or_nothing_scores_nothing(reply):
    answer = open_answer("left lung")
    found = read_reply(reply, answer)
    assert found.parsed is None
    for name in ("exact_match", "open_accuracy", "token_f1", "token_recall", "bleu1", "rouge"):
        assert load_metric(name).score(found.parsed, answer) == 0.0


@settings(max_examples=60, deadline=None)
@given(a=st.lists(st.sampled_from("abcd"), max_size=20), b=st.lists(st.sampled_from("abcd"), max_size=20))
def test_longest_common_subsequence_equals_the_table(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        before = row[:]
        for n, y in enumerate(b):
            row[n + 1] = before[n] + 1 if x == y else max(row[n], before[n + 1])
    assert _lcs(a, b) == row[-1]


def test_composed_and_decomposed_letters_match_where_the_metric_says_so():
    answer = open_answer("caf\u00e9")
    assert load_metric("exact_match").score("cafe\u0301", answer) == 1.0
    assert load_metric("rouge/l-unicode").score("肺 影", passage("肺 影")) == 1.0
    assert load_metric("rouge/l").score("肺 影", passage("肺 影")) == 0.0


def test_fixture_folders_are_those_of_metrics():
    folders = {path.name for path in (Path(__file__).parents[2] / "fixtures" / "metrics").iterdir()}
    assert folders == set(METRICS.names())

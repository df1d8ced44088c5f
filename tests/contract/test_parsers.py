"""What every parser owes: a name, a source, a label that is no metric's, verdicts in range, and no hidden chance."""

import time

import pytest

from osler.core.catalog import METRICS, PARSERS
from osler.core.errors import InputError
from osler.core.rng import generator
from osler.schema.sample import choice, closed, number, open_answer
from osler.scoring.parser import load_parser, parser_names

OPTIONS = tuple(f"finding {n}" for n in range(10))
GOLD = {
    "choice": (choice(OPTIONS[9], OPTIONS), "J"),
    "closed": (closed("yes"), "yes"),
    "open": (open_answer("left lung"), "left lung"),
    "number": (number(3), "3"),
}
REPLIES = [
    "",
    " ",
    "yes no",
    "A",
    "(A) (B)",
    "\u80ba",
    "\\boxed{",
    "<answer>",
    "1e5",
    "nan",
    "I cannot tell.",
    "x" * 1000,
]


@pytest.fixture(params=parser_names())
def parser(request):
    return load_parser(request.param)


def test_is_called_like_its_file(parser):
    assert parser.name in parser_names()
    assert parser.name.partition("/")[0] in PARSERS.names()
    assert parser.rule and "/" in parser.source
    assert parser.signature.startswith(f"compat:{parser.name}|")


def test_its_scores_cannot_pass_for_ours(parser):
    for measure in parser.measures.values():
        label = parser.label(measure)
        assert label == f"{measure}[compat:{parser.name}]"
        assert label.partition("/")[0] not in METRICS.names()


def test_a_plain_right_answer_is_right_and_any_reply_is_marked(parser):
    for kind in parser.measures:
        answer, right = GOLD[kind]
        assert parser.judge(right, answer, generator(0, "right")).score == 1.0
        for reply in REPLIES:
            verdict = parser.judge(reply, answer, generator(0, reply))
            assert verdict.score is None or 0.0 <= verdict.score <= 1.0
            assert verdict == parser.judge(reply, answer, generator(0, reply))


def test_long_answers_take_no_longer_than_they_are(parser):
    started = time.process_time()
    for kind in parser.measures:
        for unit in ("A", " ", "9", "1.", "<answer>", "\\boxed{", "answer is ", "(A) "):
            parser.judge((unit * 100_000)[:100_000] + "x", GOLD[kind][0], generator(0))
    assert time.process_time() - started < 20.0


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="medevalkit"):
        load_parser("medevalkitt")
    with pytest.raises(InputError, match=r"unknown variant 'slak' .*slake"):
        load_parser("medevalkit/slak")
    with pytest.raises(InputError, match="it has no variants"):
        load_parser("mmmu/x")

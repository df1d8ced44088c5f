import json

import pytest

from chat_server import Fault, chat_server, words
from curate_asking import mentioned, sample, samples_of, table
from osler.curate.asking.record import read_asked
from osler.curate.operator import Workplace
from osler.curate.operators.summarise_mentions import OPERATOR, PROMPT_SHA256
from osler.endpoint.ask import PausedError

SEEN = "Figure 1 shows a 12 mm nodule in the left upper lobe of a man aged 61."


def apply(server, out, **options):
    asked = {"url": server.url, "model": "toy", "max_tries": 1}
    made = OPERATOR.build(OPERATOR.config.parse({"endpoint": asked, **options}))
    return lambda given: made(given, place=Workplace(out, out))


def said(summary: str) -> str:
    return json.dumps({"summary": summary})


def test_what_the_text_says_becomes_a_sample_of_its_own(tmp_path):
    given = table(mentioned(0, SEEN, "It was resected."), sample(1, "No mention."))
    with chat_server(lambda body: said("A 12 mm nodule in the left upper lobe.")) as server:
        kept = apply(server, tmp_path)(given)
        assert len(server.requests) == 1
        asked = words(server.requests[0])
    assert SEEN in asked and "It was resected." in asked and "A film." in asked
    first, new, other = samples_of(kept)
    assert (first.id, first.answer.text, first.tags) == ("toy/train/0", "A film.", ()), "the caption stays as it is"
    assert (new.id, new.task, new.tags) == ("toy/train/0#mentions", "figure_context", ("mentions:summarised",))
    assert new.answer.text == "A 12 mm nodule in the left upper lobe." and new.media == first.media
    assert new.question != first.question and new.mentions == () and other.id == "toy/train/1"
    assert kept.drops.num_rows == 0 and kept.table["sample_ids"][0].as_py() == ["toy/train/0", "toy/train/0#mentions"]


@pytest.mark.parametrize(
    ("answer", "tag"),
    [
        (said("A nodule of 15 mm."), "mentions:unreadable"),
        ("a nodule", "mentions:unreadable"),
        (said("") , None),
        (said(" \n"), None),
    ],
)  # fmt: skip
def test_what_is_made_up_unreadable_or_empty_makes_no_sample(tmp_path, answer, tag):
    with chat_server(lambda body: answer) as server:
        kept = apply(server, tmp_path)(table(mentioned(0, SEEN)))
    (only,) = samples_of(kept)
    assert only.tags == ((tag,) if tag else ()) and only.answer.text == "A film."
    (row,) = read_asked(tmp_path).to_pylist()
    assert bool(row["problem"]) == bool(tag)


def test_long_texts_are_cut_and_trouble_pauses(tmp_path):
    with chat_server(lambda body: said("")) as server:
        apply(server, tmp_path, max_letters=200)(table(mentioned(0, "word " * 1000)))
        assert len(words(server.requests[0])) < 250 and words(server.requests[0]).endswith("</paragraphs>")
    with chat_server(lambda body: Fault(status=500)) as server, pytest.raises(PausedError):
        apply(server, tmp_path)(table(mentioned(0, SEEN)))


def test_the_instruction_is_the_one_that_recipes_pin():
    assert PROMPT_SHA256 == "e409e6baddc75cd17696f207c85507bbca38b3acb734e1f52c80799fd26de64a"

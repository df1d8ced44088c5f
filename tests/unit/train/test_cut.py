"""Cutting words: to the length asked for, from the answer's end first, and never a mark or an image."""

import pytest

from osler.model.prompt import Encoded
from osler.train.cut import cut_words

MARKS = {1, 2, 3}  # of a turn's begin, its end, and an image; words are 10 and more
IMAGE = 3


def conversation(question: int, answer: int, *, image: int = 4) -> Encoded:
    """begin, image, question, end, begin, who speaks | answer, end."""
    ids = [1, *[IMAGE] * image, *range(100, 100 + question), 2, 1, 10, *range(500, 500 + answer), 2]
    return Encoded(ids, [False] * (len(ids) - answer - 1) + [True] * (answer + 1))


def cut(encoded: Encoded, limit: int) -> Encoded | None:
    return cut_words(encoded, limit, prefix=5, mark_ids=MARKS)


def test_the_end_of_the_answer_goes_first() -> None:
    short = cut(conversation(5, 20), 25)
    assert short is not None
    assert short.ids == conversation(5, 20).ids[:25]
    assert sum(short.learned) == 12 and 2 not in short.ids[13:]


def test_an_answer_keeps_its_share_and_the_question_gives_way() -> None:
    whole = conversation(50, 20)
    short = cut(whole, 40)
    assert short is not None and len(short.ids) == len(short.learned) == 40
    assert sum(short.learned) == 17
    assert short.ids[:5] == whole.ids[:5]
    assert short.ids[5:20] == list(range(100, 115)) and short.ids[20:23] == [2, 1, 10]
    assert short.ids[23:] == list(range(500, 517))


def test_a_short_answer_stays_whole() -> None:
    short = cut(conversation(100, 3), 60)
    assert short is not None and short.ids[-4:] == [500, 501, 502, 2]


@pytest.mark.parametrize("limit", [11, 12, 30, 60, 100])
def test_images_and_marks_stay_at_any_length(limit: int) -> None:
    short = cut(conversation(80, 60), limit)
    assert short is not None and len(short.ids) == limit
    assert short.ids.count(IMAGE) == 4 and short.ids[:5] == [1, 3, 3, 3, 3]


@pytest.mark.parametrize("limit", [3, 7])
def test_what_has_no_words_to_give_is_refused(limit: int) -> None:
    assert cut(conversation(2, 60), limit) is None


def test_a_talk_of_several_turns_ends_earlier() -> None:
    first, second = conversation(5, 20), conversation(0, 60, image=0)
    talk = Encoded(first.ids + second.ids, first.learned + second.learned)
    short = cut(talk, 40)
    assert short == Encoded(talk.ids[:40], talk.learned[:40])
    assert sum(short.learned) > 20


def test_nothing_learned_cannot_be_cut() -> None:
    assert cut(Encoded([1] * 9, [False] * 9), 4) is None

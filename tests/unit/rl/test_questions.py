"""Questions: drawn by weight without repeat, refused with a reason, asked in one order after another."""

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.rl.questions import Questions, draw_pool, order
from osler.train.pack import select


def tasks_of(pool, selections):
    return [selections[s].table["task"][row].as_py() for s, row in pool.places]


def test_a_pool_is_drawn_without_repeat_and_the_same_again(selection):
    pool, again = (draw_pool([selection], num_prompts=20, seed=3) for _ in range(2))
    assert pool == again and len(set(pool.places)) == 20
    assert draw_pool([selection], num_prompts=20, seed=4).places != pool.places
    assert len(draw_pool([selection], num_prompts=None, seed=3).places) == selection.table.num_rows


def test_weights_say_which_tasks_come_first(store):
    heavy = select(store, split="train", tasks={"toy_side": 1000.0, "toy_choice": 1.0}, licences=None, weight=1.0)
    assert tasks_of(draw_pool([heavy], num_prompts=12, seed=0), [heavy]).count("toy_side") >= 11


def test_selections_share_by_weight(store):
    parts = [
        select(store, split="train", tasks={task: 1.0}, licences=None, weight=weight)
        for task, weight in (("toy_side", 3.0), ("toy_choice", 1.0))
    ]
    assert sorted(tasks_of(draw_pool(parts, num_prompts=12, seed=0), parts)) == ["toy_choice"] * 3 + ["toy_side"] * 9


def test_refused_samples_are_counted_and_others_take_their_place(selection):
    pool = draw_pool(
        [selection], num_prompts=12, seed=0, refuse=lambda s: "a choice" if s.answer.kind == "choice" else ""
    )
    assert "toy_choice" not in tasks_of(pool, [selection])
    assert len(pool.places) == 12 and pool.left_out["a choice"] > 0


def test_too_few_and_none_are_errors(selection):
    with pytest.raises(InputError, match="its share of num_prompts"):
        draw_pool([selection], num_prompts=10_000, seed=0)
    with pytest.raises(InputError, match="48 times: no"):
        draw_pool([selection], num_prompts=None, seed=0, refuse=lambda sample: "no")


def test_every_question_is_asked_before_one_is_asked_again():
    found = order(5, 12, seed=1)
    assert sorted(found[:5]) == sorted(found[5:10]) == list(range(5))
    assert list(found[:5]) != list(found[5:10])
    assert np.array_equal(found, order(5, 12, seed=1))


def test_questions_read_as_the_evaluation_reads_them(questions, built):
    with_thought = next(q for q in map(questions.__getitem__, range(len(questions))) if q.sample.reasoning)
    words = built[1].tokenizer.decode(with_thought.ids)
    assert "Reasoning: high" in words and words.endswith("<|start|>assistant")
    assert with_thought.tiles[0].shape[1:] == (3, 96, 96)


def test_few_questions_are_held(selection, built):
    few = Questions([selection], [(0, n) for n in range(6)], built[1], held=2)
    first = few[0]
    assert few[0] is first
    few[1], few[2]
    assert few[0] is not first and len(few) == 6


def test_withheld_images_are_not_shown(store, built):
    blind = select(store, split="train", tasks=None, licences=None, weight=1.0, withhold_images=True)
    question = Questions([blind], [(0, 0)], built[1])[0]
    assert question.tiles == question.pictures == () and not question.sample.media

"""Rewards: right, wrong, gamed and unjudged replies; how several become one number."""

import pytest

from osler.core.catalog import REWARDS
from osler.core.errors import InputError, OslerError
from osler.rl import reward as rewards
from osler.rl.reward import Panel, Reward, read_said
from osler.schema.sample import Box, Provenance, Sample, choice, closed, image, number, open_answer, passage, user
from osler.scoring.scorer import load_metric
from recorded import Recorded

FINAL = "<|channel|>final<|message|>"
THOUGHT = "<|channel|>analysis<|message|>Seen: effusion.<|end|><|start|>assistant"
NOTHING = Recorded({})


def sample(answer, **fields):
    asked = {"id": "a", "turns": (user(image("a.png"), "Which?"),), "answer": answer}
    return Sample(**{**asked, **fields})


def said(asked, raw, *, finished=True, num_tokens=5, max_tokens=16):
    return read_said(asked, raw, finished=finished, num_tokens=num_tokens, max_tokens=max_tokens)


def worth(name, asked, raw, **how):
    reward = REWARDS.load(name)
    return reward.judge(said(asked, raw, **how), {metric: load_metric(metric) for metric in reward.metrics})


@pytest.mark.parametrize(
    ("answer", "right", "wrong"),
    [
        (closed("yes"), ["yes", "Yes.", "Answer: yes"], ["no", "", "yes or no", "yes no", "maybe yes"]),
        (choice("edema", ("a", "edema")), ["B", "edema"], ["A", "A B", "A or B", "Answer: A\nAnswer: B", ""]),
        (number(3), ["3", "three"], ["4", "3 or 4", "at least 3", "1 2 3"]),
        (open_answer("left base", "base left"), ["Left base.", "base left"], ["left base or right base", "left", ""]),
    ],
)  # fmt: skip
def test_answer_correct_pays_for_one_right_answer(answer, right, wrong):
    asked = sample(answer)
    assert {worth("answer_correct", asked, FINAL + words) for words in right} == {1.0}
    assert {worth("answer_correct", asked, FINAL + words) for words in wrong} == {0.0}


def test_answer_correct_pays_nothing_for_what_was_cut_or_said_twice():
    asked = sample(closed("yes"))
    assert worth("answer_correct", asked, FINAL + "yes", finished=False) == 0
    assert worth("answer_correct", asked, f"{FINAL}yes<|end|><|start|>assistant{FINAL}no") == 0
    assert worth("answer_correct", asked, FINAL + "yes " * 500) == 1.0  # long but clear: that is for `length` to say
    assert worth("answer_correct", sample(passage("Clear lungs.")), FINAL + "Clear lungs.") is None


def test_format_asks_for_thoughts_where_the_question_does():
    plain, reasoned = sample(closed("yes")), sample(closed("yes"), reasoning="Seen.")
    assert worth("format", plain, FINAL + "no") == worth("format", reasoned, THOUGHT + FINAL + "no") == 1.0
    assert worth("format", plain, THOUGHT + FINAL + "no") == worth("format", reasoned, FINAL + "no") == 0.0
    assert worth("format", reasoned, "<think>seen</think>no") == 1.0
    for raw in ("", "xyz", FINAL + "no" + "<|end|>" + FINAL + "no", THOUGHT * 2 + FINAL + "no"):
        assert worth("format", plain, raw) == 0.0, raw
    assert worth("format", plain, FINAL + "no", finished=False) == 0.0


def test_length_pays_in_full_up_to_half_and_nothing_at_the_end():
    asked = sample(closed("yes"))
    lengths = {tokens: worth("length", asked, FINAL + "no", num_tokens=tokens) for tokens in (1, 8, 12, 16)}
    assert lengths == {1: 1.0, 8: 1.0, 12: 0.5, 16: 0.0}
    assert worth("length", asked, "", num_tokens=1) == 0.0, "silence saves no words"


def test_grounding_pays_for_overlap_and_not_for_many_boxes():
    truth = Box(label="x", x0=0.1, y0=0.1, x1=0.5, y1=0.5)
    asked = sample(closed("yes"), boxes=(truth,))
    box = "<box>[[100, 100, 500, 500]]</box>"
    assert worth("grounding", asked, f"{FINAL}yes {box}") == pytest.approx(1.0)
    assert worth("grounding", asked, f"{FINAL}yes <box>[0.1, 0.1, 0.5, 0.3]</box>") == pytest.approx(0.5)
    assert worth("grounding", asked, f"{FINAL}yes {box * 10}") == pytest.approx(0.1)
    assert worth("grounding", asked, f"{FINAL}yes") == 0.0
    assert worth("grounding", sample(closed("yes")), f"{FINAL}yes {box}") is None
    two = sample(closed("yes"), boxes=(truth,), turns=(user(image("a.png"), image("b.png"), "Which?"),))
    assert worth("grounding", two, f"{FINAL}yes {box}") is None


def test_phantom_truth_judges_drawn_films_only():
    origin = Provenance(dataset="phantom", record_id="0", licence="CC0-1.0")
    report = sample(passage("Small left effusion. No nodule."), provenance=origin)
    assert worth("phantom_truth", report, FINAL + "A left effusion, no nodule.") == 1.0
    assert worth("phantom_truth", report, FINAL + "Effusion and nodule.") == pytest.approx(2 / 3)
    assert worth("phantom_truth", report, FINAL) == 0.0
    thought = sample(closed("yes"), reasoning="Seen: effusion.", provenance=origin)
    assert worth("phantom_truth", thought, THOUGHT + FINAL + "no") == 1.0, "the answer is for another reward"
    assert worth("phantom_truth", thought, FINAL + "yes") == 0.0
    assert worth("phantom_truth", sample(passage("Effusion.")), FINAL + "Effusion.") is None


def test_weights_of_those_that_cannot_judge_go_to_the_others():
    panel = Panel({"answer_correct": 3.0, "format": 1.0, "grounding": 4.0}, NOTHING)
    plain = sample(closed("yes"))
    pointed = sample(closed("yes"), id="b", boxes=(Box(label="x", x0=0, y0=0, x1=1, y1=1),))
    right, wrong, no_box = panel.score(
        [said(plain, FINAL + "yes"), said(plain, FINAL + "no"), said(pointed, FINAL + "yes")]
    )
    assert (right.total, wrong.total, no_box.total) == (1.0, 0.25, 0.5)
    assert right.parts == {"answer_correct": 1.0, "format": 1.0, "grounding": None}
    assert panel.judges(plain) == ("answer_correct", "format")
    assert panel.judges(pointed) == ("answer_correct", "format", "grounding")


def test_a_question_that_none_can_judge_is_worth_none():
    panel = Panel({"answer_correct": 1.0}, NOTHING)
    text = sample(passage("Clear."))
    assert panel.score([said(text, FINAL + "Clear.")])[0].total is None and panel.judges(text) == ()


def test_the_same_function_object_is_metric_and_reward():
    panel = Panel({"answer_correct": 1.0}, NOTHING)
    from osler.scoring.metrics import closed_accuracy

    assert panel.metrics["closed_accuracy"] is closed_accuracy.METRIC
    assert panel.metrics["closed_accuracy"].bound(NOTHING).score is closed_accuracy.score


def test_report_rewards_need_weights_and_use_them():
    with pytest.raises(InputError, match="metric_weights.radgraph is not set"):
        Panel({"report_radgraph": 1.0}, NOTHING)
    graph = {"edema": {"entities": {"1": {"tokens": "edema", "label": "OBS-DP", "relations": []}}}}
    denied = {"no edema": {"entities": {"1": {"tokens": "edema", "label": "OBS-DA", "relations": []}}}}
    extracted = Recorded({"radgraph": {**graph, **denied}})
    panel = Panel({"report_radgraph": 1.0, "report_negation": 1.0}, extracted)
    report = sample(passage("edema"))
    found = panel.score([said(report, FINAL + "edema"), said(report, FINAL + "no edema"), said(report, "")])
    assert [each.total for each in found] == [1.0, 0.0, 0.0]
    assert len(extracted.fetched) > 0, "texts go to the extractor in batches"


def test_a_reward_that_judges_by_the_reply_or_leaves_its_range_is_an_error(monkeypatch):
    asked = sample(closed("yes"))
    panel = Panel({"format": 1.0}, NOTHING)
    panel.rewards["format"] = Reward("format", "x", judge=lambda said, metrics: None if said.raw == "" else 1.0)
    with pytest.raises(OslerError, match="judged some replies to question 'a' and not others"):
        panel.score([said(asked, ""), said(asked, "yes")])
    panel.rewards["format"] = Reward("format", "x", judge=lambda said, metrics: 2.0)
    with pytest.raises(OslerError, match="not from 0 to 1"):
        panel.score([said(asked, "")])


def test_unknown_and_empty_recipes_are_refused():
    with pytest.raises(InputError, match="answer_correct"):
        Panel({"answer_corect": 1.0}, NOTHING)
    with pytest.raises(InputError, match="rewards is empty"):
        Panel({}, NOTHING)
    assert rewards.REWARDS.names() == sorted(rewards.REWARDS.names())

"""What every reward owes: a name, what it is blind to, a worth from 0 to 1, judging that follows from the question."""

import pytest

from osler.core.catalog import REWARDS
from osler.rl.attempts import ATTEMPTS
from osler.rl.reward import Reward, Said, read_said
from osler.schema.sample import Box, Provenance, Sample, choice, closed, image, number, open_answer, passage, user
from osler.scoring.scorer import load_metric
from recorded import Recorded

FOUND = {"entities": {"1": {"tokens": "edema", "label": "OBS-DP", "relations": []}}}
EXTRACTED = Recorded({"radgraph": lambda text: FOUND if "edema" in text else {"entities": {}}})
ANSWERS = (
    closed("yes"), choice("edema", ("effusion", "edema")), number(3), open_answer("left base"),
    passage("Small left effusion and edema."),
)  # fmt: skip
SAMPLES = [
    Sample(
        id=f"{dataset}-{answer.kind}-{len(boxes)}-{len(thought)}",
        turns=(user(image("a.png"), "Which?"),),
        answer=answer,
        boxes=boxes,
        reasoning=thought,
        provenance=Provenance(dataset=dataset, record_id="0", licence="CC0-1.0"),
    )
    for answer in ANSWERS
    for boxes in ((), (Box(label="edema", x0=0.1, y0=0.1, x1=0.5, y1=0.5),))
    for thought in ("", "Seen: effusion.")
    for dataset in ("phantom", "toy")
]
REPLIES = ["", "yes", "B", "3", "left base", "No effusion.", "Small left effusion and edema.", "<think>x</think>yes"]


@pytest.fixture(params=REWARDS.names())
def reward(request) -> Reward:
    return REWARDS.load(request.param)


def worth(reward: Reward, said: Said) -> float | None:
    return reward.judge(said, {name: load_metric(name).bound(EXTRACTED) for name in reward.metrics})


def said(sample: Sample, words: str, *, finished: bool = True, num_tokens: int = 5) -> Said:
    return read_said(sample, words, finished=finished, num_tokens=num_tokens, max_tokens=16)


def test_says_what_it_is(request, reward):
    name = request.node.callspec.params["reward"]
    assert reward.name == name and REWARDS.summary(name)
    assert len(reward.blind_to) > 20


def test_judges_by_the_question_alone_and_keeps_its_range(reward):
    judged = set()
    for sample in SAMPLES:
        words = [*REPLIES, *(attempt(sample) for attempt in ATTEMPTS.values())]
        replies = [*(said(sample, each) for each in words), said(sample, "yes", finished=False, num_tokens=16)]
        found = [worth(reward, each) for each in replies]
        assert len({each is None for each in found}) == 1, sample.id
        assert all(each is None or 0 <= each <= 1 for each in found)
        judged.add(found[0] is not None)
    assert True in judged


def test_the_metric_is_the_reward():
    """One function object counts in evaluations and rewards in training."""
    for name in REWARDS.names():
        reward = REWARDS.load(name)
        given = {metric: load_metric(metric).bound(EXTRACTED) for metric in reward.metrics}
        for metric in reward.metrics:
            module = __import__(f"osler.scoring.metrics.{metric}", fromlist=["METRIC"])
            assert load_metric(metric) is module.METRIC
        for sample in SAMPLES:
            reply = said(sample, "yes")
            if reward.judge.__name__ == "first_measured" and (found := worth(reward, reply)) is not None:
                scores = [metric.score(reply.extraction.parsed, sample.answer) for metric in given.values()]
                assert found == next(score for score in scores if score is not None)


def test_a_new_reward_takes_fifteen_lines(tmp_path, monkeypatch):
    text = '"""Says please."""\n\nfrom osler.rl.reward import Reward\n\n\ndef judge(said, metrics):\n' \
        '    """1 for please."""\n    return float("please" in said.raw)\n\n\n' \
        'REWARD = Reward(name="polite", judge=judge, blind_to="whether it is meant")\n'  # fmt: skip
    assert len(text.splitlines()) <= 15
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").write_text('"""Ours."""\n')
    (tmp_path / "lab" / "polite.py").write_text(text)
    reward = REWARDS.load("lab.polite")
    assert [reward.judge(said(SAMPLES[0], words), {}) for words in ("yes please", "yes")] == [1.0, 0.0]

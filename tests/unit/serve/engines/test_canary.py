import asyncio

import pytest

from osler.core.errors import InputError
from osler.serve.engines.canary import NUM_CANARIES, First, check_agreement, compare, first_tokens
from osler.serve.refusal import Refusal
from serve_world import Saying


class Quiet:
    def info(self, message):
        pass


def test_the_canaries_are_thirty_two_half_of_them_with_a_picture():
    engine = Saying(["<|channel|>final<|message|>", "yes"])
    found = asyncio.run(first_tokens(engine))
    assert NUM_CANARIES == 32
    assert found == [First("yes", -0.5)] * 32
    assert sum(bool(ask.pictures) for ask in engine.asked) == 16
    assert len({ask.pictures[0].sha256 for ask in engine.asked if ask.pictures}) == 16


def test_agreement_counts_equal_tokens_and_their_gap():
    expected = [First("a", -1.0), First("b", -1.0), First("c", -1.0)]
    found = compare(expected, [First("a", -1.25), First("x", -9.0), First("c", -1.0)])
    assert (found.num_equal, round(found.agreement, 3), found.max_logprob_gap) == (2, 0.667, 0.25)
    assert found.line() == "2 of 3 canaries begin alike, log-probabilities within 0.2500"


def test_local_answers_are_kept_for_the_same_weights(tmp_path, monkeypatch):
    made = []

    async def local(folder, sha256):
        made.append(sha256)
        return [First("yes", -0.5)] * 32

    monkeypatch.setattr("osler.serve.engines.canary._local", local)

    def check(sha256):
        engine = Saying(["<|channel|>final<|message|>", "yes"])
        kept = tmp_path / "canary.json"
        return asyncio.run(check_agreement(engine, tmp_path, sha256=sha256, kept=kept, log=Quiet())).agreement

    assert [check("w1"), check("w1"), check("w2")] == [1.0, 1.0, 1.0]
    assert made == ["w1", "w2"]


def test_an_engine_without_logprobs_cannot_be_compared():
    class Mute(Saying):
        async def answer(self, ask):
            async for piece in super().answer(ask):
                yield type(piece)(text=piece.text, finish=piece.finish)

    with pytest.raises(InputError, match="compare_with: null"):
        asyncio.run(first_tokens(Mute()))


@pytest.mark.parametrize("status", [502, 503])
def test_an_engine_that_fails_ends_the_comparison(status, monkeypatch):
    monkeypatch.setattr("osler.serve.engines.canary._LONGEST_WAIT_S", 0.01)

    class Failing(Saying):
        async def answer(self, ask):
            self.asked.append(ask)
            await asyncio.sleep(0.01)
            raise Refusal(status, "no", code="engine_failed", retry_after_s=9)
            yield

    engine = Failing()
    with pytest.raises(Refusal, match="no"):
        asyncio.run(asyncio.wait_for(first_tokens(engine), 20))
    assert len(engine.asked) < (33 if status == 502 else 6 * 33)

"""The seam between questions and engines."""

from dataclasses import FrozenInstanceError

import pytest

from osler.core.errors import InputError
from osler.infer.generator import Reply, Request
from osler.infer.sampling import Sampling
from osler.schema.sample import user


def test_requests_and_replies_cannot_be_changed():
    request = Request("1", (user("Wide?"),), (), max_new_tokens=4)
    reply = Reply("yes", 3, 1, 0.5, finished=True)
    with pytest.raises(FrozenInstanceError):
        request.max_new_tokens = 9
    with pytest.raises(FrozenInstanceError):
        reply.raw = "no"
    assert reply.error == "" and request.reasoning is False


def test_sampling_is_greedy_and_refuses_what_cannot_be():
    assert Sampling(8).temperature == 0.0
    with pytest.raises(InputError, match="at least 1"):
        Sampling(0)
    with pytest.raises(InputError, match="negative"):
        Sampling(8, temperature=-1.0)

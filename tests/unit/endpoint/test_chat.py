import pickle

import pytest

from osler.endpoint.chat import ChatRequest, EndpointError, Picture, reply_from, user_message

REQUEST = ChatRequest((user_message(Picture(b"x", "image/png"), "w" * 300),))


def body(text="fine", **usage):
    return {"choices": [{"message": {"content": text}}], "usage": usage}


def test_an_error_travels_to_another_process():
    error = EndpointError("down", kind="busy", status=429, retry_after_s=2.0)
    same = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    assert (str(same), same.kind, same.status, same.retry_after_s) == ("down", "busy", 429, 2.0)


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": None}, {"prompt_tokens": -7, "completion_tokens": -1}])
def test_tokens_that_a_server_does_not_count_are_estimated(usage):
    reply = reply_from(body("w" * 30, **usage), REQUEST, latency_ms=1.0)
    assert (reply.tokens_in, reply.tokens_out) == (1600, 10)


def test_what_a_server_counts_is_taken():
    reply = reply_from(body(prompt_tokens=5, completion_tokens=3), REQUEST, latency_ms=1.0)
    assert (reply.tokens_in, reply.tokens_out) == (5, 3)


@pytest.mark.parametrize("count", [float("inf"), float("nan"), "many", [1]])
def test_an_absurd_count_is_nonsense(count):
    with pytest.raises(EndpointError) as caught:
        reply_from(body(prompt_tokens=count), REQUEST, latency_ms=1.0)
    assert caught.value.kind == "nonsense"


def test_halves_of_letters_do_not_reach_a_file():
    reply = reply_from(body("a\ud800b"), REQUEST, latency_ms=1.0)
    assert reply.text == "a?b"
    ChatRequest((user_message(reply.text),)).key("toy")

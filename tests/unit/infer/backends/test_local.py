"""The backend in this process: sees the image, equals a plain loop, keeps requests apart."""

from collections.abc import Callable

import pytest
import torch

from osler.infer.backends.local import LocalBackend
from osler.infer.generator import Request
from osler.media.image import encode_png8
from osler.model.families.tiny import FAMILY
from osler.model.prompt import conversation_text
from osler.schema.sample import user
from toy import PX, picture, samples


@pytest.fixture(scope="module")
def backend() -> LocalBackend:
    texts = [conversation_text(sample) for number in range(20) for sample in samples(number)]
    model, processing = FAMILY.build(texts, seed=0)
    return LocalBackend(model.eval(), processing)


def request(number: int, *, pixels: bytes | None = None, blind: bool = False, max_new_tokens: int = 5) -> Request:
    sample = samples(number)[0]
    images = () if blind else (pixels or encode_png8(picture(number)[0]),)
    turns = (user(sample.question),) if blind else sample.turns
    return Request(item_id=str(number), turns=turns, images=images, max_new_tokens=max_new_tokens, reasoning=False)


def test_a_reply_equals_a_plain_greedy_loop(backend: LocalBackend) -> None:
    asked = request(0)
    prompts, tiles, _ = backend._encode([asked])
    ids = torch.tensor(prompts)
    with torch.inference_mode():
        for _ in range(asked.max_new_tokens):
            logits = backend.model(input_ids=ids, pixel_values=torch.stack(tiles)).logits
            ids = torch.cat([ids, logits[:, -1:].argmax(-1)], dim=1)
    plain = backend._reply(ids[0, len(prompts[0]) :].tolist(), len(prompts[0]), asked.max_new_tokens, 0.0)
    reply = backend.generate([asked])[0]
    assert (reply.raw, reply.tokens_in, reply.tokens_out) == (plain.raw, plain.tokens_in, plain.tokens_out)


def test_another_image_gives_another_answer(backend: LocalBackend) -> None:
    """An untrained model's scores differ little, so noise is compared with black over several prompts."""
    black = encode_png8(torch.zeros(PX, PX, dtype=torch.uint8).numpy())
    noise = encode_png8(torch.randint(0, 256, (PX, PX), dtype=torch.uint8).numpy())
    seen = [backend.generate([request(n, pixels=black), request(n, pixels=noise)]) for n in range(6)]
    assert any(first.raw != second.raw for first, second in seen)


def test_an_image_asked_about_several_times_is_encoded_once(
    backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = []
    plain = backend.model.get_image_features

    def counted(pixels: torch.Tensor) -> object:
        encoded.append(len(pixels))
        return plain(pixels)

    monkeypatch.setattr(backend.model, "get_image_features", counted)
    together = backend.generate([request(1), request(2), request(1), request(3, blind=True)])
    assert encoded == [2]
    alone = [backend.generate([each])[0] for each in (request(1), request(2), request(3, blind=True))]
    assert [each.raw for each in together] == [alone[0].raw, alone[1].raw, alone[0].raw, alone[2].raw]


@pytest.mark.parametrize("others", [[], [7], [7, 8, 9]])
def test_a_batch_keeps_its_requests_apart(backend: LocalBackend, others: list[int]) -> None:
    alone = backend.generate([request(3)])[0]
    together = backend.generate([*map(request, others), request(3)])[-1]
    assert together.raw == alone.raw


@pytest.mark.parametrize(
    "make",
    [
        lambda: [request(1, blind=True)],
        lambda: [request(1, blind=True), request(2)],
        lambda: [request(1), request(2, blind=True, max_new_tokens=2)],
    ],
)
def test_requests_without_an_image_are_answered(backend: LocalBackend, make: Callable[[], list[Request]]) -> None:
    replies = backend.generate(make())
    assert [reply.tokens_out <= asked.max_new_tokens for reply, asked in zip(replies, make(), strict=True)]
    assert all(reply.error == "" for reply in replies)


def test_a_reply_without_the_end_token_is_unfinished(backend: LocalBackend) -> None:
    end_id = int(backend.tokenizer.eos_token_id)
    assert not backend._reply([20, 21, 22], 4, 3, 0.0).finished
    ended = backend._reply([20, end_id, 22], 4, 3, 0.0)
    assert ended.finished
    assert ended.tokens_out == 1


def test_nothing_asked_nothing_answered(backend: LocalBackend) -> None:
    assert backend.generate([]) == []

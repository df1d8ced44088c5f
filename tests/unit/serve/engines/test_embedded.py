"""The engine in this process: rows keep to themselves, join and leave, and are told to nobody else."""

import asyncio
import time

import pytest
import torch

from osler.infer.backends.local import LocalBackend
from osler.infer.generator import Request
from osler.media.image import encode_png8, open_picture
from osler.model.families.tiny import FAMILY
from osler.model.prompt import conversation_text
from osler.serve.engine import Ask, Shown
from osler.serve.engines.embedded import EmbeddedEngine
from osler.serve.engines.words import Vocabulary, _DecodedWords
from osler.serve.refusal import Refusal
from toy import picture, samples


@pytest.fixture(scope="module")
def parts():
    texts = [conversation_text(sample) for number in range(20) for sample in samples(number)]
    model, processing = FAMILY.build(texts, seed=0)
    return model.eval(), processing


def engine(parts, **options):
    return EmbeddedEngine(*parts, name="tiny", sha256="w", **options)


def file(number):
    return encode_png8(picture(number)[0])


def ask(parts, number, *, max_tokens=12, owner="a", words="", identity="", **options):
    sample = samples(number % 20)[0]
    turns = sample.turns
    if words:
        part = turns[-1].parts[1].model_copy(update={"text": turns[-1].parts[1].text + words})
        turns = (*turns[:-1], turns[-1].model_copy(update={"parts": (turns[-1].parts[0], part)}))
    tiles = parts[1].image_processor.tiles(open_picture(file(number % 20)))
    identity = identity or f"picture {number % 20}"
    shown = Shown(tiles.numpy().tobytes(), "", 64, 64, len(tiles), f"{number % 20}", identity)
    return Ask(turns=turns, pictures=(shown,), max_tokens=max_tokens, owner=owner, **options)


async def told(served, asked):
    return [piece async for piece in served.answer(asked)]


def text(pieces):
    return "".join(piece.text for piece in pieces)


def run(served, work):
    async def whole():
        await served.start()
        try:
            return await work()
        finally:
            await served.close()

    return asyncio.run(whole())


def test_sixteen_together_say_what_each_says_alone(parts):
    served = engine(parts)
    asked = [ask(parts, n, words=" and then" * (n % 5), max_tokens=6 + n) for n in range(16)]

    async def work():
        alone = [await told(served, each) for each in asked]
        return alone, await asyncio.gather(*(told(served, each) for each in asked))

    alone, together = run(served, work)
    assert sum(text(a) == text(b) for a, b in zip(alone, together, strict=True)) == 16
    assert [len(pieces) for pieces in together] == [len(pieces) for pieces in alone]
    backend = LocalBackend(*parts)
    for each, pieces, n in zip(asked, alone, range(16), strict=True):
        (reply,) = backend.generate([Request("", each.turns, (file(n),), each.max_tokens)])
        assert (text(pieces).removesuffix("<|return|>"), pieces[-1].tokens_in) == (reply.raw, reply.tokens_in)


def test_rows_join_and_leave_while_others_are_written(parts):
    served = engine(parts, num_slots=3)
    asked = [ask(parts, n, max_tokens=4 + 3 * (n % 4)) for n in range(9)]

    async def late(number):
        await asyncio.sleep(0.01 * number)
        return await told(served, asked[number])

    async def work():
        mixed = await asyncio.gather(*(late(n) for n in range(9)))
        return mixed, [await told(served, each) for each in asked]

    mixed, alone = run(served, work)
    assert [text(pieces) for pieces in mixed] == [text(pieces) for pieces in alone]


def test_a_row_that_is_left_gives_its_slot_away(parts):
    served = engine(parts, num_slots=1)

    async def work():
        pieces = served.answer(ask(parts, 0, max_tokens=3000))
        await anext(pieces)
        waiting = asyncio.ensure_future(told(served, ask(parts, 1, max_tokens=2)))
        await asyncio.sleep(0.05)
        assert (served.num_active, waiting.done()) == (1, False)
        start = time.monotonic()
        await pieces.aclose()
        await waiting
        return time.monotonic() - start

    assert run(served, work) < 1.0
    assert served.num_active == 0


def test_logprobs_are_those_of_the_model(parts):
    model, processing = parts
    served = engine(parts)
    asked = ask(parts, 3, max_tokens=3, top_logprobs=4)
    pieces = run(served, lambda: told(served, asked))
    backend = LocalBackend(model, processing)
    prompts, tiles, _ = backend._encode([Request("", asked.turns, (file(3),), 3)])
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor(prompts), pixel_values=torch.stack(tiles)).logits[0, -1]
    best = torch.log_softmax(logits, -1).topk(4)
    first = pieces[0].tokens[0]
    assert first.logprob == pytest.approx(float(best.values[0]), abs=1e-4)
    assert [other.logprob for other in first.others] == pytest.approx(best.values.tolist(), abs=1e-4)
    assert first.text == processing.tokenizer.decode([int(best.indices[0])])
    assert [len(piece.tokens) for piece in pieces] == [1, 1, 1]


def test_a_seed_draws_the_same_whoever_stands_beside(parts):
    served = engine(parts)

    def drawn(seed, top_p=1.0):
        return ask(parts, 1, max_tokens=10, temperature=1.5, seed=seed, top_p=top_p)

    async def work():
        alone = [text(await told(served, drawn(seed))) for seed in (1, 2)]
        others = [ask(parts, n, max_tokens=15) for n in range(5)]
        beside = await asyncio.gather(told(served, drawn(1)), *(told(served, each) for each in others))
        narrow = [text(await told(served, drawn(seed, top_p=1e-9))) for seed in (1, 2)]
        greedy = text(await told(served, ask(parts, 1, max_tokens=10)))
        return alone, text(beside[0]), narrow, greedy

    alone, beside, narrow, greedy = run(served, work)
    assert alone[0] == beside and alone[0] != alone[1]
    assert narrow == [greedy, greedy]


def test_pictures_are_kept_for_one_owner_and_one_shape(parts):
    served = engine(parts)

    async def work():
        hits = []
        for each in (
            ask(parts, 0), ask(parts, 0), ask(parts, 0, owner="b"), ask(parts, 0, identity="same bytes, other shape"),
        ):  # fmt: skip
            before = served.features.num_hits
            await told(served, each)
            hits.append(served.features.num_hits - before)
        return hits

    assert run(served, work) == [0, 1, 0, 0]


def test_what_is_kept_stays_below_its_limit(parts):
    served = engine(parts, feature_cache_bytes=40_000)

    async def work():
        for number in range(8):
            await told(served, ask(parts, number, max_tokens=1))
        return served.features.num_bytes

    assert 0 < run(served, work) <= 40_000


def test_a_prompt_beyond_the_context_is_refused(parts):
    served = engine(parts)
    with pytest.raises(Refusal, match="exceed the model's 4096") as caught:
        run(served, lambda: told(served, ask(parts, 0, max_tokens=4090)))
    assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")


def test_one_that_cannot_be_read_does_not_take_the_others_along(parts):
    served = engine(parts)
    poisoned = ask(parts, 5)
    poisoned = Ask(**{**vars(poisoned), "pictures": (Shown(b"short", "", 1, 1, 1, "", "poison"),)})

    async def work():
        asked = [ask(parts, 0), poisoned, ask(parts, 1), ask(parts, 2)]
        return await asyncio.gather(*(told(served, each) for each in asked), return_exceptions=True)

    answers = run(served, work)
    assert [type(each).__name__ for each in answers] == ["list", "Refusal", "list", "list"]
    assert answers[1].status == 503 and "short" not in str(answers[1])


def test_closing_tells_those_who_wait(parts):
    served = engine(parts, num_slots=1)

    async def work():
        await served.start()
        waiting = [asyncio.ensure_future(told(served, ask(parts, n, max_tokens=3000))) for n in range(2)]
        await asyncio.sleep(0.05)
        await served.close()
        return await asyncio.gather(*waiting, return_exceptions=True), await served.problem()

    answers, problem = asyncio.run(work())
    assert [type(each) for each in answers] == [Refusal, Refusal]
    assert problem == "the engine is not running"


@pytest.mark.parametrize("said", ["no effusion", "naïve 10 µm ✓ 漢字 🫁🫀 é", "a  b\n c"])
def test_words_come_whole(parts, said):
    tokenizer = parts[1].tokenizer
    ids = tokenizer.encode(said, add_special_tokens=False)
    vocabulary = Vocabulary(tokenizer)
    for words in (vocabulary.words(), _DecodedWords(tokenizer)):
        pieces = [words.add(token) for token in ids]
        assert "".join(pieces) + words.finish() == said
        assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)
    assert b"".join(vocabulary.alternative(token, 0.0).data for token in ids).decode() == said

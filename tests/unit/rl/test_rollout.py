"""Replies: the same as transformers' own greedy ones, the same again from the same seed, and not blind."""

from dataclasses import replace

import torch

from osler.infer.backends.local import LocalBackend
from osler.infer.generator import Request
from osler.rl.likelihood import likelihood
from osler.rl.rollout import roll_out


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_greedy_replies_are_those_of_the_evaluation(built, questions, how):
    model, processing = built
    asked = [questions[number] for number in (0, 2, 3, 9)]
    greedy = replace(how, temperature=0.0)
    ours = roll_out(model, asked, num_replies=1, drawing=greedy, random=seeded(0))
    rows = [questions.selections[0].store.rows(questions.selections[0].table, [n])[0] for n in (0, 2, 3, 9)]
    requests = [
        Request(str(n), q.sample.turns, questions.selections[0].store.media(row), 6, bool(q.sample.reasoning))
        for n, (q, row) in enumerate(zip(asked, rows, strict=True))
    ]
    theirs = LocalBackend(model, processing).generate(requests)
    said = [processing.tokenizer.decode([t for t in ids if t != how.end_id]) for ids in ours]
    assert said == [reply.raw for reply in theirs]
    assert len(set(said)) > 1 or len(asked) == 1


def test_a_seed_gives_the_same_replies_and_another_others(built, questions, how):
    asked = [questions[number] for number in (0, 1)]
    first, again, other = (
        roll_out(built[0], asked, num_replies=3, drawing=how, random=seeded(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(first) == 6 and all(1 <= len(reply) <= 6 for reply in first)


def test_neither_images_nor_padding_are_said(built, questions, how):
    asked = [questions[number] for number in range(8)]
    said = roll_out(built[0], asked, num_replies=8, drawing=replace(how, temperature=50.0), random=seeded(0))
    assert not {token for reply in said for token in reply} & set(how.banned_ids)


def test_a_reply_ends_with_its_end_token_or_is_cut(built, questions, how):
    asked = [questions[number] for number in range(8)]
    said = roll_out(built[0], asked, num_replies=8, drawing=replace(how, temperature=50.0), random=seeded(3))
    assert all(how.end_id not in reply[:-1] for reply in said)
    assert all(len(reply) == 6 or reply[-1] == how.end_id for reply in said)


def test_replies_that_go_on_when_others_have_ended_are_not_disturbed(built, questions, how):
    """Rows leave the batch as they end; the likeliest reply stays the one that a question alone is given."""
    model = built[0]
    asked = [questions[number] for number in range(6)]
    firsts = [
        roll_out(model, [q], num_replies=1, drawing=replace(how, temperature=0.0), random=seeded(0)) for q in asked
    ]
    tokens = [reply[0][1] for reply in firsts]
    early = replace(how, temperature=0.0, end_id=max(set(tokens), key=tokens.count), max_new_tokens=12)
    alone = [roll_out(model, [q], num_replies=1, drawing=early, random=seeded(0))[0] for q in asked]
    together = roll_out(model, asked, num_replies=1, drawing=early, random=seeded(0))
    assert together == alone and len({len(reply) for reply in together}) > 1


def test_several_pictures_one_and_none_in_a_batch(built, questions, how, pair, blind):
    model, greedy = built[0], replace(how, temperature=0.0)
    asked = [pair, blind, questions[3], pair]
    together = roll_out(model, asked, num_replies=1, drawing=greedy, random=seeded(0))
    assert together == [roll_out(model, [q], num_replies=1, drawing=greedy, random=seeded(0))[0] for q in asked]


def test_another_picture_gives_other_logits(built, questions):
    model = built[0]
    question = questions[0]
    noise = replace(question, tiles=tuple(torch.randint_like(tiles, 255) for tiles in question.tiles))
    seen, unseen = (likelihood(model, [(q, [25, 26, 27])], temperature=1.0, row_tokens=999) for q in (question, noise))
    assert not torch.equal(seen.logps[0], unseen.logps[0])

"""Likelihoods of replies in shared rows equal those of each reply alone, and so do their gradients."""

from dataclasses import replace

import pytest
import torch

from osler.rl.likelihood import likelihood
from osler.rl.rollout import seen

REPLIES = ([27, 28, 29, 25], [27], [29, 29], [24, 25, 26])


def alone(model, question, reply, temperature):
    """One reply by a plain forward pass."""
    ids = torch.tensor([[*question.ids, *reply]])
    logits = model(input_ids=ids, **seen(model, [question])).logits[0].float() / temperature
    begin = len(question.ids) - 1
    return logits[begin:-1].log_softmax(-1)[torch.arange(len(reply)), torch.tensor(reply)]


@pytest.mark.parametrize("row_tokens", [10_000, 1])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_shared_rows_change_nothing(built, questions, row_tokens, temperature):
    model = built[0]
    asked = [(questions[n % 2], list(reply)) for n, reply in enumerate(REPLIES)]
    found = likelihood(model, asked, temperature=temperature, row_tokens=row_tokens)
    for (question, reply), logps, entropies in zip(asked, found.logps, found.entropies, strict=True):
        assert torch.allclose(logps, alone(model, question, reply, temperature), atol=2e-5)
        assert entropies.shape == logps.shape and bool((entropies >= 0).all()) and not entropies.requires_grad


def test_several_pictures_one_and_none_in_a_batch(built, questions, pair, blind):
    model = built[0]
    asked = [(question, [27, 28]) for question in (pair, blind, questions[0], pair)]
    found = likelihood(model, asked, temperature=1.0, row_tokens=999).logps
    for (question, reply), logps in zip(asked, found, strict=True):
        assert torch.allclose(logps, alone(model, question, reply, 1.0), atol=2e-5)
    turned = replace(pair, pictures=pair.pictures[::-1], tiles=pair.tiles[::-1])
    other = likelihood(model, [(turned, [27, 28])], temperature=1.0, row_tokens=999).logps[0]
    assert not torch.allclose(found[0], other, atol=1e-6)


def test_gradients_are_those_of_replies_alone(built, questions):
    model = built[0]
    asked = [(questions[0], list(reply)) for reply in REPLIES]
    weight = model.model.language_model.embed_tokens.weight
    grads = []
    for total in (
        lambda: sum(each.sum() for each in likelihood(model, asked, temperature=1.0, row_tokens=999).logps),
        lambda: sum(alone(model, question, reply, 1.0).sum() for question, reply in asked),
    ):
        model.zero_grad()
        total().backward()
        grads.append(weight.grad.clone())
    model.zero_grad()
    assert torch.allclose(*grads, atol=1e-4)


def test_the_routers_use_leaves_padding_out(built, questions):
    model = built[0]
    short, long = [(questions[0], [27])], [(questions[0], [27]), (questions[2], [27, 28, 29])]
    one = likelihood(model, short, temperature=1.0, row_tokens=999, with_aux_loss=True).aux_loss.detach()
    two = likelihood(model, long, temperature=1.0, row_tokens=999, with_aux_loss=True).aux_loss.detach()
    assert 1 <= float(one) <= 8 and float(one) != float(two)
    assert likelihood(model, short, temperature=1.0, row_tokens=999).aux_loss is None

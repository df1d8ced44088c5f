"""The byte-level tokenizer."""

import pytest

from osler.model.tokenizer import IMAGE, PAD, RETURN, SPECIAL_TOKENS, train_tokenizer

TEXTS = ["no effusion is seen", "left lower lobe opacity", "no pneumothorax"] * 5


@pytest.mark.parametrize("text", ["effusion", "3.5 cm", "naïve — ∆Q", "胸部", "\tx\n\n y"])
def test_any_text_round_trips(text: str) -> None:
    tokenizer = train_tokenizer(TEXTS, vocab_size=400)
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_same_texts_give_the_same_tokenizer() -> None:
    first, second = (train_tokenizer(TEXTS, vocab_size=400) for _ in range(2))
    assert first.backend_tokenizer.to_str() == second.backend_tokenizer.to_str()


def test_special_tokens_have_their_roles() -> None:
    tokenizer = train_tokenizer(TEXTS, vocab_size=400)
    assert (tokenizer.pad_token, tokenizer.eos_token) == (PAD, RETURN)
    assert all(len(tokenizer.encode(token, add_special_tokens=False)) == 1 for token in SPECIAL_TOKENS)
    assert len(tokenizer) <= 400
    assert IMAGE in tokenizer.get_vocab()

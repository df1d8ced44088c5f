"""A byte-level BPE tokenizer trained from a corpus, with Osler's special tokens and chat template."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

IMAGE = "<|image|>"
IMAGE_START = "<|image_start|>"
IMAGE_END = "<|image_end|>"
RETURN = "<|return|>"
PAD = "<|pad|>"
SPECIAL_TOKENS = (PAD, "<|start|>", "<|end|>", "<|message|>", "<|channel|>", RETURN, IMAGE_START, IMAGE, IMAGE_END)
# Words of the template itself; they must become single tokens however rare they are in the corpus.
_LAYOUT = ("system", "user", "assistant", "analysis", "final", "Date: 2026-01-01\nReasoning: none", "high")


def chat_template(name: str = "chat_template") -> str:
    """A Jinja chat template of this folder; the default is Harmony's layout, which most families share."""
    return (Path(__file__).parent / f"{name}.jinja").read_text(encoding="utf-8")


def train_tokenizer(texts: Iterable[str], *, vocab_size: int, template: str | None = None) -> PreTrainedTokenizerFast:
    """Train byte-level BPE on `texts`: any Unicode text round-trips, no token is unknown.

    Deterministic for the same texts in the same order. The vocabulary holds at most `vocab_size` entries.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts, *_LAYOUT * 1000], trainer)
    return dress(PreTrainedTokenizerFast(tokenizer_object=tokenizer), template=template)


def dress(tokenizer: PreTrainedTokenizerFast, *, template: str | None = None) -> PreTrainedTokenizerFast:
    """Declare the roles of the special tokens and attach the chat template; None takes the default one."""
    tokenizer.add_special_tokens({"pad_token": PAD, "eos_token": RETURN})
    tokenizer.chat_template = chat_template() if template is None else template
    return tokenizer

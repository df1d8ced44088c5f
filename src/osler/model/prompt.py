"""A conversation to token ids and a mask of the tokens that are learned, through the tokenizer's own chat template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import render_jinja_template

from osler.model.tokenizer import IMAGE, IMAGE_END, IMAGE_START, chat_template
from osler.schema.sample import Answer, Image, Sample, Turn, assistant


@dataclass(frozen=True)
class Encoded:
    """Token ids of one conversation, and for each whether the loss is taken on it."""

    ids: list[int]
    learned: list[bool]


class Prompter:
    """Encodes conversations for one tokenizer.

    Args:
        tokenizer: with Osler's special tokens and a chat template that marks what the assistant says.
        image_seq_length: tokens per tile.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, *, image_seq_length: int) -> None:
        self.tokenizer = tokenizer
        self.image_seq_length = image_seq_length
        self.template = str(tokenizer.chat_template)
        self.image_id, self.start_id, self.end_id = (
            int(tokenizer.convert_tokens_to_ids(token)) for token in (IMAGE, IMAGE_START, IMAGE_END)
        )

    def training(self, sample: Sample, tiles: Sequence[int]) -> Encoded:
        """The whole conversation with its answer. `tiles` is the number of tiles of each image, in order."""
        text, spans = _render(_with_answer(sample), self.template, reasoning=bool(sample.reasoning))
        ids: list[int] = []
        learned: list[bool] = []
        position = 0
        for start, end in spans:  # a span begins and ends at special tokens, so the pieces tokenize like the whole
            for piece, is_learned in ((text[position:start], False), (text[start:end], True)):
                piece_ids = self._tokens(piece)
                ids += piece_ids
                learned += [is_learned] * len(piece_ids)
            position = end
        rest = self._tokens(text[position:])
        return self._open_images(ids + rest, learned + [False] * len(rest), tiles)

    def question(self, turns: Sequence[Turn], tiles: Sequence[int], *, reasoning: bool = False) -> list[int]:
        """The conversation up to where the assistant begins to speak."""
        text, _ = _render(turns, self.template, reasoning=reasoning, open_turn=True)
        ids = self._tokens(text)
        return self._open_images(ids, [False] * len(ids), tiles).ids

    def prefix_length(self, ids: Sequence[int]) -> int:
        """How many leading tokens end with the last image: what questions about the same images share."""
        return max((place + 1 for place, token in enumerate(ids) if token == self.end_id), default=0)

    def _tokens(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False) if text else []

    def _open_images(self, ids: list[int], learned: list[bool], tiles: Sequence[int]) -> Encoded:
        """Replace each image token by start, `tiles * image_seq_length` image tokens, end."""
        if ids.count(self.image_id) != len(tiles):
            raise ValueError(f"{ids.count(self.image_id)} image places in the text, tiles given for {len(tiles)}")
        counts = iter(tiles)
        out_ids: list[int] = []
        out_learned: list[bool] = []
        for token, is_learned in zip(ids, learned, strict=True):
            run = [token]
            if token == self.image_id:
                run = [self.start_id, *[token] * (next(counts) * self.image_seq_length), self.end_id]
            out_ids += run
            out_learned += [is_learned] * len(run)
        return Encoded(out_ids, out_learned)


def conversation_text(sample: Sample) -> str:
    """The whole conversation as text, an image as one token: what a tokenizer is trained on."""
    return _render(_with_answer(sample), chat_template(), reasoning=bool(sample.reasoning))[0]


def answer_text(answer: Answer) -> str:
    """The words the model is to say: the letter of a choice, else the answer itself."""
    return answer.letter if answer.kind == "choice" else answer.text


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Turns as chat messages. The words that name special tokens are defused: data cannot forge a turn."""
    return [
        {
            "role": turn.role,
            "content": [
                {"type": "image"} if isinstance(part, Image) else {"type": "text", "text": _defused(part.text)}
                for part in turn.parts
            ],
            "thinking": _defused(turn.reasoning),
        }
        for turn in turns
    ]


def _with_answer(sample: Sample) -> tuple[Turn, ...]:
    return (*sample.turns, assistant(answer_text(sample.answer), sample.reasoning))


def _render(
    turns: Sequence[Turn], template: str, *, reasoning: bool, open_turn: bool = False
) -> tuple[str, list[tuple[int, int]]]:
    """The text, and the character spans that the assistant says."""
    rendered, spans = render_jinja_template(
        [messages(turns)],
        chat_template=template,
        return_assistant_tokens_mask=True,
        add_generation_prompt=open_turn,
        reasoning=reasoning,
    )
    return rendered[0], spans[0]


def _defused(text: str) -> str:
    return text.replace("<|", "< |")

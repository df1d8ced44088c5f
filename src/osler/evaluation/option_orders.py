"""Option orders: choice questions with their options turned in a circle, and what came of it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from osler.evaluation.context import EvalContext
from osler.evaluation.items import Item
from osler.schema.prediction import Prediction
from osler.schema.sample import LETTERS, Text, Turn
from osler.scoring.option_order import Turned, option_order

_LISTED = re.compile(r"^([ \t]*\(?)([A-J])([.):][ \t]*)(.*)$", re.MULTILINE)


def turned(item: Item, places: int) -> Item | None:
    """The item with each option `places` letters earlier, in words and in answer.

    None for another form of answer, for no more than `places` options, and where the question does not list its options
    a line each exactly as the answer has them: such a question cannot be turned without rewriting it.
    """
    answer = item.sample.answer
    options = answer.options
    if answer.kind != "choice" or places >= len(options):
        return None
    order = (*options[places:], *options[:places])
    turns = _relisted(item.turns, options, order)
    if turns is None:
        return None
    changed = answer.model_copy(update={"options": order})
    return replace(item, turns=turns, sample=item.sample.model_copy(update={"answer": changed}))


def order_rows(predictions: Sequence[Prediction], context: EvalContext) -> list[dict[str, Any]]:
    """One row for each task that was asked in several orders; written as `option_orders.json`."""
    rows = []
    for task in context.tasks:
        own = [p for p in predictions if p.task == task.name and p.gold.kind == "choice" and p.status != "error"]
        answers = [_answer(p) for p in own if p.condition == "image" or p.condition.startswith("order")]
        if any(answer.places for answer in answers):
            found = option_order(answers, seed=context.seed)
            if found is not None:
                rows.append({"task": task.name, **found.model_dump()})
    return rows


def _answer(prediction: Prediction) -> Turned:
    condition, gold = prediction.condition, prediction.gold
    return Turned(
        item_id=prediction.item_id,
        cluster=prediction.cluster,
        places=0 if condition == "image" else int(condition.removeprefix("order")),
        num_options=len(gold.options),
        chosen=prediction.parsed,
        gold=gold.letter,
    )


def _relisted(turns: Sequence[Turn], options: Sequence[str], order: Sequence[str]) -> tuple[Turn, ...] | None:
    """The turns with the listed options exchanged; None unless the last turn lists each of them once, by its letter."""
    found: list[tuple[str, str]] = []

    def exchange(match: re.Match[str]) -> str:
        before, letter, after, words = match.groups()
        place = LETTERS.index(letter)
        found.append((letter, words.strip()))
        return match.group(0) if place >= len(order) else f"{before}{letter}{after}{order[place]}"

    last = turns[-1]
    parts = tuple(
        part.model_copy(update={"text": _LISTED.sub(exchange, part.text)}) if isinstance(part, Text) else part
        for part in last.parts
    )
    if found != [(letter, option.strip()) for letter, option in zip(LETTERS, options, strict=False)]:
        return None
    return (*turns[:-1], last.model_copy(update={"parts": parts}))

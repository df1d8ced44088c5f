"""Checks of a line of reasoning and of its units that need no model. Each gives the reason against it, or ""."""

import re

from osler.curate.duplicates.words import MIN_JACCARD, jaccard, shingles, words
from osler.scoring.normalise import normalise
from osler.synth.reasoning.answers import Rested, Unit, Units
from osler.synth.reasoning.case import Question, Quote, Trace
from osler.synth.reasoning.question_checks import has_tag, speaks_of_source
from osler.synth.reasoning.quotes import find_quote, num_words
from osler.synth.reasoning.rules import Rules

_LETTER = re.compile(r"\b(?:option|choice|answer)s?(?: is)?:? ?\(?[A-J]\b|\([A-J]\)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(\u201c])")
AXES = ("perception", "knowledge", "rationale")


def sentences_of(trace: Trace) -> list[str]:
    """The sentences of a trace in order. Numbers and abbreviations inside a sentence do not end it."""
    parts = (trace.visual_evidence, trace.clinical_interpretation, trace.conclusion)
    return [sentence.strip() for part in parts for sentence in _SENTENCE.split(part) if sentence.strip()]


def trace_fault(trace: Trace, question: Question, rules: Rules) -> str:
    """The first reason against a trace; "" where there is none."""
    count = num_words(trace.text)
    if not rules.min_trace_words <= count <= rules.max_trace_words:
        return f"trace length: {count} words, limits {rules.min_trace_words} and {rules.max_trace_words}"
    if found := speaks_of_source(trace.text):
        return f"speaks of the source: {found}"
    if letter := _LETTER.search(trace.text):
        return f"names a letter: {letter[0]}"
    if found := has_tag(trace.text):
        return f"mark of the layout inside: {found}"
    if not _holds(trace.conclusion, question.answer):
        return f"conclusion without the answer: {question.answer}"
    return ""


def consistency_fault(
    rested: list[Rested], num_sentences: int, *, context: str, rules: Rules
) -> tuple[str, list[Quote]]:
    """The first reason against what sentences are said to rest on; without one, the quotes and their places."""
    numbers = [each.number for each in rested]
    if sorted(numbers) != list(range(1, num_sentences + 1)):
        return f"sentences not judged one by one: {len(numbers)} judgements of {num_sentences} sentences", []
    quotes = []
    for each in sorted(rested, key=lambda one: one.number):
        if each.basis == "none":
            return f"unsupported claim: sentence {each.number}", []
        if each.basis == "source":
            if fault := quote_fault(each.quote, context, rules):
                return f"{fault}, sentence {each.number}", []
            quotes.append(placed(f"sentence {each.number}", each.quote, context))
    num_known = sum(each.basis == "knowledge" for each in rested)
    if num_known > rules.max_knowledge_sentences:
        return f"too much from outside the source: {num_known} sentences, limit {rules.max_knowledge_sentences}", []
    if len(quotes) < rules.min_source_sentences:
        return f"too little from the source: {len(quotes)} sentences, limit {rules.min_source_sentences}", []
    return "", quotes


def quote_fault(quote: str, source: str, rules: Rules) -> str:
    """Why a quote does not count; "" where it does."""
    if num_words(quote) < rules.min_quote_words:
        return f"quote too short: {_short(quote)!r}"
    return "" if find_quote(quote, source) else f"quote not in the source: {_short(quote)!r}"


def placed(what: str, quote: str, context: str) -> Quote:
    """A quote that is in the context, with its place."""
    span = find_quote(quote, context)
    if span is None:
        raise ValueError(f"{quote!r} is not in the source")
    return Quote(what=what, start=span.start, end=span.end)


def units_fault(units: Units, trace: Trace, rules: Rules) -> str:
    """The first reason against the units of a trace; "" where there is none."""
    by_axis: dict[str, list[Unit]] = {axis: getattr(units, axis) for axis in AXES}
    for axis, found in by_axis.items():
        if not rules.min_units <= len(found) <= rules.max_units:
            return f"number of units: {len(found)} of {axis}, limits {rules.min_units} and {rules.max_units}"
    every = [unit for found in by_axis.values() for unit in found]
    for unit in every:
        if num_words(unit.quote) < rules.min_quote_words or not find_quote(unit.quote, trace.text):
            return f"unit's quote not in the trace: {_short(unit.quote)!r}"
        for question in (unit.presence_question, unit.correctness_question):
            if not question.rstrip().endswith("?"):
                return f"unit asks no question: {_short(question)!r}"
    runs = [shingles(words(unit.claim)) for unit in every]
    for number, run in enumerate(runs):
        if any(jaccard(run, other) >= MIN_JACCARD for other in runs[:number]):
            return f"two units say the same: {_short(every[number].claim)!r}"
    return ""


def _holds(text: str, option: str) -> bool:
    return f" {' '.join(words(normalise(option)))} " in f" {' '.join(words(normalise(text)))} "


def _short(text: str, length: int = 80) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else f"{flat[: length - 3]}..."

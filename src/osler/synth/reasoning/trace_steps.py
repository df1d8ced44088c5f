"""Steps about a line of reasoning: draft it, write it out, verify it three ways, take it apart into units."""

from collections.abc import Sequence

from osler.schema.sample import RubricUnit
from osler.synth.reasoning.answers import Consistent, Drafted, Justified, Traced, Units, Useful
from osler.synth.reasoning.case import Case, Rejected, Trace
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.step import Parts, Step, question_part, reason_text, source_part
from osler.synth.reasoning.trace_checks import consistency_fault, sentences_of, trace_fault, units_fault


def _ask_draft(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(case.figure.picture, f"{source_part(case)}\n{question_part(case, with_answer=True)}")]


def _take_draft(case: Case, answers: Sequence[Drafted], rules: Rules) -> Sequence[Case | Rejected]:
    del rules
    (found,) = answers
    return [case.having(draft=found.draft.strip())]


def _ask_trace(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(f"{question_part(case, with_answer=True)}\n<draft>\n{case.draft}\n</draft>",)]


def _take_trace(case: Case, answers: Sequence[Traced], rules: Rules) -> Sequence[Case | Rejected]:
    (found,) = answers
    trace = Trace(**{name: " ".join(words.split()) for name, words in found.model_dump().items()})
    if fault := trace_fault(trace, case.asked, rules):
        return [Rejected(case.id, fault)]
    return [case.having(trace=trace)]


def _ask_consistency(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    lines = "\n".join(f"{number}. {words}" for number, words in enumerate(sentences_of(case.reasoned), start=1))
    return [(case.figure.picture, f"{source_part(case)}\n<sentences>\n{lines}\n</sentences>")]


def _take_consistency(case: Case, answers: Sequence[Consistent], rules: Rules) -> Sequence[Case | Rejected]:
    (found,) = answers
    num_sentences = len(sentences_of(case.reasoned))
    fault, quotes = consistency_fault(found.sentences, num_sentences, context=case.figure.context, rules=rules)
    return [Rejected(case.id, fault)] if fault else [case.having(quotes=(*case.quotes, *quotes))]


def _reasoning_part(case: Case) -> str:
    return f"{question_part(case)}\n<reasoning>\n{case.reasoned.text}\n</reasoning>"


def _ask_justification(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(_reasoning_part(case),)]


def _take_justification(case: Case, answers: Sequence[Justified], rules: Rules) -> Sequence[Case | Rejected]:
    del rules
    (found,) = answers
    return [case if found.justified else Rejected(case.id, f"answer not justified: {reason_text(found.reason)}")]


def _ask_utility(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(case.figure.picture, _reasoning_part(case))]


def _take_utility(case: Case, answers: Sequence[Useful], rules: Rules) -> Sequence[Case | Rejected]:
    del rules
    (found,) = answers
    return [case if found.useful else Rejected(case.id, f"reasoning of no use: {reason_text(found.reason)}")]


def _ask_rubric(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(_reasoning_part(case),)]


def _take_rubric(case: Case, answers: Sequence[Units], rules: Rules) -> Sequence[Case | Rejected]:
    (found,) = answers
    if fault := units_fault(found, case.reasoned, rules):
        return [Rejected(case.id, fault)]
    perception = [_unit("perception", n, unit) for n, unit in enumerate(found.perception, start=1)]
    knowledge = [_unit("knowledge", n, unit) for n, unit in enumerate(found.knowledge, start=1)]
    rationale = [_unit("rationale", n, unit) for n, unit in enumerate(found.rationale, start=1)]
    return [case.having(units=(*perception, *knowledge, *rationale))]


def _unit(axis: str, number: int, unit: object) -> RubricUnit:
    fields = {name: getattr(unit, name) for name in ("topic", "claim", "importance")}
    asked = {name: getattr(unit, name) for name in ("presence_question", "correctness_question")}
    quote = str(getattr(unit, "quote", ""))
    return RubricUnit.model_validate(
        {"axis": axis, "id": f"{axis[0].upper()}{number}", "source_quote": quote, **fields, **asked}
    )


def _has_rubric(case: Case, rules: Rules) -> bool:
    return case.figure.split in rules.rubric_splits


DRAFT = Step(name="draft", role="trace", answer=Drafted, ask=_ask_draft, take=_take_draft)
TRACE = Step(name="trace", role="trace", answer=Traced, ask=_ask_trace, take=_take_trace)
CONSISTENCY = Step(name="consistency", role="verify", answer=Consistent, ask=_ask_consistency, take=_take_consistency)
JUSTIFICATION = Step(
    name="justification", role="verify", answer=Justified, ask=_ask_justification, take=_take_justification
)
UTILITY = Step(name="utility", role="verify", answer=Useful, ask=_ask_utility, take=_take_utility)
RUBRIC = Step(name="rubric", role="rubric", answer=Units, ask=_ask_rubric, take=_take_rubric, applies=_has_rubric)

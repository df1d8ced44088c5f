"""Steps about a question: write it, then check that it is supported, leaks nothing, needs the image, can be solved."""

from collections.abc import Sequence

from osler.core.rng import generator
from osler.schema.sample import LETTERS
from osler.synth.reasoning.answers import Leaking, Solved, Supported, Written
from osler.synth.reasoning.case import Case, Rejected
from osler.synth.reasoning.question_checks import letter_of, question_fault, read_written
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.step import Parts, Step, question_part, reason_text, source_part
from osler.synth.reasoning.taxonomy import FAMILIES, FAMILY_OF
from osler.synth.reasoning.trace_checks import placed, quote_fault


def _ask_write(case: Case, rules: Rules) -> Sequence[Parts]:
    asks = FAMILIES[FAMILY_OF[case.category]][case.category]
    lines = [
        source_part(case),
        f"<category>\n{case.category}: {asks}\n</category>",
        f"<what>\n{case.quoted('what')}\n</what>",
        f"<why>\n{case.quoted('why')}\n</why>",
        f"Number of options: {rules.num_options}",
    ]
    return [(case.figure.picture, "\n".join(lines))]


def _take_write(case: Case, answers: Sequence[Written], rules: Rules) -> Sequence[Case | Rejected]:
    (found,) = answers
    question = read_written(found.stem, found.options, found.answer)
    if fault := question_fault(question, rules):
        return [Rejected(case.id, fault)]
    return [case.having(question=question)]


def _ask_support(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(f"{source_part(case)}\n{question_part(case, with_answer=True)}",)]


def _take_support(case: Case, answers: Sequence[Supported], rules: Rules) -> Sequence[Case | Rejected]:
    (found,) = answers
    if not found.supported:
        return [Rejected(case.id, f"not supported by the source: {reason_text(found.reason)}")]
    if fault := quote_fault(found.quote, case.figure.context, rules):
        return [Rejected(case.id, fault)]
    return [case.having(quotes=(*case.quotes, placed("answer", found.quote, case.figure.context)))]


def _ask_leakage(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(question_part(case, with_answer=True),)]


def _take_leakage(case: Case, answers: Sequence[Leaking], rules: Rules) -> Sequence[Case | Rejected]:
    del rules
    (found,) = answers
    if found.leaks:
        return [Rejected(case.id, f"answer leaks: {reason_text(found.reason)}")]
    return [case]


def _orders(case: Case, rules: Rules, step: str, tries: int) -> list[tuple[str, ...]]:
    """Orders of the options in which the right one moves on by a letter each time, so that no letter is right twice."""
    rng = generator(rules.seed, step, case.id)
    others = [option for option in case.asked.options if option != case.asked.answer]
    shuffled = [others[number] for number in rng.permutation(len(others))]
    first = int(rng.integers(len(case.asked.options)))
    orders = []
    for number in range(tries):
        at = (first + number) % len(case.asked.options)
        orders.append((*shuffled[:at], case.asked.answer, *shuffled[at:]))
    return orders


def _num_right(case: Case, answers: Sequence[Solved], orders: list[tuple[str, ...]]) -> int:
    pairs = zip(answers, orders, strict=True)
    return sum(found.answer == letter_of(case.asked, order) for found, order in pairs)


def _ask_blind(case: Case, rules: Rules) -> Sequence[Parts]:
    orders = _orders(case, rules, "blind", rules.blind_tries)
    return [(question_part(case, order=order),) for order in orders]


def _take_blind(case: Case, answers: Sequence[Solved], rules: Rules) -> Sequence[Case | Rejected]:
    right = _num_right(case, answers, _orders(case, rules, "blind", rules.blind_tries))
    if right > rules.blind_max_right:
        return [Rejected(case.id, f"solved without the image: {right} of {rules.blind_tries} times")]
    return [case]


def _ask_solve(case: Case, rules: Rules) -> Sequence[Parts]:
    orders = _orders(case, rules, "solve", rules.solve_tries)
    return [(case.figure.picture, question_part(case, order=order)) for order in orders]


def _take_solve(case: Case, answers: Sequence[Solved], rules: Rules) -> Sequence[Case | Rejected]:
    orders = _orders(case, rules, "solve", rules.solve_tries)
    right = _num_right(case, answers, orders)
    if right < rules.solve_min_right:
        chosen = ", ".join(_chosen(found, order) for found, order in zip(answers, orders, strict=True))
        return [Rejected(case.id, f"not solved with the image: chosen {chosen}")]
    return [case]


def _chosen(found: Solved, order: tuple[str, ...]) -> str:
    number = LETTERS.index(found.answer) if found.answer else len(order)
    return repr(order[number]) if number < len(order) else "nothing"


WRITE = Step(name="write", role="write", answer=Written, ask=_ask_write, take=_take_write)
SUPPORT = Step(name="support", role="check", answer=Supported, ask=_ask_support, take=_take_support)
LEAKAGE = Step(name="leakage", role="check", answer=Leaking, ask=_ask_leakage, take=_take_leakage)
BLIND = Step(name="blind", role="blind", answer=Solved, ask=_ask_blind, take=_take_blind)
SOLVE = Step(name="solve", role="solve", answer=Solved, ask=_ask_solve, take=_take_solve)

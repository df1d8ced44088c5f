"""Steps about a figure: is it worth a question, and in which categories can one be asked."""

import re
from collections.abc import Sequence

from osler.core.rng import generator
from osler.synth.reasoning.answers import Assigned, Eligible, Screened
from osler.synth.reasoning.case import Case, Rejected, question_id
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.step import Parts, Step, reason_text, source_part
from osler.synth.reasoning.taxonomy import FAMILY_OF, category_list
from osler.synth.reasoning.trace_checks import placed, quote_fault


def _ask_screen(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(case.figure.picture, source_part(case))]


def _take_screen(case: Case, answers: Sequence[Screened], rules: Rules) -> Sequence[Case | Rejected]:
    del rules
    (found,) = answers
    faults = {
        "not clinically relevant": found.relevant,
        "text does not match the image": found.matches,
        "text explains nothing": found.informative,
    }
    for fault, is_fine in faults.items():
        if not is_fine:
            return [Rejected(case.id, f"{fault}: {reason_text(found.reason)}")]
    return [case]


def _ask_assign(case: Case, rules: Rules) -> Sequence[Parts]:
    del rules
    return [(case.figure.picture, f"{source_part(case)}\n<categories>\n{category_list()}\n</categories>")]


def _take_assign(case: Case, answers: Sequence[Assigned], rules: Rules) -> Sequence[Case | Rejected]:
    """A case for each category whose passages stand in the source, of which some are drawn; the rest are rejections."""
    (found,) = answers
    if not found.categories:
        return [Rejected(case.id, "no eligible category")]
    rejected: list[Rejected] = []
    fitting: dict[str, Case] = {}
    for entry in found.categories:
        id = question_id(case.figure.id, _slug(entry.category))
        if entry.category in fitting:
            rejected.append(Rejected(id, "category named twice"))
        elif fault := _category_fault(entry, case.figure.context, rules):
            rejected.append(Rejected(id, fault))
        else:
            fitting[entry.category] = _with_category(case, entry)
    order = generator(rules.seed, "categories", case.figure.id).permutation(len(fitting))
    drawn = {list(fitting)[number] for number in order[: rules.max_questions]}
    rejected += [
        Rejected(other.id, f"not drawn: more than {rules.max_questions} categories")
        for name, other in fitting.items()
        if name not in drawn
    ]
    return [*(other for name, other in fitting.items() if name in drawn), *rejected]


def _category_fault(entry: Eligible, context: str, rules: Rules) -> str:
    if entry.category not in FAMILY_OF:
        return f"unknown category: {reason_text(entry.category)[:60]}"
    for what, quote in (("what", entry.what), ("why", entry.why)):
        if fault := quote_fault(quote, context, rules):
            kind, _, rest = fault.partition(": ")
            return f"{kind} ({what}): {rest}"
    return ""


def _with_category(case: Case, entry: Eligible) -> Case:
    context = case.figure.context
    quotes = (placed("what", entry.what, context), placed("why", entry.why, context))
    return case.having(category=entry.category, quotes=quotes)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40] or "unnamed"


SCREEN = Step(name="screen", role="screen", answer=Screened, ask=_ask_screen, take=_take_screen)
ASSIGN = Step(name="assign", role="assign", answer=Assigned, ask=_ask_assign, take=_take_assign)

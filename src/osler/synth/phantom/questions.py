"""What is asked about a film, so that the words of a question alone say as little as possible about its answer.

A present finding is asked about as often as an absent one, letters and sides are drawn evenly, and no
nodule at all is asked for as often as any other number. What is left to guess is measured: see `ceiling.py`.
"""

from dataclasses import dataclass

import numpy as np

from osler.datasets.wording import ask_choice
from osler.schema.sample import Answer, choice, closed, number, open_answer, passage
from osler.synth.phantom import wording
from osler.synth.phantom.patient import PRESENCE
from osler.synth.phantom.reasoning import pick_trace, trace
from osler.synth.phantom.report import caption, checklist, report
from osler.synth.phantom.truth import FINDINGS, MAX_NODULES, SIDES, ZONES, Finding, Study
from osler.synth.phantom.wording import pick

_CLOSED_RATE = 0.66
_NEGATED_SHARE = 0.12
_KIND_CHOICES = 4
_PLACE_CHOICE_SHARE = 0.25
_MEASURE_SHARE = 0.4
_SIDED = ("nodule", "effusion", "pneumothorax", "consolidation", "device")
_GRADED = ("effusion", "pneumothorax", "consolidation")
_PLACES = tuple(f"{side} {zone} zone" for side in SIDES for zone in ZONES)
_COUNTS = tuple(str(count) for count in range(MAX_NODULES + 1))
CTR_TOLERANCE = 0.05


@dataclass(frozen=True)
class Asked:
    """One question with its answer. `kinds` are the findings it is about, `text` holds the options of a choice."""

    task: str
    text: str
    answer: Answer
    kinds: tuple[str, ...] = ()
    reasoning: str = ""


def ask(rng: np.random.Generator, study: Study) -> list[Asked]:
    """All questions about one film, about thirteen."""
    asked = _closed(rng, study) + _sides(rng, study) + _count(rng, study)
    asked += _choices(rng, study) + _measure(rng, study) + _open(rng, study)
    asked += _words(rng, study)
    return asked + _reason(rng, study)


def compare(rng: np.random.Generator, prior: Study, current: Study) -> list[Asked]:
    """What changed between two films; each of the three answers of either kind of question is equally likely."""
    asked = []
    for kind in _GRADED:
        change = _change(prior, current, kind)
        if change in {"larger", "smaller", "unchanged"}:
            asked.append(_compare(rng, kind, change, course=False))
        if change in {"new", "resolved", "unchanged"}:
            asked.append(_compare(rng, kind, change, course=True))
    return asked


def _change(prior: Study, current: Study, kind: str) -> str:
    before, after = prior.of(kind), current.of(kind)
    if before and after:
        if before[0].grade == after[0].grade:
            return "unchanged"
        return "larger" if after[0].size > before[0].size else "smaller"
    if before or after:
        return "new" if after else "resolved"
    return "absent"


def _compare(rng: np.random.Generator, kind: str, change: str, *, course: bool) -> Asked:
    templates, labels = (
        (wording.COURSE, ("new", "resolved", "unchanged"))
        if course
        else (wording.CHANGE, ("larger", "smaller", "unchanged"))
    )
    text = wording.pick_usual(rng, templates).format(bare=wording.any_name(rng, kind).bare)
    return Asked("phantom_compare", text, closed(change, labels), (kind,))


def _is_asked(rng: np.random.Generator, study: Study, kind: str) -> bool:
    """True at such rates that asked findings are present in half of the cases."""
    share = PRESENCE if study.has(kind) else 1 - PRESENCE
    return bool(rng.random() < _CLOSED_RATE / (2 * share))


def _closed(rng: np.random.Generator, study: Study) -> list[Asked]:
    kinds = [kind for kind in FINDINGS if _is_asked(rng, study, kind)]
    return [_yes_no(rng, study, kind, "phantom_closed") for kind in kinds]


def _yes_no(rng: np.random.Generator, study: Study, kind: str, task: str) -> Asked:
    negated = rng.random() < _NEGATED_SHARE
    name = wording.any_name(rng, kind)
    template = wording.pick_usual(rng, wording.NEGATED if negated else wording.AFFIRMATIVE)
    text = template.format(article=name.article, bare=name.bare)
    return Asked(task, text, closed("yes" if study.has(kind) != negated else "no"), (kind,))


def _sides(rng: np.random.Generator, study: Study) -> list[Asked]:
    """Up to two questions about findings that lie on one side only."""
    kinds = [kind for kind in _SIDED if study.side(kind)]
    chosen = sorted(rng.permutation(len(kinds))[:2].tolist())
    asked = []
    for kind in (kinds[index] for index in chosen):
        be = "are" if len(study.of(kind)) > 1 else "is"
        bare = wording.name_of(rng, study, kind).bare
        text = wording.pick_usual(rng, wording.SIDE).format(bare=bare, be=be, Be=be.capitalize())
        asked.append(Asked("phantom_side", text, closed(study.side(kind), SIDES), (kind,)))
    return asked


def _count(rng: np.random.Generator, study: Study) -> list[Asked]:
    """Always where there are nodules; where there are none, as often as there is any one number of them."""
    count = study.num_nodules
    if count == 0 and rng.random() >= PRESENCE / MAX_NODULES / (1 - PRESENCE):
        return []
    return [Asked("phantom_count", wording.pick_usual(rng, wording.COUNT), closed(str(count), _COUNTS), ("nodule",))]


def _choices(rng: np.random.Generator, study: Study) -> list[Asked]:
    asked = []
    absent = [kind for kind in FINDINGS if not study.has(kind)]
    for _ in range(_KIND_CHOICES if len(absent) >= 3 and study.present else 0):
        kind = pick(rng, study.present)
        options = _shuffled(rng, kind, absent)
        asked.append(_choice(wording.pick_usual(rng, wording.CHOICE), kind, options, (kind,)))
    for finding in _placed(study):
        if rng.random() < _PLACE_CHOICE_SHARE:
            right = wording.place(finding)
            options = _shuffled(rng, right, [place for place in _PLACES if place != right])
            text = wording.pick_usual(rng, wording.CHOICE_PLACE).format(bare=wording.any_name(rng, finding.kind).bare)
            asked.append(_choice(text, right, options, (finding.kind,)))
    return asked


def _shuffled(rng: np.random.Generator, right: str, wrong: list[str]) -> tuple[str, ...]:
    """Three of `wrong` and the right one, in random order."""
    options = [right] + [wrong[index] for index in rng.permutation(len(wrong))[:3]]
    return tuple(options[index] for index in rng.permutation(len(options)))


def _choice(text: str, right: str, options: tuple[str, ...], kinds: tuple[str, ...]) -> Asked:
    answer = choice(right, options)
    return Asked("phantom_choice", ask_choice(text, options), answer, kinds, pick_trace(right, answer.letter))


def _placed(study: Study) -> list[Finding]:
    """Findings of which the film shows one only and that have a zone."""
    return [study.of(kind)[0] for kind in ("nodule", "consolidation") if len(study.of(kind)) == 1]


def _measure(rng: np.random.Generator, study: Study) -> list[Asked]:
    if rng.random() >= _MEASURE_SHARE:
        return []
    answer = number(round(study.ctr, 2), CTR_TOLERANCE)
    return [Asked("phantom_measure", wording.pick_usual(rng, wording.MEASURE), answer, ("cardiomegaly",))]


def _open(rng: np.random.Generator, study: Study) -> list[Asked]:
    """One question with a short free answer, where the film gives cause for one."""
    possible = []
    for finding in _placed(study):
        text = wording.pick_usual(rng, wording.PLACE).format(bare=wording.any_name(rng, finding.kind).bare)
        other = f"{finding.zone} {finding.side} zone"
        answer = open_answer(wording.place(finding), other, f"{finding.side} {finding.zone}")
        possible.append(Asked("phantom_open", text, answer, (finding.kind,)))
    for finding in study.of("device"):
        words, others = wording.DEVICE_WORDS[finding.grade]
        text = wording.pick_usual(rng, wording.DEVICE)
        possible.append(Asked("phantom_open", text, open_answer(words, *others), ("device",)))
    for kind in _GRADED:
        for finding in study.of(kind):
            text = wording.pick_usual(rng, wording.GRADE).format(bare=wording.any_name(rng, kind).bare)
            possible.append(Asked("phantom_open", text, open_answer(finding.grade), (kind,)))
    return [pick(rng, possible)] if possible else []


def _words(rng: np.random.Generator, study: Study) -> list[Asked]:
    kinds = study.present
    return [
        Asked("phantom_checklist", wording.pick_usual(rng, wording.CHECKLIST), passage(checklist(study)), kinds),
        Asked("phantom_caption", wording.pick_usual(rng, wording.CAPTION), passage(caption(rng, study)), kinds),
        Asked("phantom_report", wording.pick_usual(rng, wording.REPORT), passage(report(rng, study)), kinds),
    ]


def _reason(rng: np.random.Generator, study: Study) -> list[Asked]:
    """One yes/no question whose answer comes with its reasons."""
    kinds = [FINDINGS[index] for index in rng.permutation(len(FINDINGS))]
    for kind in kinds:
        if _is_asked(rng, study, kind):
            asked = _yes_no(rng, study, kind, "phantom_reason")
            conclusion = f"{wording.capitalised(wording.NAMES[kind][0].bare)} is {_state(study, kind)}."
            text = f"{asked.text} {wording.pick_usual(rng, wording.REASON)}"
            return [Asked(asked.task, text, asked.answer, asked.kinds, trace(study, kind, conclusion))]
    return []


def _state(study: Study, kind: str) -> str:
    return "present" if study.has(kind) else "absent"

import pytest

from osler.synth.reasoning.answers import Rested, Unit, Units
from osler.synth.reasoning.case import Question, Trace
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.trace_checks import consistency_fault, sentences_of, trace_fault, units_fault

RULES = Rules(min_trace_words=20, max_knowledge_sentences=1)
QUESTION = Question(stem="What is it?", options=("An effusion", "A rib"), answer="An effusion")
TRACE = Trace(
    visual_evidence="The left angle is blunt at 2.5 cm, i.e. rounded. The right one is sharp.",
    clinical_interpretation="Fluid gathers there first when a patient stands.",
    conclusion="So it is an effusion.",
)
SOURCE = "The left costophrenic angle was blunt. The right one was sharp."


def changed(**parts):
    return TRACE.model_copy(update=parts)


def test_sentences_are_told_apart_but_not_at_numbers_or_abbreviations():
    assert [s.split()[0] for s in sentences_of(TRACE)] == ["The", "The", "Fluid", "So"]


def test_a_sound_trace_has_no_fault():
    assert trace_fault(TRACE, QUESTION, RULES) == ""


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        (changed(visual_evidence="Blunt.", clinical_interpretation="Fluid."), "trace length: 7 words, limits 20 and"),
        (changed(visual_evidence=f"The caption tells. {TRACE.visual_evidence}"), "speaks of the source: caption"),
        (changed(conclusion="So it is an effusion, option A."), "names a letter: option A"),
        (changed(conclusion="It is an effusion (B)."), "names a letter: (B)"),
        (changed(conclusion="So it is an effusion.</answer>"), "mark of the layout inside: </answer>"),
        (changed(conclusion="So it is fluid."), "conclusion without the answer: An effusion"),
        (changed(conclusion="So it is an effusionless lung."), "conclusion without the answer: An effusion"),
    ],
)
def test_faults_of_a_trace_are_named(trace, reason):
    assert trace_fault(trace, QUESTION, RULES).startswith(reason)


def rested(*bases):
    quote = {"source": "the right one was sharp"}
    return [Rested(number=n, basis=basis, quote=quote.get(basis, "")) for n, basis in enumerate(bases, start=1)]


def test_quotes_get_their_places_in_the_source():
    fault, quotes = consistency_fault(rested("source", "image", "knowledge"), 3, context=SOURCE, rules=RULES)
    assert fault == "" and [SOURCE[q.start : q.end] for q in quotes] == ["The right one was sharp"]
    assert quotes[0].what == "sentence 1"


@pytest.mark.parametrize(
    ("judged", "num_sentences", "reason"),
    [
        (rested("source", "none"), 2, "unsupported claim: sentence 2"),
        (rested("source"), 2, "sentences not judged one by one: 1 judgements of 2 sentences"),
        (rested("source") * 2, 2, "sentences not judged one by one"),
        (rested("image", "image"), 2, "too little from the source: 0 sentences, limit 1"),
        (rested("source", "knowledge", "knowledge"), 3, "too much from outside the source: 2 sentences, limit 1"),
        ([Rested(number=1, basis="source", quote="the right was sharp")], 1, "quote not in the source: "),
        ([Rested(number=1, basis="source", quote="right one was")], 1, "quote too short: "),
    ],
)
def test_faults_of_what_sentences_rest_on_are_named(judged, num_sentences, reason):
    assert consistency_fault(judged, num_sentences, context=SOURCE, rules=RULES)[0].startswith(reason)


def unit(quote="The right one is sharp", claim="The right angle is sharp and clear", **fields):
    asked = {"presence_question": "Does it?", "correctness_question": "Is it?"}
    return Unit(topic="angle", claim=claim, quote=quote, importance="core", **{**asked, **fields})


def units(**axes):
    knowledge = unit("Fluid gathers there first", "Fluid gathers at the lowest place")
    rationale = unit("So it is an effusion", "A blunt angle means there is fluid")
    return Units(**{"perception": [unit()], "knowledge": [knowledge], "rationale": [rationale], **axes})


def test_faults_of_units_are_named():
    assert units_fault(units(), TRACE, RULES) == ""
    for axes, reason in (
        ({"knowledge": []}, "number of units: 0 of knowledge, limits 1 and 8"),
        ({"knowledge": [unit(f"{n}") for n in range(9)]}, "number of units: 9 of knowledge"),
        ({"perception": [unit("The right one was sharp")]}, "unit's quote not in the trace: "),
        ({"perception": [unit("The right")]}, "unit's quote not in the trace: "),
        ({"perception": [unit(presence_question="It does.")]}, "unit asks no question: "),
        ({"knowledge": [unit()]}, "two units say the same: "),
    ):
        assert units_fault(units(**axes), TRACE, RULES).startswith(reason)

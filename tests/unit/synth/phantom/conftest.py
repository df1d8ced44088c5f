"""A few drawn patients, and many that are only planned, shared by the tests of the phantom."""

import pytest

from osler.core.rng import generator
from osler.synth.phantom.film import draw_film, planned_study
from osler.synth.phantom.patient import make_patient
from osler.synth.phantom.questions import ask, compare

SEED = 3
NUM_DRAWN = 80
NUM_PLANNED = 600


@pytest.fixture(scope="session")
def drawn():
    """(patient, visit, film) of some patients at 96 px."""
    patients = [make_patient(SEED, number) for number in range(NUM_DRAWN)]
    return [(p, v, draw_film(SEED, p, v, image_px=96)) for p in patients for v in p.visits]


@pytest.fixture(scope="session")
def patients():
    """Many patients."""
    return [make_patient(SEED, number) for number in range(NUM_PLANNED)]


@pytest.fixture(scope="session")
def histories(patients):
    """The studies of each of many patients, not drawn."""
    return [[planned_study(patient, visit) for visit in patient.visits] for patient in patients]


@pytest.fixture(scope="session")
def asked(histories):
    """(study, question) of all films, not drawn."""
    studies = [study for history in histories for study in history]
    return [(study, item) for study in studies for item in ask(generator(SEED, "ask", study.id), study)]


@pytest.fixture(scope="session")
def compared(histories):
    """(prior, current, question) of all pairs of films that follow."""
    pairs = [pair for history in histories for pair in zip(history, history[1:], strict=False)]
    return [(a, b, item) for a, b in pairs for item in compare(generator(SEED, "compare", a.id), a, b)]

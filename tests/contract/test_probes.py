"""What every probe owes: options of its own in the protocol, probabilities of every test item, and the same twice."""

import numpy as np
import pytest

from osler.core.catalog import PROBES
from osler.core.config import Config
from osler.transfer.probe import Draw, Part, Probe
from osler.transfer.protocol import TransferProtocol

FROZEN = [name for name in PROBES.names() if PROBES.load(name).reads == "features"]


def drawn(*, multi: bool = False) -> Draw:
    random = np.random.default_rng(0)
    gold = np.arange(60) % 3
    features = (np.eye(3)[gold] @ random.normal(size=(3, 8)) + 0.5 * random.normal(size=(60, 8))).astype(np.float32)
    targets = np.stack([gold == 0, gold != 1, gold == 2], axis=1) if multi else gold
    parts = [Part(features[a:b], targets[a:b], np.arange(a, b)) for a, b in ((0, 30), (30, 40))]
    test = Part(features[40:], targets[:0], np.arange(40, 60))
    return Draw("drawn", 3, multi, 0, *parts, test)


@pytest.mark.parametrize("name", PROBES.names())
def test_its_options_are_a_section_of_the_protocol(name):
    probe = PROBES.load(name)
    assert isinstance(probe, Probe) and issubclass(probe.config, Config)
    assert isinstance(TransferProtocol().options(name), probe.config), (
        f"protocol.{name} holds the options of probe {name}"
    )
    assert "version" in probe.config.model_fields, "so that a change of the code changes the protocol hash"


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("name", FROZEN)
def test_it_answers_for_every_test_item_and_twice_the_same(name, multi):
    probe = PROBES.load(name)
    first, again = (probe.run(drawn(multi=multi), probe.config()) for _ in range(2))
    assert first
    for variant, given in first.items():
        table = given.probabilities
        assert table.shape == (20, 3) and np.isfinite(table).all()
        assert table.min() >= 0 and table.max() <= 1 + 1e-9
        if not multi:
            assert np.allclose(table.sum(axis=1), 1)
        assert (again[variant].probabilities == table).all()


@pytest.mark.parametrize("name", FROZEN)
def test_it_learns_what_is_easy(name):
    given = list(PROBES.load(name).run(drawn(), PROBES.load(name).config()).values())[-1]
    assert (given.probabilities.argmax(axis=1) == np.arange(40, 60) % 3).mean() > 0.6

import json

import pytest

from osler.core.errors import InputError
from osler.curate.drops import Tally, drop, drops_table, tally_drops
from osler.curate.mixture import (
    Choice,
    Filter,
    Stated,
    Terms,
    check_use,
    chosen,
    drops_by_set,
    is_among,
    set_weights,
)
from osler.datasets.dataset import Draft
from osler.schema.sample import Provenance, Sample, closed, user


def draft(number: int, *, licence: str = "CC BY 4.0", access: str = "open", tags=(), modality: str = "ct") -> Draft:
    origin = Provenance(dataset="toy", record_id=str(number), licence=licence, access=access)
    sample = Sample(
        id=f"toy/train/{number}",
        turns=(user("Why?"),),
        answer=closed("no"),
        modality=modality,
        tags=tags,
        provenance=origin,
    )
    return Draft(sample.id, sample)


def taken(drafts: list[Draft], choice: Choice) -> list[str]:
    return [each.id for each, left_out in chosen(lambda: drafts, choice) if left_out is None]


def reason(each: Draft, choice: Choice):
    return choice.left_out(each)


def test_filters_say_what_they_leave_out():
    asks = Choice(filters=(Filter(licences=("CC-BY",), modalities=("ct",), languages=("en",)),), language="en")
    assert reason(draft(0), asks) is None
    assert reason(draft(0, tags=("lang:zh",)), asks) == ("filters", "language not chosen: zh")
    assert reason(draft(0, modality="mr"), asks) == ("filters", "modality not chosen: mr")
    assert reason(draft(0, licence="CC BY-NC"), asks) == ("filters", "licence not chosen: CC BY-NC")
    other = Choice(filters=asks.filters, language="fr")
    assert reason(draft(0), other) == ("filters", "language not chosen: fr")
    permits = Choice(filters=(Filter(permits=("commercial",)),))
    assert reason(draft(0, licence="CC BY-NC"), permits)[1].startswith("licence does not permit commercial")


def test_a_row_whose_licence_forbids_the_use_is_left_out():
    assert reason(draft(0, licence="CC BY-NC"), Choice(use="research")) is None
    assert reason(draft(0, licence="CC BY-NC"), Choice(use="commercial"))[0] == "use"
    assert "CC-BY-NC does not permit commercial" in reason(draft(0, licence="CC BY-NC"), Choice(use="commercial"))[1]
    assert "not known" in reason(draft(0, licence="NOASSERTION"), Choice(use="research"))[1]
    assert "registered access" in reason(draft(0, access="registered"), Choice(use="redistribute"))[1]


def test_a_cap_takes_the_same_samples_whatever_their_order():
    drafts = [draft(number) for number in range(200)]
    first = taken(drafts, Choice(cap=50, seed=3))
    assert len(first) == 50 and set(taken(drafts[::-1], Choice(cap=50, seed=3))) == set(first)
    assert set(taken(drafts, Choice(cap=20, seed=3))) < set(first)
    assert set(taken(drafts, Choice(cap=50, seed=4))) != set(first)
    assert taken(drafts, Choice(cap=500)) == [each.id for each in drafts]
    numbers = [int(id.rpartition("/")[2]) for id in first]
    assert 60 < sum(numbers) / 50 < 140  # spread over the set, not its head


def test_a_cap_counts_only_what_is_taken_otherwise():
    drafts = [draft(number, modality="ct" if number % 2 else "mr") for number in range(40)]
    choice = Choice(filters=(Filter(modalities=("ct",)),), cap=10)
    found = {left_out for _, left_out in chosen(lambda: drafts, choice)}
    assert len(taken(drafts, choice)) == 10
    assert found == {None, ("filters", "modality not chosen: mr"), ("cap", "beyond the cap: 10")}


def test_weights_follow_sizes_statements_and_temperature():
    sizes = {"a": 100, "b": 400, "c": 0}
    assert set_weights(sizes, {}, temperature=1.0) == {"a": 100, "b": 400}
    stated = {"a": Stated(weight=7.5), "b": Stated(epochs=0.5)}
    assert set_weights(sizes, stated, temperature=1.0) == {"a": 7.5, "b": 200}
    # T = 2 takes square roots, 10 and 20 here, and keeps the sum of 500.
    assert set_weights(sizes, {}, temperature=2.0) == pytest.approx({"a": 500 / 3, "b": 1000 / 3})
    assert set_weights({}, {}, temperature=2.0) == {}


def test_a_forbidden_use_names_every_set_and_what_to_do():
    sets = [
        Terms("free", "CC0-1.0", "open"),
        Terms("paid", "CC BY-NC 4.0", "open"),
        Terms("dark", "see card", "open"),
        Terms("clinic", "PhysioNet Credentialed", "credentialed"),
    ]
    with pytest.raises(InputError, match="1 of 4 sets.*research: dark .*see card is not known.*`agreement`"):
        check_use("research", sets)
    with pytest.raises(InputError, match="3 of 4 .*paid .*CC-BY-NC-4.0 does not permit commercial.*dark.*clinic"):
        check_use("commercial", sets)
    check_use("research", [Terms("dark", "see card", "open", "the authors' letter of 3 May"), *sets[:2]])
    with pytest.raises(InputError, match="clinic .credentialed access"):
        check_use("redistribute", [Terms("clinic", "x", "credentialed", "our letter")])


def test_a_licence_without_a_version_stands_for_all():
    assert is_among("CC-BY-4.0", ["CC-BY"]) and is_among("CC-BY", ["CC-BY"]) and is_among("MIT", ["CC-BY", "MIT"])
    assert not is_among("CC-BY-NC-4.0", ["CC-BY"]) and not is_among("CC-BY-3.0", ["CC-BY-4.0"])


def test_drops_are_counted_by_set_and_split():
    rows = [drop("a/train/1", "cap", "beyond the cap: 3"), drop("a/train/2/x", "cap", "beyond the cap: 3")]
    rows += [drop("my_lab.cxr/test/1", "adapter", "no answer")]
    assert drops_by_set(tally_drops(drops_table(rows))) == {
        ("a", "train"): {"cap: beyond the cap": 2},
        ("my_lab.cxr", "test"): {"adapter: no answer": 1},
    }
    assert json.dumps(drops_by_set(Tally())) == "{}"

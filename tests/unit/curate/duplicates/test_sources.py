import pytest

from osler.curate.duplicates.sources import source_keys
from osler.schema.sample import Provenance, Sample, closed, user


def sample(**fields) -> Sample:
    origin = Provenance(
        dataset="toy", record_id=fields.pop("record_id", "7"), licence="CC0-1.0", **fields.pop("of", {})
    )
    return Sample(turns=(user("Why?"),), answer=closed("yes"), provenance=origin, **fields)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"record_id": "fig_PMC1234567_2"}, ("pmcid:PMC1234567", "pmcid")),
        ({"group": "pmc/pmc7654321"}, ("pmcid:PMC7654321", "pmcid")),
        (
            {"of": {"source_url": "https://doi.org/10.1371/journal.PONE.0012345."}},
            ("doi:10.1371/journal.pone.0012345", "doi"),
        ),
        ({"of": {"source_url": "https://pubmed.ncbi.nlm.nih.gov/31452104/"}}, ("pmid:31452104", "pmid")),
        ({"group": "patient-3"}, ("group:patient-3", "group")),
        ({"id": "toy/train/1"}, ("id:toy/train/1", "id")),
    ],
)
def test_ids_are_read_where_they_stand(given, key):
    assert key in source_keys(sample(**given)).items()


def test_no_id_no_key():
    assert source_keys(sample(record_id="20190507-11 10.5 PMC12")) == {}
    assert source_keys(Sample(turns=(user("Why?"),), answer=closed("yes"))) == {}

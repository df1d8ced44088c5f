"""Source ids: the article, and the group (a patient, a study) that a sample comes from."""

import re

from osler.schema.sample import Sample

_PMCID = re.compile(r"(?<![A-Za-z0-9])PMC\d{4,9}(?!\d)", re.IGNORECASE)
_DOI = re.compile(r"(?<![\d.])10\.\d{4,9}/[^\s\"'<>?#]+")
_PMID = re.compile(r"(?:pubmed(?:\.ncbi\.nlm\.nih\.gov)?/|PMID:?\s?)(\d{5,9})\b", re.IGNORECASE)


def source_keys(sample: Sample) -> dict[str, str]:
    """What a sample comes from, each key with its kind: `pmcid`, `doi`, `pmid`, `group`, `id`.

    Article ids are read out of the sample's group, id and provenance. Two samples with a key in common must not stand
    on both sides of an evaluation.
    """
    origin = sample.provenance
    where = " ".join([sample.group, sample.id, *((origin.record_id, origin.source_url) if origin else ())])
    keys = {f"pmcid:{found.upper()}": "pmcid" for found in _PMCID.findall(where)}
    keys |= {f"doi:{found.rstrip('.,;)').lower()}": "doi" for found in _DOI.findall(where)}
    keys |= {f"pmid:{found}": "pmid" for found in _PMID.findall(where)}
    if sample.group:
        keys[f"group:{sample.group}"] = "group"
    if sample.id:
        keys[f"id:{sample.id}"] = "id"
    return keys

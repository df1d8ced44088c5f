"""Croissant: the store described for machines, as MLCommons Croissant 1.0 (JSON-LD over schema.org)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from osler.core.files import sha256_file, write_json
from osler.curate.card import SourceNote
from osler.store.index import SCHEMA, index_path, tar_path
from osler.store.reader import Store

FILE = "croissant.json"
_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_croissant(
    out: Path,
    *,
    name: str,
    description: str,
    sources: Sequence[SourceNote],
    store: Store | None,
    published: str = "",
    into: Path | None = None,
) -> None:
    """Write `croissant.json` under `out`.

    Args:
        out: the output folder; file addresses are relative to it.
        name: what the set is called.
        description: one or two sentences.
        sources: the datasets it was made from; their licences and citations are listed.
        store: the shards under `out`; None where every sample was dropped.
        published: the day of publication, YYYY-MM-DD; left out where empty, since a clock would make two runs differ.
        into: write to this folder instead.
    """
    licences = sorted(_licences(store) or {note.licence for note in sources})
    value: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": name,
        "description": description,
        "license": licences,
        "url": next((note.source_url for note in sources if note.source_url), "https://example.org/"),
        "version": "1.0.0",
        "creator": [{"@type": "sc:Organization", "name": note.name, "url": note.source_url} for note in sources],
        "distribution": _distribution(out, store) if store else [],
        "recordSet": [_record_set()] if store else [],
    }
    if cited := "\n".join(note.citation for note in sources if note.citation):
        value["citeAs"] = cited
    if published:
        value["datePublished"] = published
    write_json((into or out) / FILE, value)


def _licences(store: Store | None) -> set[str]:
    tables = [store.table(split) for split in store.splits()] if store else []
    return {licence for table in tables for licence in table["licence"].unique().to_pylist() if licence}


def _distribution(out: Path, store: Store) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = []
    for info in store.shards():
        tar, index = tar_path(out, info.name), index_path(out, info.name)
        files.append(_file(tar, out, "application/x-tar", info.sha256))
        files.append(_file(index, out, "application/x-parquet", sha256_file(index)))
    index_set = {
        "@type": "cr:FileSet",
        "@id": "index",
        "name": "index",
        "description": "One row a sample: where it lies in the shards, and what is known of it.",
        "encodingFormat": "application/x-parquet",
        "includes": "index/*.parquet",
    }
    return [*files, index_set]


def _file(path: Path, out: Path, encoding: str, sha256: str) -> dict[str, Any]:
    address = path.relative_to(out).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": address,
        "name": address,
        "contentUrl": address,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": encoding,
        "sha256": sha256,
    }


def _record_set() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "key": {"@id": "samples/sample_id"},
        "field": [_field(column) for column in SCHEMA],
    }


def _field(column: pa.Field) -> dict[str, Any]:
    is_list = pa.types.is_list(column.type)
    kind = column.type.value_type if is_list else column.type
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"samples/{column.name}",
        "name": column.name,
        "dataType": "sc:Integer" if pa.types.is_integer(kind) else "sc:Text",
        "source": {"fileSet": {"@id": "index"}, "extract": {"column": column.name}},
    }
    return {**field, "repeated": True} if is_list else field

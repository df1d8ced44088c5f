"""Examples of a curation: kept ones out of the shards, dropped ones read again from where they came from."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.datasets.dataset import Draft, read_drafts
from osler.datasets.media import read_media
from osler.media.image import open_picture
from osler.schema.media import MediaRef
from osler.schema.sample import Sample
from osler.store.reader import Store

_PX = 220
_QUALITY = 80


@dataclass(frozen=True)
class Wanted:
    """A dropped sample that is to be shown, and the one that it repeats, if any."""

    id: str
    rule: str
    reason: str
    matched_id: str = ""


@dataclass(frozen=True)
class Example:
    """One sample. `picture`: a data URI, "" where there is none to show; `absent` says why.

    reason: why it was dropped; of a kept one what a model said of it. rule: that dropped it, else "". matched_id: the
        sample that it repeats.
    """

    id: str
    rule: str
    reason: str
    words: str = ""
    licence: str = ""
    picture: str = ""
    absent: str = ""
    matched_id: str = ""


def dropped_examples(wanted: Sequence[Wanted], recipe: Mapping[str, Any], *, max_rows_read: int) -> list[Example]:
    """The wanted ones in their order, each with its words and first picture where its source is still at hand.

    Args:
        wanted: the dropped samples.
        recipe: of the curation, resolved.
        max_rows_read: rows of each split of a set in which they are looked for.
    """
    ids = {each.id: each.id.partition("#")[0] for each in wanted}
    found: dict[str, Example] = {}
    for entry in recipe.get("datasets", ()):
        for split in entry["splits"]:
            prefix = f"{entry['name']}/{split}/"
            missing = {base for base in ids.values() if base.startswith(prefix) and base not in found}
            if missing:
                found |= _found_again(entry, split, missing, max_rows_read=max_rows_read)
    unread = f"not among the first {max_rows_read:,} rows of its source"
    blank = Example("", "", "", absent=unread)
    return [_of(found.get(ids[each.id], blank), each) for each in wanted]


def kept_examples(store: Store, asked: pa.Table, *, num_examples: int) -> dict[str, tuple[Example, ...]]:
    """Some samples of each set and split, by a lot that depends on their ids alone."""
    said = {row["id"]: row["answer"] for row in asked.select(["id", "answer"]).to_pylist()}
    found: dict[str, tuple[Example, ...]] = {}
    for split in store.splits():
        table = store.table(split)
        by_set: dict[str, list[tuple[bytes, int]]] = {}
        for number, (id, name) in enumerate(
            zip(table["sample_id"].to_pylist(), table["dataset"].to_pylist(), strict=True)
        ):
            by_set.setdefault(name, []).append((blake2b(id.encode(), digest_size=8).digest(), number))
        for name, lots in sorted(by_set.items()):
            rows = store.rows(table, [number for _, number in sorted(lots)[:num_examples]])
            found[f"{name} {split}"] = tuple(_kept(store, row, said) for row in rows)
    return found


def _kept(store: Store, row: dict[str, Any], said: Mapping[str, str]) -> Example:
    sample = store.sample(row)
    files = dict(zip((ref.path for ref in sample.media), store.media(row), strict=True))
    return _example(sample, lambda ref: files[ref.path], reason=_reason(said.get(sample.id, "")))


def _reason(answer: str) -> str:
    """What a model gave as its reason, where it was asked for one."""
    return str(json.loads(answer).get("reason", "")) if answer else ""


def _of(example: Example, wanted: Wanted) -> Example:
    part = " The picture is the one that it was made from." if "#" in wanted.id and example.picture else ""
    of_rule = {"id": wanted.id, "rule": wanted.rule, "reason": wanted.reason, "matched_id": wanted.matched_id}
    return replace(example, absent=example.absent + part, **of_rule)


def _found_again(entry: Mapping[str, Any], split: str, ids: set[str], *, max_rows_read: int) -> dict[str, Example]:
    name, root = entry["name"], _root(entry)
    gone = {id: Example(id, "", "", absent=f"its source {root or entry['root']} is not at hand") for id in ids}
    if root is None or not root.is_dir():
        return gone
    found: dict[str, Example] = {}
    try:
        drafts = read_drafts(ADAPTERS.load(name), name, root, split=split, limit=entry.get("limit"))
        for draft in islice(drafts, max_rows_read):
            if draft.id in ids and draft.id not in found:
                found[draft.id] = _again(draft, root)
            if len(found) == len(ids):
                break
    except InputError as error:
        return {id: Example(id, "", "", absent=f"its source cannot be read: {error}") for id in ids} | found
    return found


def _again(draft: Draft, root: Path) -> Example:
    if draft.sample is None:
        return Example(draft.id, "", "", absent="no sample could be made of its row")

    def read(ref: MediaRef) -> bytes | None:
        return read_media(root, draft.places.get(ref.path, ref.path))

    return _example(draft.sample, read, reason="")


def _example(sample: Sample, read: Any, *, reason: str) -> Example:
    licence = sample.provenance.licence if sample.provenance else ""
    words = f"{sample.question}\n{sample.answer.text}"
    picture, absent = _picture(sample.media[0], read) if sample.media else ("", "no picture")
    return Example(sample.id, "", reason, words, licence, picture, absent)


def _picture(ref: MediaRef, read: Any) -> tuple[str, str]:
    if ref.kind != "image":
        return "", f"a {ref.kind} is not shown"
    try:
        data = read(ref)
        if data is None:
            return "", "its file is not there"
        picture = open_picture(data, ref)
    except InputError as error:
        return "", f"cannot be shown: {error}"
    picture.thumbnail((_PX, _PX), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}", ""


def _root(entry: Mapping[str, Any]) -> Path | None:
    """Where a set's folder is on this machine; None where only the hub is named."""
    if entry["root"] is None:
        return read_settings().data_root / entry["name"]
    return None if entry["root"].startswith("hub:") else Path(entry["root"])

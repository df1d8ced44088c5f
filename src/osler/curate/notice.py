"""What goes with a store when it is used or passed on: `NOTICE`, the terms of every set, and `citations.bib`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from osler.core.files import write_text
from osler.curate.card import SourceNote
from osler.curate.mixture import Terms
from osler.schema.licence import PER_ITEM, UNKNOWN, licence_of

FILE = "NOTICE"
BIB_FILE = "citations.bib"

_DOI = re.compile(r"\bdoi:\s*(10\.\d{4,9}/\S+?)[.,;]?(?=\s|$)", re.IGNORECASE)
_ARXIV = re.compile(r"\barxiv[:\s]\s*(\d{4}\.\d{4,5})", re.IGNORECASE)
_YEAR = re.compile(r"\((\d{4})\)|\b((?:19|20)\d{2})\b(?!\.\d)")


def write_notice(
    out: Path,
    *,
    title: str,
    use: str,
    sources: Sequence[SourceNote],
    terms: Sequence[Terms],
    licences: Mapping[str, Mapping[str, int]],
) -> None:
    """Write `NOTICE` and `citations.bib` under `out`.

    Args:
        out: the folder of the store.
        title: what the store is called.
        use: what it was declared to be for.
        sources: its sets, with citation and address.
        terms: of the same sets.
        licences: by set, the licences of the samples that were kept, as published, with their numbers.
    """
    by_name = {each.name: each for each in terms}
    head = (
        f"{title}\n\nThis store holds samples made from the sets below, curated for {use}. Each set, and where it says "
        "so each\nsample, stays under its own terms; the index states them for every sample (licence, access, "
        "source_url)."
    )
    parts = [head, *(_section(note, by_name[note.name], licences.get(note.name, {})) for note in sources)]
    write_text(out / FILE, "\n\n".join(parts) + "\n")
    write_text(out / BIB_FILE, "\n".join(bib_entry(note) for note in sources if note.citation))


def bib_entry(note: SourceNote) -> str:
    """A set's citation as a BibTeX entry: the whole reference as its note, with what can be told apart for certain."""
    fields = {"title": f"{{{note.name}}}", "note": note.citation, "howpublished": _url(note.source_url)}
    if doi := _DOI.search(note.citation):
        fields["doi"] = doi[1]
    if arxiv := _ARXIV.search(note.citation):
        fields |= {"eprint": arxiv[1], "archiveprefix": "arXiv"}
    if year := _YEAR.search(_DOI.sub("", note.citation)):
        fields["year"] = year[1] or year[2]
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    return "\n".join([f"@misc{{{note.name.replace('.', '_')},", *lines, "}", ""])


def _section(note: SourceNote, terms: Terms, licences: Mapping[str, int]) -> str:
    lines = [note.name, "-" * len(note.name)]
    if note.citation:
        lines.append(f"Attribution: {note.citation}")
    if note.source_url:
        lines.append(f"Published at: {note.source_url}")
    lines.append(f"Access: {terms.access}" + ("" if terms.access == "open" else "; it must not be passed on"))
    lines += _terms_lines("Licence", terms.licence)
    if terms.agreement:
        lines.append(f"Used under an agreement, in the words of the recipe: {terms.agreement}")
    if set(licences) - {terms.licence}:
        for spelling, count in licences.items():
            lines += _terms_lines(f"{count:,} samples", spelling)
    return "\n".join(lines)


def _terms_lines(head: str, spelling: str) -> list[str]:
    licence = licence_of(spelling)
    if licence.id == PER_ITEM:
        return [f"{head}: each sample has its own, listed below and in the index"]
    stated = f" (stated as {spelling!r})" if spelling not in (licence.id, "") else ""
    if licence.id == UNKNOWN:
        return [f"{head}: NOT KNOWN{stated}; find out the terms before any use"]
    lines = [f"{head}: {licence.name} [{licence.id}]{stated}" + (f" {licence.url}" if licence.url else "")]
    return [*lines, *(f"  - {ask}" for ask in licence.asks)]


def _url(address: str) -> str:
    return f"\\url{{{address}}}" if address else ""

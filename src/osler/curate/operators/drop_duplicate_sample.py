"""Drop samples that ask the same question about the same image bytes, with the same answer, as an earlier sample.

Words are compared after Unicode NFKC, lower case and single spaces; images by the SHA-256 of their files. A sample
of another split counts as earlier too, so what train and test share stays in the split that the recipe names first.
"""

import unicodedata

import pyarrow as pa

from osler.curate.drops import drop
from osler.curate.operator import Kept, NoOptions, Operator, keep_where


def drop_duplicate_sample(table: pa.Table) -> Kept:
    """Keep the first sample of each question, answer and images."""
    first: dict[tuple[object, ...], str] = {}
    drops = []
    columns = (table[name].to_pylist() for name in ("id", "question", "answer", "media_sha256"))
    for id, question, answer, sha256s in zip(*columns, strict=True):
        owner = first.setdefault((_words(question), _words(answer), tuple(sha256s)), id)
        reason = "same images, question and answer"
        drops.append(None if owner is id else drop(id, "drop_duplicate_sample", reason, matched_id=owner, score=1.0))
    return keep_where(table, drops)


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


OPERATOR = Operator(
    config=NoOptions, build=lambda config: drop_duplicate_sample, level="sample", scope="all", needs_sha256=True
)

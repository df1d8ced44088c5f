"""MedExpQA: questions of the Spanish exam for resident doctors in four languages, with a doctor's explanation.

Row: {"id": 1, "lang": "en", "year": 2011, "type": "CARDIOLOGY", "full_question": "...", "correct_option": 3,
      "options": {"1": "...", "2": "...", "3": "...", "4": "...", "5": null}, "full_answer": "...",
      "explanations": {"1": {...}}, "rag": {...}}
"""

from collections.abc import Iterator
from pathlib import Path

from osler.datasets.choices import lettered
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.read import FirstOf, jsonl
from osler.schema.sample import Sample

_FIELDS = ("id", "lang", "year", "type", "full_question", "options", "correct_option")
_FILES = {"train": "train", "validation": "dev", "test": "test"}
_LANGUAGES = ("en", "es", "fr", "it")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question with its options. A fifth that is null is none; what explains the answer is not shown."""
    right = row["correct_option"]
    tags = (f"lang:{row['lang']}", f"subject:{str(row['type']).strip()}", f"year:{row['year']}")
    return lettered(row["full_question"], row["options"], None if right is None else str(int(right)), tags=tags)


def named(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """A row's id names the question in all languages; with the language it names the row."""
    for row in rows:
        yield {**row, "_id": f"{row['lang']}/{row['id']}", "_group": f"{split}-{row['id']}"}


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="text",
    group_key="_group",
    group_unit="question",
    id_key="_id",
    splits={"train": 1736, "validation": 252, "test": 500},
    rows=FirstOf(
        (
            jsonl(
                {
                    split: tuple(f"data/{lang}/{name}.{lang}.casimedicos.rag.jsonl" for lang in _LANGUAGES)
                    for split, name in _FILES.items()
                },
                fields=_FIELDS,
                change=named,
            ),
            jsonl(
                {split: f"{name}.*.casimedicos.rag.jsonl" for split, name in _FILES.items()},
                fields=_FIELDS,
                change=named,
            ),
        )
    ),
    to_sample=to_sample,
    citation="Alonso, Oronoz, Agerri. MedExpQA: multilingual benchmarking of large language models for medical "
    "question answering. Artificial Intelligence in Medicine 155, 102938 (2024). arXiv:2404.05590",
    source_url="https://huggingface.co/datasets/HiTZ/MedExpQA",
    hub_id="HiTZ/MedExpQA",
    layout="data/LANG/{train,dev,test}.LANG.casimedicos.rag.jsonl for en, es, fr and it, or some of these files in one "
    "folder",
    stages=("instruct",),
    known_from="code",
    notes="Each question in English, Spanish, French and Italian (tags lang:en, ...): 434, 63 and 125 questions a "
    "language. Every row carries some fifty kilobytes of retrieved passages, which are not used.",
)

"""MIMIC-CXR-VQA: questions from 48 templates about chest radiographs, to verify, choose or query.

Row: {"split": "train", "idx": 13280, "subject_id": "...", "study_id": "...", "image_id": "34c81443-...",
      "image_path": "p10/p1.../s.../....jpg", "question": "...", "semantic_type": "choose", "content_type": "attribute",
      "template": "... ${attribute_1} or ${attribute_2} in the ${object}?",
      "template_arguments": {"attribute": {"0": "...", "1": "..."}, ...}, "answer": ["pleural effusion"]}
"""

import re
from itertools import permutations

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.mimic import below_files, patient_group
from osler.datasets.read import FirstOf, json_list
from osler.schema.sample import Answer, Sample, closed, image, open_answer, user

_FILES = {"train": "train.json", "validation": "valid.json", "test": "test.json"}
_FIELDS = ("idx", "subject_id", "image_path", "question", "semantic_type", "content_type", "answer")
_EITHER = re.compile(r"\$\{(\w+?)_(\d+)\} or (?:the )?\$\{(\w+?)_(\d+)\}")
_SEXES = {"m": "male", "f": "female"}
_NONE = "none"
_MOST_ORDERS = 3


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; an empty list of answers says that none of what is asked for is there."""
    found = [str(word).strip() for word in row["answer"]]
    kind = row["semantic_type"].strip()
    if row["content_type"] == "gender":
        found = [_SEXES.get(word.lower(), word) for word in found]
    if kind == "verify" and len(found) != 1:
        return Skip(f"a question to verify has {len(found)} answers")
    question, answer = _asked(row, kind, found)
    empty = ("answer:none",) if not found else ()
    return Sample(
        turns=(user(image(below_files(row["image_path"])), question),),
        answer=answer,
        group=patient_group(row["subject_id"]),
        tags=(f"type:{kind}", f"content:{row['content_type']}", *empty),
    )


def _asked(row: Row, kind: str, found: list[str]) -> tuple[str, Answer]:
    question = row["question"].strip()
    if kind == "verify":
        return question, closed(found[0])
    if kind == "choose":
        options = _options(row)
        if len(found) == 1 or not options:
            return question, closed(", ".join(found) or _NONE, labels=options and (*options, "both", _NONE))
        return question, closed("both" if found else _NONE, labels=(*options, "both", _NONE))
    orders = permutations(found) if 1 < len(found) <= _MOST_ORDERS else iter([found])
    first, *others = [", ".join(order) for order in orders]
    return question, open_answer(first or _NONE, *others)


def _options(row: Row) -> tuple[str, ...]:
    """The two things that the template lets one choose from; none where it says them in words of its own."""
    match = _EITHER.search(row.get("template") or "")
    arguments = row.get("template_arguments") or {}
    if not match:
        return ()
    names = ((match[1], match[2]), (match[3], match[4]))
    options = tuple(arguments.get(kind, {}).get(str(int(number) - 1), "") for kind, number in names)
    return tuple(_SEXES.get(option.lower(), option.lower()) for option in options) if all(options) else ()


DATASET = Dataset(
    licence="LicenseRef-PhysioNet-Credentialed-1.5.0",
    access="credentialed",
    modality="x-ray",
    body_part="chest",
    group_key="subject_id",
    id_key="idx",
    splits={"train": 290031, "validation": 73567, "test": 13793},
    rows=FirstOf(
        (
            json_list(_FILES, fields=_FIELDS),
            json_list({split: f"dataset/{name}" for split, name in _FILES.items()}, fields=_FIELDS),
            json_list(
                {split: f"MIMIC-Ext-MIMIC-CXR-VQA/dataset/{name}" for split, name in _FILES.items()}, fields=_FIELDS
            ),
        )
    ),
    to_sample=to_sample,
    media_folder="files",
    stages=("instruct",),
    group_unit="patient",
    known_from="code",
    citation="Bae et al. EHRXQA: a multi-modal question answering dataset for electronic health records with chest "
    "X-ray images. NeurIPS 2023. arXiv:2310.18652",
    source_url="https://physionet.org/content/mimic-ext-mimic-cxr-vqa/1.0.0/",
    layout="train.json, valid.json, test.json (or these below dataset/), and files/ of mimic-cxr-jpg",
    notes="An empty list of answers means that nothing of what is asked for was found: the answer is `none`, the tag "
    "answer:none. Two answers of a question that lets one choose between two things are `both`. Several answers of "
    "a query are one text; up to three are right in any order. Its splits are not those of mimic_cxr: groups have the "
    "same names there, so that a mix can tell. The files without answers, which the code's "
    "repository holds as _train.json, are refused.",
)

r"""PMC-LLaMA instructions: questions of exams, abstracts, consumers and a medical vocabulary, as instructions.

Row: {"source": "medqa_train", "instruction": "...", "input": "###Question: ...\n###Options:\nA. ...\nB. ...\n",
      "output": "###Rationale: ...\n\n###Answer: OPTION B IS CORRECT.", "sample_id": 0}
"""

import re

from osler.datasets.choices import choice_sample, option_lines
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import answered, group_of
from osler.datasets.read import any_json
from osler.schema.sample import LETTERS, Sample

_MARK = re.compile(r"###(?:Question|Options|Rationale|Answer|Context):")
_RIGHT = re.compile(r"\bOPTION ([A-J]) IS CORRECT", re.I)


def to_sample(row: Row) -> Sample | Skip:
    """A choice where options are listed and the output names one, else a passage; a rationale is the reasoning."""
    asked, output = str(row["input"] or "").strip(), str(row["output"] or "").strip()
    instruction, tags = str(row["instruction"] or "").strip(), (f"source:{row['source']}",)
    group = group_of("pmc_llama_instructions", asked or instruction)
    rationale, answer = _taken_apart(output)
    question, has_options, listed = asked.partition("###Options:")
    right = _RIGHT.search(answer) if has_options else None
    if right and (options := option_lines(listed)):
        words = f"{instruction}\n\n{_plain(question)}"
        number = LETTERS.index(right.group(1).upper())
        return choice_sample(words, options, number, reasoning=rationale, tags=tags, group=group)
    words = "\n\n".join(part for part in (instruction, _plain(asked)) if part)
    return answered(words, answer, reasoning=rationale, tags=tags, group=group)


def _taken_apart(output: str) -> tuple[str, str]:
    """The rationale and the answer, whichever of their marks comes first."""
    if "###Answer:" not in output:
        return "", _plain(output)
    before, _, after = output.partition("###Answer:")
    answer, _, rationale = after.partition("###Rationale:")
    return _plain(before or rationale), _plain(answer)


def _plain(text: str) -> str:
    """`text` without the marks of its parts."""
    return _MARK.sub("", text).strip() if "#" in text else text.strip()


DATASET = Dataset(
    licence="LicenseRef-OpenRAIL",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 513999},
    rows=any_json({"train": "release.json"}, fields=("source", "instruction", "input", "output")),
    to_sample=to_sample,
    citation="Wu et al. PMC-LLaMA: toward building open-source language models for medicine. JAMIA 31(9), 1833-1843 "
    "(2024). arXiv:2304.14454",
    source_url="https://huggingface.co/datasets/axiong/pmc_llama_instructions",
    hub_id="axiong/pmc_llama_instructions",
    layout="release.json",
    stages=("instruct",),
    known_from="card",
    notes="Made from MedQA train, MedMCQA, the artificial part of PubMedQA, LiveQA, MedicationQA and UMLS (tag "
    "source:...), whose own terms apply. The card says openrail and not which one. Exam questions come several "
    "times with other instructions: rows with the same input are one group.",
)

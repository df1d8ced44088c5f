"""MedQuAD: questions and answers taken from twelve websites of the US National Institutes of Health.

File: FOLDER_QA/0000001.xml: <Document id="0000001" source="NIDDK" url="..."><Focus>...</Focus>...<QAPairs>
      <QAPair pid="1"><Question qid="0000001-1" qtype="information">...</Question><Answer>...</Answer></QAPair>...
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from osler.core.files import existing_file
from osler.datasets.dataset import BadRow, Dataset, Row, Skip
from osler.datasets.read import FileRows
from osler.schema.sample import Provenance, Sample, passage, user

_FIELDS = ("_id", "_document", "question", "answer", "qtype", "focus", "source", "url")


def to_sample(row: Row) -> Sample | Skip:
    """Ask the question; the answer is a passage."""
    if not row["question"]:
        return Skip("the question is empty")
    if not row["answer"]:
        return Skip("the answer is empty")
    source = Provenance(dataset="med_quad", record_id=row["_id"], licence="CC-BY-4.0", source_url=row["url"])
    return Sample(
        turns=(user(row["question"]),),
        answer=passage(row["answer"]),
        task="text_qa",
        tags=(f"type:{row['qtype']}", f"source:{row['source']}"),
        provenance=source,
    )


def parse_document(root: Path, name: str) -> Iterator[Row | BadRow]:
    """The pairs of one document. One that is not XML, or declares entities, is one bad row."""
    data = existing_file(root / name).read_bytes()
    if b"<!ENTITY" in data:
        yield BadRow(f"unsafe file: {name} declares entities")
        return
    try:
        document = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        yield BadRow(f"broken file: {name} is not valid XML ({error})")
        return
    stem = name.removesuffix(".xml")
    about = {"_document": stem, "focus": _words(document.find("Focus"))}
    about |= {key: document.get(key, "").strip() for key in ("source", "url")}
    for number, pair in enumerate(document.iter("QAPair"), start=1):
        question = pair.find("Question")
        yield {
            "_id": f"{stem}-{number}",
            "question": _words(question),
            "answer": _words(pair.find("Answer")),
            "qtype": "" if question is None else question.get("qtype", "").strip(),
            **about,
        }


def _words(element: ElementTree.Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


DATASET = Dataset(
    licence="CC-BY-4.0",
    access="open",
    modality="text",
    group_key="_document",
    group_unit="article",
    id_key="_id",
    splits={"train": 47457},
    rows=FileRows({"train": "*_QA/*.xml"}, parse_document, _FIELDS),
    to_sample=to_sample,
    citation="Ben Abacha, Demner-Fushman. A question-entailment approach to question answering. BMC Bioinformatics "
    "20, 511 (2019). doi:10.1186/s12859-019-3119-4",
    source_url="https://github.com/abachaa/MedQuAD",
    layout="the folders 1_CancerGov_QA to 12_MPlusHerbsSupplements_QA with their XML files, or some of them",
    stages=("instruct",),
    known_from="file",
    notes="The answers of the folders 10 to 12 (MedlinePlus) are removed for copyright: their rows are dropped, and "
    "counted, so far fewer remain than are published.",
)

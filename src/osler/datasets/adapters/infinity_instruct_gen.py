"""Infinity-Instruct, config Gen: conversations on all subjects, many of several turns, in English and Chinese.

Row: {"id": 0, "conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}],
      "label": {"ability_en": ["..."], ...}, "langdetect": "en", "source": "Subjective"}
"""

from osler.datasets.chats import ChatLines, ChatTable
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import conversed
from osler.datasets.read import FileRows, FirstOf
from osler.schema.sample import Sample

_TURNS = ("conversations", "from", "value")
_OTHERS = ("langdetect", "source")


def to_sample(row: Row) -> Sample | Skip:
    """The conversation; its last reply is the answer. Tags tell the detected language and the source."""
    language = str(row["langdetect"] or "und").partition("-")[0].lower()
    return conversed(row["said"], tags=(f"lang:{language}", f"source:{row['source']}"))


DATASET = Dataset(
    licence="CC-BY-SA-4.0",
    access="registered",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 1456927},
    rows=FirstOf(
        (
            FileRows({"train": "Gen/*.parquet"}, ChatTable(*_TURNS, others=_OTHERS)),
            FileRows({"train": "Gen/*.jsonl"}, ChatLines(*_TURNS), fields=("conversations", *_OTHERS)),
        )
    ),
    to_sample=to_sample,
    citation="Li et al. Infinity Instruct: scaling instruction selection and synthesis to enhance language models. "
    "arXiv:2506.11116 (2025)",
    source_url="https://huggingface.co/datasets/BAAI/Infinity-Instruct",
    hub_id="BAAI/Infinity-Instruct",
    layout="the hub's Gen/*.parquet (or Gen/*.jsonl)",
    stages=("instruct",),
    known_from="code",
    notes="Not a medical set. The hub asks for consent before it hands the files out. The language was detected, not "
    "declared: zh-cn becomes lang:zh, an empty one lang:und. A published recipe counts 1,483,097 rows.",
)

"""II-Medical-Reasoning-SFT: medical questions with models' reasoning, several replies a question.

Row: {"model": "...", "question": "...", "problem": "...",
      "messages": [{"content": "...", "role": "user"}, {"content": "<think>...</think>...", "role": "assistant"}]}
"""

from osler.datasets.chats import ChatLines, ChatTable
from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.instructions import conversed, group_of
from osler.datasets.read import FileRows, FirstOf
from osler.schema.sample import Sample

_TURNS = ("messages", "role", "content")
_HEAD = 200
_CHINESE_SHARE = 0.2


def to_sample(row: Row) -> Sample | Skip:
    """The conversation, each reply's reasoning taken apart. Replies to one question are one group."""
    asked = next((words for role, words in row["said"] if role == "user"), None) or ""
    return conversed(row["said"], tags=(f"lang:{language(asked)}",), group=group_of("ii_medical_reasoning", asked))


def language(text: str) -> str:
    """`zh` where a fifth of the first 200 characters are Chinese, else `en`: the rows do not say it."""
    head = text[:_HEAD]
    if head.isascii():
        return "en"
    return "zh" if sum("\u4e00" <= mark <= "\u9fff" for mark in head) >= _CHINESE_SHARE * len(head) else "en"


DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 2197741},
    rows=FirstOf(
        (
            FileRows({"train": "data/train-*.parquet"}, ChatTable(*_TURNS)),
            FileRows({"train": "*.jsonl"}, ChatLines(*_TURNS), fields=("messages",)),
        )
    ),
    to_sample=to_sample,
    citation="Intelligent Internet. II-Medical-Reasoning-SFT (2025). "
    "https://huggingface.co/datasets/Intelligent-Internet/II-Medical-Reasoning-SFT",
    source_url="https://huggingface.co/datasets/Intelligent-Internet/II-Medical-Reasoning-SFT",
    hub_id="Intelligent-Internet/II-Medical-Reasoning-SFT",
    layout="the hub's data/train-*.parquet",
    stages=("instruct",),
    known_from="card",
    notes="The card names no licence. Prompts come from MedMCQA, MedQA, PubMedQA and public reasoning sets, some of "
    "them Chinese (tag lang:zh).",
)

"""HealthCareMagic-100k: what patients asked on a website, and what doctors answered.

Row: {"instruction": "If you are a doctor, ...", "input": "...", "output": "..."}
"""

from osler.datasets.dataset import Dataset
from osler.datasets.instructions import instructed
from osler.datasets.read import FirstOf, any_json, parquet

_FIELDS = ("instruction", "input", "output")

DATASET = Dataset(
    licence="NOASSERTION",
    access="open",
    modality="text",
    group_key="",
    group_unit="question",
    splits={"train": 112165},
    rows=FirstOf(
        (
            parquet({"train": "data/train-*.parquet"}, fields=_FIELDS),
            any_json({"train": "HealthCareMagic-100k.json"}, fields=_FIELDS),
        )
    ),
    to_sample=instructed,
    citation="Li et al. ChatDoctor: a medical chat model fine-tuned on a large language model meta-AI (LLaMA) using "
    "medical domain knowledge. Cureus 15(6), e40895 (2023). arXiv:2303.14070",
    source_url="https://huggingface.co/datasets/lavita/ChatDoctor-HealthCareMagic-100k",
    hub_id="lavita/ChatDoctor-HealthCareMagic-100k",
    layout="the hub's data/train-*.parquet, or HealthCareMagic-100k.json",
    stages=("instruct",),
    known_from="card",
    notes="The card names no licence. The answers were taken from a website and carry its sign-offs.",
)

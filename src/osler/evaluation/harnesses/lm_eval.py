"""lm-evaluation-harness: a YAML file and JSON lines for each task, `osler_harness.py` that reads them.

Its `exact_match` is a stand-in to watch a run by; the score is made when the log is read back. The log is
`samples_TASK_DATE.jsonl` of `--log_samples`: one line for each question and filter, with the raw reply in `resps`.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import read_jsonl, write_text
from osler.evaluation.harness import (
    ID,
    PROMPT,
    TASK,
    Harness,
    Log,
    LoggedReply,
    TaskExport,
    json_lines,
    tagged_yaml,
    text_of,
)

_READER = '''"""Reads the exported questions and their images; the task files beside it name its functions."""

import json
from pathlib import Path

from datasets import Dataset

HERE = Path(__file__).parent


def load(task, **_):
    """The questions of one task."""
    with (HERE / f"{task}.jsonl").open(encoding="utf-8") as file:
        return {"test": Dataset.from_list([json.loads(line) for line in file])}


def images(doc):
    """The images of one question."""
    from PIL import Image

    return [Image.open(HERE / path).convert("RGB") for path in doc["images"]]
'''


def write(exports: Sequence[TaskExport], out: Path) -> str:
    """Task files, questions and the reader, side by side."""
    write_text(out / "osler_harness.py", _READER)
    for export in exports:
        rows = [
            {**i.identity, "prompt": i.words("<image>"), "target": i.target, "images": i.images} for i in export.items
        ]
        write_text(out / f"{export.name}.jsonl", json_lines(rows))
        write_text(out / f"{export.name}.yaml", _task_file(export))
    names = ",".join(export.name for export in exports)
    model = "hf-multimodal" if any(item.images for export in exports for item in export.items) else "hf"
    return f"lm_eval --model {model} --include_path . --tasks {names} --log_samples --output_path LOGS"


def _task_file(export: TaskExport) -> str:
    settings: dict[str, Any] = {
        "task": export.name,
        "custom_dataset": "!function osler_harness.load",
        "dataset_kwargs": {"task": export.name},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "{{target}}",
        "target_delimiter": "",
        # Without an empty list the harness would cut replies at the first blank line.
        "generation_kwargs": {
            "until": [],
            "do_sample": False,
            "temperature": 0.0,
            "max_gen_toks": max(item.max_new_tokens for item in export.items),
        },
        "metric_list": [
            {
                "metric": "exact_match",
                "aggregation": "mean",
                "higher_is_better": True,
                "ignore_case": True,
                "ignore_punctuation": True,
            }
        ],
        "metadata": {"version": export.task.version},
    }
    if any(item.images for item in export.items):
        settings["doc_to_image"] = "!function osler_harness.images"
    return tagged_yaml(settings)


def read(path: Path) -> Log:
    """The replies of the first filter; a filter changes what is scored there, not what was said."""
    return Log(_replies(path))


def _replies(path: Path) -> Iterator[LoggedReply]:
    first_filter = None
    for number, line in zip(count(1), read_jsonl(path), strict=False):
        where = f"{path} line {number}"
        doc = line.get("doc") if isinstance(line, dict) else None
        if not isinstance(doc, dict) or ID not in doc:
            raise InputError(f"{where} is no reply to an exported question", expected=f"doc.{ID}, resps, filter")
        first_filter = line.get("filter") if first_filter is None else first_filter
        if line.get("filter") != first_filter:
            continue
        yield LoggedReply(where, doc.get(TASK, ""), doc[ID], doc.get(PROMPT, ""), _only(line.get("resps"), where))


def _only(resps: Any, where: str) -> str:
    """The one reply in the lists of requests and of repeats."""
    while isinstance(resps, list):
        if len(resps) != 1:
            raise InputError(f"{where} holds {len(resps)} replies", expected="one", fix="Run with repeats: 1.")
        resps = resps[0]
    return text_of(resps)


HARNESS = Harness(
    name="lm_eval",
    package="lm-eval 0.4.13",
    logs=("samples_osler_*.jsonl",),
    write=write,
    read=read,
    many_turns=False,
    silences="lm_eval's log does not say whether a reply was cut: a cut one is scored by the words it has",
)

"""lmms-eval: a YAML file and JSON lines for each task, `osler_harness.py` with their functions, images below `images/`.

Start it in the exported folder, since it looks for the data from there. Its `osler_exact` is a stand-in to watch a run
by; the score is made when the log is read back. The log is `DATE_samples_TASK.jsonl` of `--log_samples`: one line for
each question without the question, which is why the metric carries the item's identity along.
"""

import json
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
    ExportedItem,
    Harness,
    Log,
    LoggedReply,
    TaskExport,
    json_lines,
    tagged_yaml,
    text_of,
)
from osler.schema.sample import Image

_METRIC = "osler_exact"
_READER = '''"""Functions that the task files beside it name: images and words of a question, and a plain comparison."""

import json
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
IDENTITY = ("osler_id", "osler_task", "osler_prompt_sha256")


def visuals(doc, lmms_eval_specific_kwargs=None):
    """The images of one question."""
    return [Image.open(HERE / path).convert("RGB") for path in doc["images"]]


def words(doc, lmms_eval_specific_kwargs=None):
    """The words of one question."""
    return doc["prompt"]


def messages(doc, lmms_eval_specific_kwargs=None):
    """The question with its images where they belong."""
    parts = json.loads(doc["parts"])
    images = iter(visuals(doc))
    content = [
        {"type": "image", "url": next(images)} if part is None else {"type": "text", "text": part} for part in parts
    ]
    return [{"role": "user", "content": content}]


def compare(doc, results):
    """Whether the reply is the target, case and ends aside, with what tells whose reply it is."""
    plain = results[0].strip().strip(".").lower()
    right = plain in [target.lower() for target in doc["targets"]]
    return {"osler_exact": {**{key: doc[key] for key in IDENTITY}, "score": float(right)}}


def share(results):
    """The share of right replies."""
    return sum(result["score"] for result in results) / len(results) if results else 0.0
'''


def write(exports: Sequence[TaskExport], out: Path) -> str:
    """Task files, questions and the functions, side by side."""
    write_text(out / "osler_harness.py", _READER)
    for export in exports:
        write_text(out / f"{export.name}.jsonl", json_lines(_row(item) for item in export.items))
        write_text(out / f"{export.name}.yaml", _task_file(export))
    names = ",".join(export.name for export in exports)
    return f"python -m lmms_eval --model MODEL --include_path . --tasks {names} --log_samples --output_path LOGS"


def _row(item: ExportedItem) -> dict[str, Any]:
    parts = [None if isinstance(part, Image) else part.text for turn in item.turns for part in turn.parts]
    return {
        **item.identity,
        "prompt": item.words(""),
        "parts": json.dumps(parts, ensure_ascii=False),
        "images": item.images,
        "target": item.target,
        "targets": item.targets,
    }


def _task_file(export: TaskExport) -> str:
    return tagged_yaml(
        {
            "task": export.name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": f"{export.name}.jsonl"}},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_visual": "!function osler_harness.visuals",
            "doc_to_text": "!function osler_harness.words",
            "doc_to_messages": "!function osler_harness.messages",
            "doc_to_target": "target",
            "process_results": "!function osler_harness.compare",
            "generation_kwargs": {
                "max_new_tokens": max(item.max_new_tokens for item in export.items),
                "temperature": 0,
                "do_sample": False,
            },
            "metric_list": [
                {"metric": _METRIC, "aggregation": "!function osler_harness.share", "higher_is_better": True}
            ],
            "metadata": {"version": export.task.version},
        }
    )


def read(path: Path) -> Log:
    """The raw replies; where they were left out, being equal, those after the filter."""
    return Log(_replies(path))


def _replies(path: Path) -> Iterator[LoggedReply]:
    for number, line in zip(count(1), read_jsonl(path), strict=False):
        where = f"{path} line {number}"
        known = line.get(_METRIC) if isinstance(line, dict) else None
        if not isinstance(known, dict) or ID not in known:
            raise InputError(f"{where} is no reply to an exported question", expected=f"{_METRIC}.{ID}, filtered_resps")
        raw = _only(line["resps"] if "resps" in line else line.get("filtered_resps"), where)
        tokens = _tokens(line.get("token_counts"))
        yield LoggedReply(
            where, known.get(TASK, ""), known[ID], known.get(PROMPT, ""), raw, tokens_in=tokens[0], tokens_out=tokens[1]
        )


def _tokens(counts: Any) -> tuple[int, int]:
    """Tokens of the prompt and of the reply where the log counts them."""
    first = counts[0] if isinstance(counts, list) and len(counts) == 1 else None
    known = first if isinstance(first, dict) else {}
    return int(known.get("input_tokens") or 0), int(known.get("output_tokens") or 0)


def _only(resps: Any, where: str) -> str:
    """The one reply in the lists of requests and of repeats."""
    while isinstance(resps, list):
        if len(resps) != 1:
            raise InputError(f"{where} holds {len(resps)} replies", expected="one", fix="Run with repeats: 1.")
        resps = resps[0]
    return text_of(resps)


HARNESS = Harness(
    name="lmms_eval",
    package="lmms-eval 0.7.3",
    logs=("*_samples_osler_*.jsonl",),
    write=write,
    read=read,
    many_turns=False,
    silences="lmms_eval's log does not say whether a reply was cut; where it counts tokens, one of full length was",
)

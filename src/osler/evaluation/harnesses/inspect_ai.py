"""inspect_ai: one JSON dataset for each task, `osler_tasks.py` with the tasks, images below `images/`.

Its `exact` scorer is a stand-in to watch a run by; the score is made when the log is read back. A log is `.json` or
`.eval` (a zip of JSON, compressed by zstandard or deflate). It says which model wrote, when a reply was cut and where a
question failed. Reasoning that it keeps apart is put before the reply between think marks.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json, write_json, write_text
from osler.evaluation.harness import ID, PROMPT, TASK, ExportedItem, Harness, Log, LoggedReply, TaskExport, text_of
from osler.schema.sample import Image, Turn

_ZSTANDARD = 93
_LOCAL_HEADER = 30
_HEAD = '''"""Tasks exported by Osler: the questions lie beside this file."""

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import exact
from inspect_ai.solver import generate

HERE = Path(__file__).parent


def _task(name, version, max_tokens):
    return Task(
        dataset=json_dataset(str(HERE / f"{name}.json"), name=name),
        solver=generate(),
        scorer=exact(),
        config=GenerateConfig(temperature=0.0, max_tokens=max_tokens),
        version=version,
    )
'''
_TASK = """

@task
def {name}():
    return _task({name!r}, {version!r}, {max_tokens})
"""


def write(exports: Sequence[TaskExport], out: Path) -> str:
    """The datasets and the file of tasks, side by side."""
    tasks = [
        _TASK.format(
            name=export.name,
            version=export.task.version,
            max_tokens=max(item.max_new_tokens for item in export.items),
        )
        for export in exports
    ]
    write_text(out / "osler_tasks.py", _HEAD + "".join(tasks))
    for export in exports:
        write_json(out / f"{export.name}.json", [_sample(item) for item in export.items])
    return "inspect eval osler_tasks.py --model MODEL --log-dir LOGS"


def _sample(item: ExportedItem) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "input": [_message(turn) for turn in item.turns],
        "target": item.targets if len(item.targets) > 1 else item.target,
        "metadata": item.identity,
    }


def _message(turn: Turn) -> dict[str, Any]:
    if not turn.media:
        return {"role": turn.role, "content": turn.text}
    content = [
        {"type": "image", "image": part.media.path} if isinstance(part, Image) else {"type": "text", "text": part.text}
        for part in turn.parts
    ]
    return {"role": turn.role, "content": content}


def read(path: Path) -> Log:
    """The replies and the model that the log names."""
    if path.suffix == ".eval":
        return _read_zip(path)
    log = read_json(existing_file(path))
    if not isinstance(log, dict) or "eval" not in log:
        raise InputError(f"{path} is no log of inspect_ai", expected="an object with eval and samples")
    samples = log.get("samples") or []
    return Log((_reply(s, f"{path} sample {n}") for n, s in enumerate(samples, start=1)), _model(log))


def _read_zip(path: Path) -> Log:
    try:
        with zipfile.ZipFile(existing_file(path)) as archive:
            members = {info.filename: info for info in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is no log of inspect_ai: {error}", expected="a zip of JSON files") from error
    if "header.json" not in members:
        raise InputError(
            f"{path} is not finished", expected="header.json in the zip", fix="Let inspect_ai end the run."
        )
    names = sorted(name for name in members if name.startswith("samples/") and name.endswith(".json"))
    return Log(
        (_reply(_member(path, members[name]), f"{path} {name}") for name in names),
        _model(_member(path, members["header.json"])),
    )


def _member(path: Path, info: zipfile.ZipInfo) -> Any:
    """One JSON file of the zip. Zstandard, which this Python's zipfile may not know, is read with pyarrow."""
    if info.compress_type != _ZSTANDARD:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(info))
    import pyarrow as pa

    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER)
        file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        packed = file.read(info.compress_size)
    try:
        data = pa.Codec("zstd").decompress(packed, decompressed_size=info.file_size, asbytes=True)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} {info.filename} is damaged: {error}") from error
    return json.loads(data)


def _model(log: Any) -> str:
    return text_of((log.get("eval") or {}).get("model")) if isinstance(log, dict) else ""


def _reply(sample: Any, where: str) -> LoggedReply:
    known = sample.get("metadata") if isinstance(sample, dict) else None
    if not isinstance(known, dict) or ID not in known:
        raise InputError(f"{where} is no reply to an exported question", expected=f"metadata.{ID}, output")
    output = sample.get("output") or {}
    choices = output.get("choices") or [{}]
    if len(choices) > 1:
        raise InputError(f"{where} holds {len(choices)} replies", expected="one", fix="Run with num_choices 1.")
    usage = output.get("usage") or {}
    stop = choices[0].get("stop_reason")
    return LoggedReply(
        where,
        known.get(TASK, ""),
        known[ID],
        known.get(PROMPT, ""),
        _words(choices[0], output, sample.get("attachments") or {}),
        finished=None if stop in (None, "unknown") else stop not in ("max_tokens", "model_length"),
        tokens_in=int(usage.get("input_tokens") or 0),
        tokens_out=int(usage.get("output_tokens") or 0),
        latency_ms=round(1000 * float(output.get("time") or 0.0), 3),
        error=_error(sample, output),
    )


def _words(choice: dict[str, Any], output: dict[str, Any], attachments: dict[str, str]) -> str:
    """The reply, and before it the reasoning between think marks; long texts may lie among the attachments."""
    content = (choice.get("message") or {}).get("content")
    if not isinstance(content, list):
        return _attached(text_of(content if content is not None else output.get("completion")), attachments)
    texts = {"reasoning": "", "text": ""}
    for part in content:
        if isinstance(part, dict) and part.get("type") in texts:
            texts[part["type"]] += _attached(text_of(part.get(part["type"])), attachments)
    return f"<think>{texts['reasoning']}</think>{texts['text']}" if texts["reasoning"] else texts["text"]


def _attached(text: str, attachments: dict[str, str]) -> str:
    scheme = "attachment://"
    return attachments.get(text[len(scheme) :], text) if text.startswith(scheme) else text


def _error(sample: dict[str, Any], output: dict[str, Any]) -> str:
    error = sample.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    limit = sample.get("limit")
    reason = f"stopped by a limit: {limit.get('type')}" if isinstance(limit, dict) else ""
    return text_of(message or output.get("error")) or reason


HARNESS = Harness(
    name="inspect_ai",
    package="inspect-ai 0.3.285",
    logs=("*.eval", "*.json"),
    write=write,
    read=read,
    many_turns=True,
)

"""Harness: another evaluation program, as far as tasks are written for it and its sample logs are read back.

An exported folder holds what the program reads, and beside it `items.jsonl` and `context.json`: what is needed to score
its replies by the strict rules without the data. An item is known by its task, its id and the hash of its prompt, which
the program's own log carries along.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from osler.evaluation.task import Task
from osler.schema.base import Record
from osler.schema.sample import Answer, Image, Turn

PREFIX = "osler_"
"""What a task is called over there begins so, to keep it apart from that program's own task of the same set."""
ID, TASK, PROMPT = "osler_id", "osler_task", "osler_prompt_sha256"
"""The keys by which a log says which item a reply belongs to."""


class ExportedItem(Record):
    """An item as it was handed out. In `turns` an image's `path` is below the exported folder."""

    item_id: str
    task: str
    task_version: str
    cluster: str
    turns: tuple[Turn, ...]
    max_new_tokens: int
    prompt_sha256: str
    image_sha256s: tuple[str, ...] = ()
    gold: Answer

    @property
    def target(self) -> str:
        """The gold answer in the form in which it is asked for: the letter of a choice, else the words."""
        return self.gold.letter if self.gold.kind == "choice" else self.gold.text

    @property
    def targets(self) -> list[str]:
        """The gold answer and the other accepted wordings."""
        return [self.target, *self.gold.alternatives]

    @property
    def images(self) -> list[str]:
        """The paths of the images, in the order in which they are shown."""
        return [media.path for turn in self.turns for media in turn.media]

    @property
    def identity(self) -> dict[str, str]:
        """What a log must carry along."""
        return {ID: self.item_id, TASK: self.task, PROMPT: self.prompt_sha256}

    def words(self, placeholder: str) -> str:
        """The words of the only turn, with `placeholder` where an image stands; "" leaves the images out."""
        parts = [placeholder if isinstance(part, Image) else part.text for turn in self.turns for part in turn.parts]
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True)
class TaskExport:
    """One task with the items that it asks."""

    task: Task
    items: tuple[ExportedItem, ...]

    @property
    def name(self) -> str:
        """What the task is called in the other program."""
        return PREFIX + self.task.name


class LoggedReply(NamedTuple):
    """One reply of a log. `where` says where it stands; `finished` is None where the log does not say."""

    where: str
    task: str
    item_id: str
    prompt_sha256: str
    raw: str
    finished: bool | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: float = 0.0
    error: str = ""


class Log(NamedTuple):
    """One file of replies; `model` is "" where it does not say which model wrote them."""

    replies: Iterator[LoggedReply]
    model: str = ""


@dataclass(frozen=True)
class Harness:
    """One program.

    name: the file's name. package: the package and the version whose formats are written and read.
    logs: by which patterns its sample logs are found in a folder.
    write: the tasks as it reads them, into a folder; returns the line that runs them there.
    read: one of its logs. Raises InputError where it is none.
    many_turns: whether it can ask a question that other turns precede (exemplars, a system's words).
    silences: what its logs do not say, and what that means for a score; "" for nothing.
    """

    name: str
    package: str
    logs: tuple[str, ...]
    write: Callable[[Sequence[TaskExport], Path], str]
    read: Callable[[Path], Log]
    many_turns: bool
    silences: str = ""


def json_lines(rows: Iterable[Any]) -> str:
    """The rows as JSON lines, in the words' own letters."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def tagged_yaml(settings: dict[str, Any]) -> str:
    """The settings as YAML in which a text that begins with `!function` is that tag and not a text."""
    text: str = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=1000)
    return re.sub(r"'(!function [\w.]+)'", r"\1", text)


def text_of(value: Any) -> str:
    """A field of a log as text; nothing as ""."""
    return value if isinstance(value, str) else "" if value is None else str(value)

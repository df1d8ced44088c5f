"""What every harness owes: its files are well formed, carry each item's identity, and its logs come back whole.

The fixtures are the first lines of logs that the programs themselves wrote, of the versions that each entry names.
"""

import json
from itertools import product
from pathlib import Path

import pytest

from osler.core.catalog import HARNESSES, TASKS
from osler.core.errors import InputError
from osler.evaluation.harness import ExportedItem, TaskExport
from osler.schema.sample import choice, image, user

FIXTURES = Path(__file__).parents[1] / "fixtures" / "harnesses"
PROMPT = "3d667d8f9bb1e398a15f2fc570f892945b6c7ec2187d719a4bdd46da5a6f2c84"
OPTIONS = ("effusion", "edema")


@pytest.fixture(params=HARNESSES.names())
def harness(request):
    return HARNESSES.load(request.param)


def logs(harness):
    return sorted(path for pattern in harness.logs for path in (FIXTURES / harness.name).glob(pattern))


def item(number: int) -> ExportedItem:
    return ExportedItem(
        item_id=f"i{number}",
        task="phantom_choice",
        task_version="2",
        cluster="p1",
        turns=(user(image("images/a.png"), "What is seen?\nA. \u00e9panchement\nB. edema"),),
        max_new_tokens=16 + number,
        prompt_sha256=f"{number:064x}",
        gold=choice("edema", OPTIONS),
    )


def test_is_called_like_its_file_and_names_its_package(harness):
    assert harness.name in HARNESSES.names()
    assert harness.package.split()[1][0].isdigit()
    assert logs(harness)


def test_a_log_of_the_program_itself_comes_back(harness):
    for path in logs(harness):
        log = harness.read(path)
        replies = list(log.replies)
        assert [reply.item_id for reply in replies] == ["test-0-0-q2", "test-0-1-q2", "test-1-0-q2"]
        assert {reply.task for reply in replies} == {"phantom_choice"}
        assert {reply.prompt_sha256 for reply in replies} == {PROMPT}
        assert len({reply.raw for reply in replies}) == 3
        assert not any(reply.error for reply in replies)


def test_what_is_written_carries_each_item(harness, tmp_path):
    export = TaskExport(TASKS.load("phantom_choice"), (item(1), item(2)))
    command = harness.write([export], tmp_path)
    assert export.name == "osler_phantom_choice"
    assert "LOGS" in command and "osler" in command
    words = "".join(path.read_text() for path in tmp_path.iterdir())
    for one, field in product((item(1), item(2)), ("item_id", "prompt_sha256")):
        assert getattr(one, field) in words
    assert "images/a.png" in words and "\u00e9panchement" in words
    for path in tmp_path.glob("*.py"):
        compile(path.read_text(), path.name, "exec")
    assert str(tmp_path) not in words


def test_what_is_no_log_of_it_is_refused(harness, tmp_path):
    path = tmp_path / f"x{logs(harness)[0].suffix}"
    for content in ('{"doc_id": 0, "resps": ["A"]}\n', "[1]\n"):
        path.write_text(content)
        with pytest.raises(InputError, match=r"no (reply|log)|zip"):
            list(harness.read(path).replies)


def test_inspect_says_what_the_others_do_not(tmp_path):
    harness = HARNESSES.load("inspect_ai")
    log = json.loads((FIXTURES / "inspect_ai" / "choice.json").read_text())
    sample = log["samples"][0]
    cut, failed, thought, stored = (json.loads(json.dumps(sample)) for _ in range(4))
    cut["output"]["choices"][0]["stop_reason"] = "max_tokens"
    failed["error"] = {"message": "out of memory", "traceback": ""}
    thought["output"]["choices"][0]["message"]["content"] = [
        {"type": "reasoning", "reasoning": "wide"}, {"type": "text", "text": "Answer: B"}
    ]  # fmt: skip
    stored["output"]["choices"][0]["message"]["content"] = "attachment://f00"
    stored["attachments"] = {"f00": "Answer: A"}
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**log, "samples": [cut, failed, thought, stored]}))
    read = harness.read(path)
    replies = list(read.replies)
    assert read.model == "fake/m"
    assert [reply.finished for reply in replies] == [False, True, True, True]
    assert [reply.error for reply in replies] == ["", "out of memory", "", ""]
    assert [reply.raw for reply in replies[2:]] == ["<think>wide</think>Answer: B", "Answer: A"]


def test_an_inspect_log_that_is_damaged_or_not_finished_is_refused(tmp_path):
    harness = HARNESSES.load("inspect_ai")
    data = bytearray((FIXTURES / "inspect_ai" / "choice.eval").read_bytes())
    data[100:160] = bytes(60)
    path = tmp_path / "log.eval"
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        list(harness.read(path).replies)
    path.write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(InputError, match="not finished"):
        harness.read(path)


@pytest.mark.parametrize("name", ["lm_eval", "lmms_eval"])
def test_repeats_are_refused_and_further_filters_passed_over(name, tmp_path):
    harness = HARNESSES.load(name)
    line = json.loads(logs(harness)[0].read_text().splitlines()[0])
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({**line, "resps": [["A", "B"]]}))
    with pytest.raises(InputError, match="2 replies"):
        list(harness.read(path).replies)
    if name == "lm_eval":
        path.write_text("".join(json.dumps({**line, "filter": f}) + "\n" for f in ("strict", "flexible")))
        assert len(list(harness.read(path).replies)) == 1

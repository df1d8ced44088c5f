"""A small evaluation, training run and data folder, as the commands write them, for tests of the report."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from osler.core.files import sha256_file, write_json, write_text
from toy import build_store

RESULT = {
    "task": "phantom_side", "task_version": "1", "metric": "accuracy", "metric_signature": "accuracy:1", "value": 0.9,
    "ci_low": 0.86, "ci_high": 0.94, "n": 300, "n_clusters": 120, "unparsed": 4, "model": "tiny",
    "dataset_ids_sha256": "f", "notes": ["a note"],
    "baseline": {
        "majority": {"value": 0.5},
        "question_prior": {"value": 0.5},
        "blind": {"value": 0.51, "ci_low": 0.45, "ci_high": 0.57},
        "shuffled": {"value": 0.49, "ci_low": 0.43, "ci_high": 0.55},
    },
}  # fmt: skip
NOT_MEASURED = {
    **RESULT, "task": "phantom_count", "value": None, "ci_low": None, "ci_high": None,
    "n": 0, "n_clusters": 0, "unparsed": 0, "baseline": {}, "notes": [],
}  # fmt: skip
CASES = [
    {
        "number": 0, "task": "phantom_side", "item_id": "i0", "outcome": "right", "question": "Which side? <b>bold</b>",
        "gold": "B", "gold_text": "right", "options": ["left", "right"], "images": ["cases/0-0.png"],
        "predictions": {"image": {"raw": "B", "final": "B", "parsed": "B", "status": "ok", "correct": True}},
    },
    {
        "number": 1, "task": "phantom_side", "item_id": "i1", "outcome": "unparsed", "question": "Which side?",
        "gold": "left", "gold_text": "left", "options": [], "images": [],
        "predictions": {"image": {"raw": "zzz", "final": "zzz", "parsed": None, "status": "unparsed", "correct": None}},
    },
]  # fmt: skip
MANIFEST = {
    "command": ["osler", "eval", "r.yaml"], "recipe_sha256": "0123456789abcdef", "packages": {"osler": "0.1.0"},
    "git_commit": "", "seeds": {"eval": 0}, "inputs": {"model": "ff"}, "outputs": {}, "started": "x", "ended": "y",
    "host": {"python": "3.11.2", "platform": "Linux", "cpu_count": 2},
}  # fmt: skip


def write_example(folder: Path) -> None:
    """Write `eval/`, `align/` and `data/` below `folder`."""
    write_json(folder / "eval" / "results.json", [RESULT, NOT_MEASURED])
    write_json(folder / "eval" / "cases.json", CASES)
    (folder / "eval" / "cases").mkdir()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(folder / "eval" / "cases" / "0-0.png")
    rows = [{"step": step, "loss": 3.0 / step, "learning_rate": 0.1} for step in range(1, 21)]
    write_text(folder / "align" / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in [*rows, {"step": 20}]))
    build_store(folder / "data")
    for name in ("eval", "align", "data"):
        write_json(folder / name / "manifest.json", MANIFEST)


ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"


def write_pair(folder: Path) -> None:
    """Write `one/`, `two/` (evaluations of the same items), and `pair.json`, the comparison of the two."""
    for name, value, answer in (("one", 0.9, "B"), ("two", 0.5, ATTACK)):
        out = folder / name
        said = {**CASES[0]["predictions"]["image"], "raw": answer, "score": value, "rule": "a letter alone"}
        said |= {"words": "B", "span": [0, 1]} if name == "one" else {"parsed": None, "status": "unparsed"}
        case = {**CASES[0], "outcome": "right" if name == "one" else "unparsed", "predictions": {"image": said}}
        others = [{**CASES[1], "verdict": "flagged"}] if name == "one" else []
        write_json(out / "cases.json", [{**case, "verdict": "clean", "metric": "accuracy"}, *others])
        (out / "cases").mkdir()
        Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(out / "cases" / "0-0.png")
        unavailable = {**NOT_MEASURED, "metric": "radgraph_f1", "notes": ["unavailable: no weights of radgraph"]}
        own = {
            **RESULT,
            "metric": "closed_accuracy",
            "model": name,
            "value": value,
            "items": "partial",
            "prompt": "p/1#a",
        }
        write_json(out / "results.json", [own, {**unavailable, "model": name}])
        part = {"task": "phantom_side", "metric": "closed_accuracy", "value": 0.25, "ci_low": 0.1, "ci_high": 0.4}
        write_json(out / "subgroups.json", [{**part, "verdict": "clean", "n": 77, "n_clusters": 7, "unparsed": 7}])
        write_json(out / "canary.json", {"all": {"asked": 9, "answered": 8, "raw": 2, "parsed": 1}, "tasks": {}})
        write_text(out / "recipe.yaml", "model: weights/model\ndata: [shards]\n")
        write_text(out / "predictions.jsonl", f"{name}\n")
        write_json(out / "manifest.json", {**MANIFEST, "inputs": {"weights/model": "abc123", "shards": "def456"}})
    difference = {"value": -0.4, "ci_low": -0.5, "ci_high": -0.3, "n": 300, "n_clusters": 120, "p": 0.02, "test": "t"}
    row = {"task": "phantom_side", "metric": "closed_accuracy", "difference": difference}
    runs = {
        key: {"folder": str(folder / name), "predictions_sha256": sha256_file(folder / name / "predictions.jsonl")}
        for key, name in (("first", "one"), ("second", "two"))
    }
    write_json(folder / "pair.json", {"schema_version": 1, **runs, "comparisons": [row]})

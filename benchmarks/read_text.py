"""Text datasets to samples: each text adapter against `datasets`, and the memory that reading takes.

For each adapter a file is drawn in its published layout, with rows near the published mean length (the retrieved
passages of MedExpQA, which nobody uses, are left out), and read whole by `read_drafts`: parsed, checked, made into a
validated sample with id, split, group and licence. Peer: `datasets.load_dataset` of the same file with its own `json`,
`parquet` or `csv` reader, then iterated; it gives the rows as they stand in the file, unchecked. `loaded` counts its
loading too, which writes an Arrow copy of the file first, as happens the first time a set is used; `iterated` is a
pass over that copy alone. A ratio above 1 says that this code is faster. It has no reader of XML, of
workbooks, or of Medbullets' columns. Times are of the processor, one process, one thread.

Then one process streams a drawn file of 100,000 rows, and another one a file of 1,000,000: printed is by how much each
has grown at its peak since its imports and first 1,000 rows (Linux only).

    python benchmarks/read_text.py [--rows 20000] [--only NAME] [--long 1000000]
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.catalog import ADAPTERS
from osler.core.rng import generator
from osler.datasets.dataset import read_drafts

LETTERS = "ABCDEFGHIJ"
ICLINIQ = ("input", "answer_icliniq", "answer_chatgpt", "answer_chatdoctor")
MEMORY_SETS = ("huatuo_o1_verifiable", "med_mcqa", "health_care_magic")  # one JSON list, lines, parquet
SHORT = 100_000
ROUNDS = 2


class Words:
    """Drawn English-looking text: slices of one long text of drawn words."""

    def __init__(self) -> None:
        random = generator(0, "read_text")
        letters = np.frombuffer(b"etaoinshrdlu", dtype="S1").astype(str)
        words = ["".join(random.choice(letters, random.integers(2, 11))) for _ in range(4000)]
        ends = random.choice([" ", " ", " ", " ", " ", " ", ", ", ". ", ".\n"], 200_000)
        self._text = "".join(f"{words[n]}{end}" for n, end in zip(random.integers(0, 4000, 200_000), ends, strict=True))
        self._starts = random.integers(0, len(self._text) - 20_000, 1 << 16).tolist()
        self._next = 0

    def __call__(self, length: int) -> str:
        """The next `length` characters or a little fewer."""
        self._next += 1
        start = self._starts[self._next % len(self._starts)]
        return self._text[start : start + length].strip() or "word"


def options(words: Words, count: int, length: int = 30) -> dict[str, str]:
    return {letter: f"{words(length)} {letter}" for letter in LETTERS[:count]}


def instruction(words: Words, sizes: tuple[int, int, int]) -> dict[str, Any]:
    asked, given, reply = sizes
    return {"instruction": words(asked), "input": words(given) if given else "", "output": words(reply)}


def exam(words: Words, n: int, length: int, count: int, **more: Any) -> dict[str, Any]:
    found = options(words, count)
    return {"question": words(length), "options": found, "answer_idx": LETTERS[n % count], "answer": "", **more}


def mcq(words: Words, n: int) -> dict[str, Any]:
    found = {f"op{letter.lower()}": words for letter, words in options(words, 4, 20).items()}
    return {
        **{"question": words(90), "exp": words(300), "cop": n % 4 + 1, **found},
        **{"subject_name": "Anatomy", "topic_name": None, "id": f"id-{n}", "choice_type": "single"},
    }


def bullets(words: Words, n: int) -> dict[str, Any]:
    row = {"link": f"https://example.org/{n}", "question": words(900)}
    found = {f"op{letter.lower()}": words for letter, words in options(words, 5).items()}
    return {**row, **found, "answer_idx": LETTERS[n % 5], "answer": "", "explanation": words(2000)}


def pubmed(words: Words, n: int) -> dict[str, Any]:
    context = {"contexts": [words(400) for _ in range(4)], "labels": ["A", "B", "C", "D"], "meshes": ["Humans"]}
    row = {"pubid": n, "question": words(100), "context": context}
    return {**row, "long_answer": words(250), "final_decision": "yes"}


def expert(words: Words, n: int) -> dict[str, Any]:
    found = {str(number): text for number, text in enumerate(options(words, 5).values(), start=1)}
    return {
        **{"id": n, "lang": "en", "year": 2016, "type": "CARDIOLOGY", "full_question": words(900)},
        **{"options": found, "correct_option": n % 5 + 1, "full_answer": words(1000)},
    }


def chat(words: Words, keys: tuple[str, str], speakers: tuple[str, str], turns: Iterable[tuple[int, str]]) -> list[Any]:
    return [
        {keys[0]: speakers[number % 2], keys[1]: f"{mark}{words(size)}"} for number, (size, mark) in enumerate(turns)
    ]


def thought(words: Words) -> list[Any]:
    turns = chat(words, ("role", "content"), ("user", "assistant"), [(400, ""), (8000, "<think>")])
    turns[1]["content"] += f"</think>\n{words(700)} \\boxed{{B}}"
    return turns


def infinity(words: Words, n: int) -> dict[str, Any]:
    turns = chat(words, ("from", "value"), ("human", "gpt"), [(300, ""), (600, ""), (200, ""), (700, "")])
    row = {"id": n, "conversations": turns, "label": {"ability_en": ["chat"]}}
    return {**row, "langdetect": "en", "source": "Subjective"}


def reasoned(words: Words, n: int) -> dict[str, Any]:
    found = options(words, 4)
    lines = "\n".join(f"{letter}. {text}" for letter, text in found.items())
    answer = f"{found['B']}. Explanation: {words(300)}"
    return {
        **{"dataset_name": "medmcqa", "id_in_dataset": n, "question": words(300), "answer": answer},
        **{"reasoning": words(2500), "options": f"Answer Choices:\n{lines}"},
    }


def pmc_llama(words: Words, n: int) -> dict[str, Any]:
    lines = "\n".join(f"{letter}. {text}" for letter, text in options(words, 4).items())
    asked = f"###Question: {words(500)}\n###Options:\n{lines}\n"
    output = f"###Rationale: {words(300)}\n\n###Answer: OPTION B IS CORRECT."
    return {"source": "medmcqa", "instruction": words(100), "input": asked, "output": output, "sample_id": None}


def medication(words: Words, n: int) -> dict[str, Any]:
    row = {"Question": words(50), "Focus (Drug)": "drug", "Question Type": "Action", "Answer": words(500)}
    return {**row, "Section Title": "NA", "URL": "https://example.org"}


def write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def write_list(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for number, row in enumerate(rows):
            file.write((",\n" if number else "") + json.dumps(row, indent=1))
        file.write("]\n")


def write_columns(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    held = list(rows)
    columns = {key: {str(number): row[key] for number, row in enumerate(held)} for key in held[0]}
    path.write_text(json.dumps(columns), encoding="utf-8")


def write_parquet(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    first = pa.Table.from_pylist([next(rows)])
    with pq.ParquetWriter(path, first.schema) as file:
        file.write_table(first)
        while held := [row for _, row in zip(range(1000), rows, strict=False)]:
            file.write_table(pa.Table.from_pylist(held, schema=first.schema))


def write_csv(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([row["question"], *row["options"].values(), row["answer_idx"]] for row in rows)


def write_xml(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    folder = path.parent
    for number in range(1 << 30):
        held = [row for _, row in zip(range(4), rows, strict=False)]
        if not held:
            return
        pairs = "".join(
            f'<QAPair pid="{n}"><Question qid="{n}" qtype="causes">{escape(row["question"])}</Question>'
            f"<Answer>{escape(row['answer'])}</Answer></QAPair>"
            for n, row in enumerate(held)
        )
        text = f'<Document id="{number}" source="NIH" url="https://example.org"><Focus>it</Focus><QAPairs>{pairs}'
        (folder / f"{number:07d}.xml").write_text(f"{text}</QAPairs></Document>", encoding="utf-8")


def write_xlsx(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number, row in enumerate(rows):
        if number == 0:
            sheet.append(list(row))
        sheet.append(list(row.values()))
    book.save(path)


@dataclass(frozen=True)
class Drawn:
    """A set to draw: where its file lies, how it is written, one row, and the split and the peer that read it."""

    file: str
    write: Callable[[Path, Iterator[dict[str, Any]]], None]
    row: Callable[[Words, int], dict[str, Any]]
    peer: str = ""
    split: str = "train"


def table(row: Callable[[Words, int], dict[str, Any]], file: str = "data/train-0.parquet") -> Drawn:
    return Drawn(file, write_parquet, row, "parquet")


SETS: dict[str, Drawn] = {
    "alpacare": table(lambda w, n: instruction(w, (200, 100, 900))),
    "health_care_magic": table(lambda w, n: instruction(w, (80, 430, 600))),
    "huatuo_o1_verifiable": Drawn(
        "medical_o1_verifiable_problem.json",
        write_list,
        lambda w, n: {"Open-ended Verifiable Question": w(200), "Ground-True Answer": w(30)},
        "json",
    ),
    "icliniq": table(lambda w, n: {key: w(580) for key in ICLINIQ}),
    "ii_medical_reasoning": table(
        lambda w, n: {"model": "m", "question": w(400), "problem": w(400), "messages": thought(w)}
    ),
    "infinity_instruct_gen": table(infinity, "Gen/train-0.parquet"),
    "med_exp_qa": Drawn("train.en.casimedicos.rag.jsonl", write_lines, expert, "json"),
    "med_mcqa": Drawn("train.json", write_lines, mcq, "json"),
    "med_qa": Drawn(
        "phrases_no_exclude_train.jsonl",
        write_lines,
        lambda w, n: exam(w, n, 700, 4, meta_info="step1", metamap_phrases=[w(20) for _ in range(30)]),
        "json",
    ),
    "med_quad": Drawn("1_CancerGov_QA/0.xml", write_xml, lambda w, n: {"question": w(60), "answer": w(1200)}),
    "med_reason": Drawn("ours_quality_33000.jsonl", write_lines, reasoned, "json"),
    "med_thoughts": Drawn(
        "MedThoughts-8K.jsonl",
        write_lines,
        lambda w, n: exam(w, n, 700, 5, question_id=f"q{n}", ds_answer=w(800), ds_think=w(3800), source="MedQA"),
        "json",
    ),
    "medbullets": Drawn("medbullets_op5.json", write_columns, bullets, split="test"),
    "medical_r1_distill": Drawn(
        "medical_r1_distill_sft.json",
        write_list,
        lambda w, n: {
            **{"question": w(250), "reasoning (reasoning_content)": w(3200), "response (content)": w(1500)},
        },
        "json",
    ),
    "medication_qa": Drawn("MedInfo2019-QA-Medications.xlsx", write_xlsx, medication),
    "medxpertqa_text": Drawn(
        "test.jsonl",
        write_lines,
        lambda w, n: {
            **{"id": f"Text-{n}", "question": w(900), "options": options(w, 10), "label": LETTERS[n % 10]},
            **{"medical_task": "Diagnosis", "body_system": "Nervous", "question_type": "Reasoning"},
        },
        "json",
        "test",
    ),
    "mmlu_med": Drawn("test/anatomy_test.csv", write_csv, lambda w, n: exam(w, n, 300, 4), "csv", "test"),
    "pmc_llama_instructions": Drawn("release.json", write_list, pmc_llama, "json"),
    "pubmed_qa": table(pubmed, "pqa_labeled/train-0.parquet"),
    "reason_med": Drawn("ReasonMed.json", write_list, lambda w, n: instruction(w, (500, 0, 3000)), "json"),
}


def main() -> None:
    arguments = _arguments()
    if arguments.stream:
        stream(arguments.stream, Path(arguments.root))
        return
    from datasets import __version__ as version
    from datasets import disable_progress_bars

    disable_progress_bars()
    print(
        f"datasets {version}, pyarrow {pa.__version__}, Python {platform.python_version()}, one thread of "
        f"{os.cpu_count()} cores; {arguments.rows} drawn rows a set, rows/s of processor time, median of {ROUNDS}"
    )
    print(f"{'set':<24}{'MB':>6}{'osler':>10}{'iterated':>10}{'ratio':>7}{'loaded':>10}{'ratio':>7}")
    words = Words()
    for name in [arguments.only] if arguments.only else SETS:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, Path(folder), words, arguments.rows)
    if not arguments.only:
        for name in MEMORY_SETS[: arguments.memory_sets]:
            memory(name, words, arguments.long)


def compare(name: str, root: Path, words: Words, num: int) -> None:
    path = draw(name, root, words, num)
    size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) / 1e6
    kind = SETS[name].peer
    loading, rows = load(kind, path, root / "cache") if kind else (0.0, None)
    ours, iterated = [], []
    for _ in range(ROUNDS):
        ours.append(timed(lambda: count(name, root, num)))
        if kind:
            iterated.append(timed(lambda: iterate(rows, num)))
    loaded = [loading + seconds for seconds in iterated]
    speed = num / statistics.median(ours)
    line = f"{name:<24}{size:>6.0f}{speed:>10.0f}"
    for seconds in (iterated, loaded):
        rate = num / statistics.median(seconds) if seconds else 0.0
        line += f"{rate:>10.0f}{speed / rate:>7.2f}" if rate else f"{'-':>10}{'-':>7}"
    print(line, flush=True)


def draw(name: str, root: Path, words: Words, num: int) -> Path:
    """Draw the file of a set below `root`."""
    drawn = SETS[name]
    path = root / drawn.file
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.write(path, (drawn.row(words, number) for number in range(num)))
    (root / "test_ground_truth.json").write_text('{"none": "yes"}', encoding="utf-8")  # pubmed_qa's test ids
    return path


def count(name: str, root: Path, num: int) -> None:
    split = SETS[name].split
    found = sum(draft.sample is not None for draft in read_drafts(ADAPTERS.load(name), name, root, split=split))
    if found < 0.99 * num:
        raise SystemExit(f"{name}: {found} samples of {num} rows")


def load(kind: str, path: Path, cache: Path) -> tuple[float, Any]:
    """Seconds that `datasets` takes to load the file, and its rows."""
    from datasets import load_dataset

    more = {"header": None} if kind == "csv" else {}
    start = time.process_time()
    rows = load_dataset(kind, data_files=str(path), split="train", cache_dir=str(cache), **more)
    return time.process_time() - start, rows


def iterate(rows: Any, num: int) -> None:
    found = sum(1 for _ in rows)
    if found != num:
        raise SystemExit(f"the peer read {found} of {num} rows")


def timed(run: Callable[[], None]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def memory(name: str, words: Words, num: int) -> None:
    for rows in (SHORT, num):
        with tempfile.TemporaryDirectory() as folder:
            path = draw(name, Path(folder), words, rows)
            size = path.stat().st_size / 1e6
            command = [sys.executable, __file__, "--stream", name, "--root", folder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        peak, grown = map(float, done.stdout.split())
        line = f"{name}: {rows:,} rows of {size:.0f} MB, peak memory {peak:.0f} MB"
        print(f"{line}, {grown:.1f} MB more than after 1,000 rows", flush=True)


def stream(name: str, root: Path) -> None:
    """Print the peak of this process in MB, and by how much it is above that of the first 1,000 rows of a set."""
    before = 0.0
    for number, _ in enumerate(read_drafts(ADAPTERS.load(name), name, root, split=SETS[name].split)):
        if number == 1000:
            before = peak_mb()
    print(peak_mb(), peak_mb() - before)


def peak_mb() -> float:
    """The most memory this process has held. Not `ru_maxrss`: a process starts with that of the one that began it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", choices=sorted(SETS))
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--memory-sets", type=int, default=1, help=f"how many of {', '.join(MEMORY_SETS)}")
    parser.add_argument("--stream", default="", help=argparse.SUPPRESS)
    parser.add_argument("--root", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

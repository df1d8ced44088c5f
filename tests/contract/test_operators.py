"""What every operator owes: a pure function that loses no row in silence and says which rule dropped it, and why."""

import json
import pickle
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chat_server import chat_server, words
from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.core.rng import generator
from osler.curate.drops import DROPS
from osler.curate.operator import RECORDS, REWRITES, SAMPLES, Apply, Operator
from osler.media.image import encode_png8
from osler.schema.sample import Sample, image, passage, user
from yunet import yunet

GOOD = encode_png8(generator(0, "operators").integers(100, 130, (144, 128)).astype("uint8"))
SMALL = encode_png8(generator(0, "operators").integers(100, 130, (90, 90)).astype("uint8"))
STRIP = encode_png8(generator(0, "operators").integers(100, 130, (120, 900)).astype("uint8"))
GRAY = encode_png8(np.full((128, 128), 90, np.uint8))


def sample_row(row: int, **fields) -> dict:
    text = {"dataset": "toy", "split": "train", "group": "g", "licence": "CC0-1.0", "task": "caption"}
    words = {"question": f"Question {row}?", "answer": "yes", "key": f"k{row}", "id": f"toy/train/{row}"}
    return {"row": row, **text, **words, "media_paths": ["a.png"], "media_sha256": [sha256_bytes(GOOD)], **fields}


def record_row(row: int, media: bytes | None) -> dict:
    texts = {"key": f"k{row}", "dataset": "toy", "split": "train", "sample_ids": [f"toy/train/{row}"]}
    return {"row": row, **texts, "media_paths": [f"{row}.png"], "media": [media]}


def rewrite_row(row: int, media: bytes | None, caption: str) -> dict:
    shown = record_row(row, media)
    sample = Sample(
        id=shown["sample_ids"][0],
        turns=(user(image(shown["media_paths"][0]), "Describe."),),
        answer=passage(caption),
        task="caption",
    )
    return {**shown, "samples": [sample.model_dump_json(exclude_defaults=True)]}


WORDS = "CT of the chest with a nodule."
TABLES = {
    "sample": pa.Table.from_pylist(
        [
            sample_row(0),
            sample_row(1, question="  "),
            sample_row(2, answer=""),
            sample_row(3, id="toy/train/0", question="Another?"),
            sample_row(4, question="question  0?"),
            sample_row(5, question="Question 0?", media_sha256=["other"]),
            sample_row(6, answer=WORDS),
            sample_row(7, answer="word " * 500),
            sample_row(8, answer="Radiographie thoracique montrant une opacité de la base avec un épanchement."),
            sample_row(9, answer="Scale bar: 50 µm"),
            sample_row(10, answer="Same patient as in Figure 2, after surgery."),
        ],
        schema=SAMPLES,
    ),
    "record": pa.Table.from_pylist(
        [record_row(n, data) for n, data in enumerate([GOOD, None, GOOD[:-30], b"text", SMALL, STRIP, GRAY])],
        schema=RECORDS,
    ),
    "rewrite": pa.Table.from_pylist(
        [rewrite_row(0, GOOD, WORDS), rewrite_row(1, None, "A mass."), rewrite_row(2, b"text", "Knee MRI.")],
        schema=REWRITES,
    ),
}
SAMPLE_IDS = [f"toy/train/{row}" for row in range(11)]
SHORT_ANSWERS = [0, 1, 2, 3, 4, 5]
DROPPED = {
    "drop_empty_text": [1, 2],
    "drop_duplicate_id": [3],
    "drop_duplicate_sample": [4],
    "drop_missing_image": [1],
    "drop_broken_image": [2, 3],
    "drop_small_image": [3, 4],
    "drop_extreme_aspect": [3, 5],
    "drop_borders": [2, 3],
    "drop_blurred": [2, 3, 6],
    "drop_compressed": [2, 3],
    "drop_flat": [2, 3, 6],
    "drop_overlaid_text": [2, 3],
    "drop_screenshot": [2, 3],
    "drop_narrator": [2, 3],
    "drop_faces": [2, 3],
    "drop_short_caption": SHORT_ANSWERS,
    "drop_long_caption": [7],
    "drop_language": [8],
    "drop_numeric_caption": [9],
    "drop_misleading_caption": [10],
    "drop_misaligned": [0, 3],
    "tag_modality": [],
    "tag_body_part": [],
    "trim_borders": [],
    "judge_relevance": [1],
    "summarise_mentions": [],
    "split_panels": [],
    # These need files or an index, which their own tests give them.
    "drop_duplicate_pixels": [],
    "drop_near_duplicate": [],
    "drop_contaminated": [],
}
"""By operator, the rows that it drops of its level's table."""


@pytest.fixture(scope="session")
def needed(tmp_path_factory) -> Iterator[dict[str, dict]]:
    """The options without which an operator is refused."""
    folder = tmp_path_factory.mktemp("operators")
    ids = [f"toy/train/{row}" for row in range(11)]
    pq.write_table(pa.table({"id": ids, "score": [0.1] + [0.5] * 10}), folder / "scores.parquet")
    (folder / "yunet.onnx").write_bytes(yunet())
    with chat_server(lambda body: json.dumps({"relevant": "mass" not in words(body), "reason": "r"})) as server:
        endpoint = {"url": server.url, "model": "toy", "cache": str(folder / "answers.sqlite")}
        yield {
            "drop_misaligned": {"scores": str(folder / "scores.parquet")},
            "drop_faces": {"weights": str(folder / "yunet.onnx")},
            "judge_relevance": {"endpoint": endpoint, "max_images": 0},
            "summarise_mentions": {"endpoint": endpoint},
        }


@pytest.fixture(params=OPERATORS.names())
def name(request) -> str:
    if request.param in {"drop_faces", "drop_overlaid_text"}:
        pytest.importorskip("cv2", exc_type=ImportError)
    return request.param


@pytest.fixture
def operator(name) -> Operator:
    return OPERATORS.load(name)


@pytest.fixture
def apply(name, operator, needed) -> Apply:
    return operator.build(operator.config.parse(needed.get(name, {}), f"operator {name}"))


def test_every_row_is_kept_or_dropped_with_a_reason(name, operator, apply):
    table = TABLES[operator.level]
    before = table.to_pylist()
    kept = apply(table)
    rows = kept.table["row"].to_pylist()
    assert kept.table.schema == table.schema and kept.drops.schema.equals(DROPS)
    assert rows == sorted(set(rows)) and len(rows) + kept.drops.num_rows == table.num_rows
    names = table["id" if operator.level == "sample" else "key"].to_pylist()
    keys = {} if operator.level == "sample" else dict(zip(SAMPLE_IDS, table["key"].to_pylist(), strict=False))
    assert sorted(keys.get(id, id) for id in kept.drops["id"].to_pylist()) == sorted(
        n for row, n in enumerate(names) if row not in rows
    )
    assert set(kept.drops["rule"].to_pylist()) <= {name} and all(kept.drops["reason"].to_pylist())
    assert table.to_pylist() == before, "an operator changes nothing"
    assert apply(table).drops.equals(kept.drops)
    assert [row for row in range(table.num_rows) if row not in rows] == DROPPED[name]


def test_no_row_in_no_row_out(operator, apply):
    kept = apply(TABLES[operator.level].slice(0, 0))
    assert kept.table.num_rows == kept.drops.num_rows == 0


def test_it_travels_to_another_process(operator, apply):
    table = TABLES[operator.level]
    assert pickle.loads(pickle.dumps(apply))(table).drops.equals(apply(table).drops)  # noqa: S301 - made here


def test_an_unknown_option_is_refused(name, operator):
    with pytest.raises(InputError, match=f"operator {name}: unknown key 'min_charz'"):
        operator.config.parse({"min_charz": 1}, f"operator {name}")


def test_it_says_what_it_does(name):
    assert OPERATORS.summary(name).startswith(("Drop ", "Set ", "Cut ", "Add ", "Split "))

import pyarrow as pa
import pytest

from films import film, saved
from osler.core.errors import InputError
from osler.curate.duplicates.evaluation_index import build_index, save_index
from osler.curate.operator import REWRITES
from osler.curate.operators.drop_contaminated import OPERATOR
from osler.schema.sample import Sample, image, passage, user

REPORT = "The heart is enlarged and both lungs show signs of congestion."


def sample(id: str, *paths: str, group: str = "", text: str = "Normal.") -> Sample:
    return Sample(id=id, turns=(user(*map(image, paths), "Describe."),), answer=passage(text), group=group)


@pytest.fixture
def index(tmp_path):
    items = [(sample("e/test/0", "e.png", group="p1", text=REPORT), [saved(film(0))])]
    save_index(tmp_path / "evaluation", build_index(items))
    return str(tmp_path / "evaluation")


def row(number: int, media: bytes | None, *samples: Sample) -> dict:
    texts = {"key": f"k{number}", "dataset": "toy", "split": "train", "sample_ids": [s.id for s in samples]}
    stored = {"media_paths": ["a.png"], "media": [media], "samples": [s.model_dump_json() for s in samples]}
    return {"row": number, **texts, **stored}


def test_copies_sources_and_words_are_dropped_each_with_its_match(index):
    table = pa.Table.from_pylist(
        [
            row(0, saved(film(0)[:, ::-1].copy(), "JPEG"), sample("t0", "a.png"), sample("t1", "a.png")),
            row(1, saved(film(1)), sample("t2", "a.png", group="p1"), sample("t3", "a.png")),
            row(2, saved(film(2)), sample("t4", "a.png", text=f"Film of today. {REPORT}")),
            row(3, b"text", sample("t5", "a.png")),
            row(4, None, sample("t6", "a.png")),
        ],
        schema=REWRITES,
    )
    kept = OPERATOR.build(OPERATOR.config(index=index))(table)
    assert kept.table["sample_ids"].to_pylist() == [["t3"], ["t5"], ["t6"]]
    assert [len(samples) for samples in kept.table["samples"].to_pylist()] == [1, 1, 1]
    drops = {d["id"]: (d["reason"].partition(":")[0], d["matched_id"]) for d in kept.drops.to_pylist()}
    assert drops == {
        "k0": ("evaluation image", "e/test/0"),
        "t2": ("evaluation source", "e/test/0"),
        "t4": ("evaluation words", "e/test/0"),
    }


def test_without_an_index_nothing_is_compared_and_a_wrong_one_is_refused(tmp_path):
    table = pa.Table.from_pylist([row(0, saved(film(0)), sample("t0", "a.png"))], schema=REWRITES)
    assert OPERATOR.build(OPERATOR.config())(table).table.num_rows == 1
    with pytest.raises(InputError, match=r"items\.parquet"):
        OPERATOR.build(OPERATOR.config(index=str(tmp_path)))(table)

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.curate.operator import SAMPLES, Kept


def applied(name: str, rows: list[dict], **options) -> Kept:
    blank = {field.name: [] if pa.types.is_list(field.type) else "" for field in SAMPLES}
    full = [
        {**blank, "row": n, "id": f"t/{n}", "task": "caption", "media_paths": ["a"], **row}
        for n, row in enumerate(rows)
    ]
    operator = OPERATORS.load(name)
    return operator.build(operator.config.parse(options, f"operator {name}"))(
        pa.Table.from_pylist(full, schema=SAMPLES)
    )


@pytest.mark.parametrize(
    ("name", "bad", "reason", "score"),
    [
        ("drop_short_caption", "Case 2.", "number of words too low: 2 below 3", 2.0),
        ("drop_long_caption", "word " * 401, "number of words too high: 401 above 400", 401.0),
        ("drop_language", "TDM du thorax montrant une lyse de la clavicule", "caption in fr: 4 words, limit 3", 4.0),
        ("drop_language", "Снимок", "caption in Cyrillic: 1.00 of the letters", 1.0),
        ("drop_numeric_caption", "Bar: 50 µm", "only numbers and labels: 0.29 of it digits", 2 / 7),
        ("drop_numeric_caption", "1234 5678 cells", "share of digits too high: 0.6154 above 0.5", 8 / 13),
        (
            "drop_misleading_caption",
            "Same case as in Fig. 3",
            "caption speaks of other figures: 'Same case as in Fig. 3'",
            1.0,
        ),
    ],
)
def test_a_caption_is_dropped_with_what_was_measured(name, bad, reason, score):
    good = "Axial CT of the chest with a nodule in the right upper lobe."
    kept = applied(name, [{"answer": good}, {"answer": bad}])
    assert kept.table["row"].to_pylist() == [0]
    row = kept.drops.to_pylist()[0]
    assert row["reason"] == reason and row["score"] == pytest.approx(score) and row["rule"] == name


@pytest.mark.parametrize(
    "name", ["drop_short_caption", "drop_language", "drop_numeric_caption", "drop_misleading_caption"]
)
def test_answers_to_questions_are_no_captions(name):
    rows = [{"task": "vqa", "answer": "12"}, {"task": "vqa", "answer": "Снимок"}, {"task": "vqa", "answer": "Fig. 1"}]
    assert applied(name, rows).drops.num_rows == 0
    assert applied("drop_short_caption", rows, tasks=["vqa"]).drops.num_rows == 3


def test_arrows_are_asked_for_only_by_name():
    rows = [{"answer": "The arrow marks a nodule."}]
    assert applied("drop_misleading_caption", rows).drops.num_rows == 0
    assert applied("drop_misleading_caption", rows, kinds=["marks"]).drops.num_rows == 1
    with pytest.raises(InputError, match="kinds"):
        applied("drop_misleading_caption", rows, kinds=["colours"])


def test_alignment_by_scores_made_before(tmp_path):
    path = str(tmp_path / "scores.parquet")
    pq.write_table(pa.table({"id": ["t/0", "t/1"], "score": [0.31, 0.05]}), path)
    rows = [{}, {}, {}, {"media_paths": []}]
    kept = applied("drop_misaligned", rows, scores=path)
    assert kept.table["row"].to_pylist() == [0, 3]
    assert kept.drops["reason"].to_pylist() == ["alignment too low: 0.05 below 0.2", "no alignment score"]
    assert kept.drops["score"].to_pylist() == [0.05, None]
    assert applied("drop_misaligned", rows, scores=path, keep_unscored=True).drops.num_rows == 1


def test_without_scores_the_recipe_is_refused(tmp_path):
    for options, message in [({}, "set `scores`"), ({"scores": str(tmp_path / "no.parquet")}, "no file")]:
        with pytest.raises(InputError, match=f"operator drop_misaligned.*{message}"):
            applied("drop_misaligned", [], **options)

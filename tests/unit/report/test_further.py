"""Further measurements of encoders on the page: told apart by section and hash, with chance, figures and words."""

import pytest

from osler.report.further import by_section, is_shown, place
from osler.report.further_page import further_parts
from osler.report.further_tables import relative_table, retrieval_table, understanding_table
from osler.report.robustness_figure import corruptions, line, robustness_words
from osler.schema.result import Interval, Result


def record(task, metric, value, *, model="a", digest="p1", chance=None, notes=()):
    return Result(
        task=task,
        task_version=digest,
        metric=metric,
        metric_signature=metric,
        value=value,
        ci_low=None if value is None else value - 0.1,
        ci_high=None if value is None else value + 0.1,
        n=40,
        n_clusters=20,
        unparsed=0,
        baseline={} if chance is None else {"chance": Interval(value=chance)},
        model=model,
        dataset_ids_sha256="x",
        protocol_sha256=digest,
        notes=notes,
    )


ROBUST = [
    record("busi/robustness/clean", "balanced_accuracy", 0.8, chance=1 / 3),
    record("busi/robustness/clean", "balanced_accuracy", 0.7, chance=1 / 3, model="b"),
    record("busi/robustness/jpeg/1", "balanced_accuracy", 0.7),
    record("busi/robustness/jpeg/3", "balanced_accuracy", 0.5),
    record("busi/robustness/severity/1", "balanced_accuracy", 0.7),
    record("busi/robustness/severity/3", "balanced_accuracy", 0.5),
    record("busi/robustness/jpeg", "relative_robustness", 0.6),
    record("busi/robustness/common", "relative_robustness", 0.6),
    record("busi/robustness", "relative_robustness", 0.6),
    record("busi/robustness", "relative_robustness", None, model="b"),
]
LEFT_OUT = ("10 records left out: several images",)
OTHERS = [
    record("films/retrieval/image_to_text", "recall_at_1", 0.3, chance=0.02, notes=LEFT_OUT),
    record("films/retrieval/image_to_text", "median_rank", 4.0, chance=30.0),
    record("pairs/understanding/captions/side", "choice_accuracy", 0.5, chance=0.5),
    record("pairs/understanding/captions/side/nodule", "choice_accuracy", 0.4, chance=0.5),
    record("busi/zero_shot", "macro_f1_prompt_range", 0.2, notes=("macro-F1 by single templates: '{}.' 0.300",)),
]


def test_a_task_is_read_by_its_place():
    assert place(record("busi/robustness/jpeg/3", "m", 1)) == ("busi", "robustness", "jpeg/3")
    assert place(record("busi/linear", "m", 1)) == ("busi", "", "linear")
    assert not is_shown(record("busi/zero_shot", "macro_f1", 1))
    assert is_shown(OTHERS[-1])
    assert is_shown(ROBUST[0])


def test_one_section_under_two_settings_makes_two_tables_that_say_so():
    found = by_section([*ROBUST, record("busi/robustness/clean", "balanced_accuracy", 0.9, digest="p2")])
    assert [each.protocol_sha256 for each in found] == ["p1", "p2"]
    assert relative_table(found[0], "busi").caption.endswith("Settings p1.")
    assert "Settings" not in relative_table(by_section(ROBUST)[0], "busi").caption


def test_relative_robustness_is_shown_with_what_was_not_measured():
    found = by_section(ROBUST)[0]
    table = relative_table(found, "busi")
    assert table.columns == ("corruption", "a", "b")
    assert table.rows[0] == ("all corruptions", "0.600 (0.500 to 0.700)", "not measured")
    assert [row[0] for row in table.rows] == ["all corruptions", "common", "jpeg", "balanced accuracy, clean"]
    assert table.rows[-1][2] == "0.700 (0.600 to 0.800)"
    assert "chance (0.333) taken off both" in table.caption


def test_lines_of_the_plot_begin_with_the_clean_images():
    found = by_section(ROBUST)[0]
    assert corruptions(found, "busi") == ["jpeg"]
    assert [(at, each.value) for at, each in line(found, "busi", "severity", encoder="a")] == [
        (0, 0.8),
        (1, 0.7),
        (3, 0.5),
    ]
    assert [at for at, _ in line(found, "busi", "severity", encoder="b")] == [0]
    assert robustness_words(found, "busi").endswith("a 0: 0.800, 1: 0.700, 3: 0.500; b 0: 0.700.")


def test_tables_have_chance_beside_the_scores():
    sections = {each.section: each for each in by_section(OTHERS)}
    rows = retrieval_table(sections["retrieval"]).rows
    assert rows[0][:6] == ("films", "image to text", "recall at 1", "40", "20", "0.020")
    shallow, deep = (understanding_table(sections["understanding"], deep=deep).rows for deep in (False, True))
    assert [row[1] for row in shallow] == ["side"]
    assert [row[1] for row in deep] == ["side, nodule"]
    assert shallow[0][5] == "0.500"


@pytest.mark.parametrize("with_sheet", [True, False])
def test_the_page_shows_every_section_once(tmp_path, with_sheet):
    pytest.importorskip("matplotlib")
    if with_sheet:
        (tmp_path / "sheets").mkdir()
        (tmp_path / "sheets" / "busi.jpg").write_bytes(_jpeg())
    page = further_parts([*ROBUST, *OTHERS], [tmp_path], 0)
    for title in ("Zero-shot prompts", "Image-text retrieval", "Robustness", "Probes of understanding"):
        assert page.count(f"<h3>{title}</h3>") == 1
    assert page.count("<svg ") == 1
    assert ("data:image/jpeg;base64," in page) is with_sheet
    assert "10 records left out: several images" in page
    assert page == further_parts([*ROBUST, *OTHERS], [tmp_path], 0)


def test_no_section_no_heading():
    assert further_parts([record("busi/linear", "macro_f1", 0.5)], [], 0) == ""


def _jpeg():
    import io

    from PIL import Image

    held = io.BytesIO()
    Image.new("RGB", (8, 8)).save(held, format="JPEG")
    return held.getvalue()

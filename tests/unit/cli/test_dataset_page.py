import shutil
from pathlib import Path

import pytest

from osler.cli.main import main
from osler.core.catalog import ADAPTERS
from osler.core.settings import read_settings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datasets"


def said(capsys, *argv: str) -> str:
    assert main([*argv]) == 0
    return capsys.readouterr().out


def test_every_dataset_is_listed_with_where_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OSLER_DATA", str(tmp_path))
    shutil.copytree(FIXTURES / "slake", tmp_path / "slake")
    lines = said(capsys, "list", "datasets").splitlines()
    assert lines[1].split()[:6] == ["name", "status", "access", "licence", "rows", "known"]
    rows = {line.split()[0]: line.split() for line in lines[2:]}
    assert sorted(rows) == ADAPTERS.names()
    assert rows["slake"][1:5] == ["here", "open", "CC-BY-4.0", "14,028"]
    assert rows["vqa_rad"][1] in {"hub", "elsewhere"} and rows["covid_chestxray"][4] == "?"


def test_a_dataset_shows_what_its_licence_permits_and_its_fields(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OSLER_DATA", str(tmp_path))
    text = said(capsys, "show", "slake")
    assert "CC-BY-4.0" in text and "research, commercial, redistribute" in text and "name the authors" in text
    assert "train 9,835" in text and "Liu et al" in text and "img_name" in text
    assert f"no published files in {tmp_path / 'slake'}" in text
    assert "each row has its own" in said(capsys, "show", "covid_chestxray")


def test_a_real_row_is_shown_with_its_sample(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OSLER_DATA", str(tmp_path))
    shutil.copytree(FIXTURES / "vqa_rad", tmp_path / "vqa_rad")
    text = said(capsys, "show", "vqa_rad")
    assert "First row of train" in text and "image_name: synpic1.jpg" in text and "id: vqa_rad/train/1" in text
    text = said(capsys, "show", "vqa_rad", f"root={FIXTURES / 'vqa_rad'}", "split=test")
    assert "First row of test" in text and "id: vqa_rad/test/5" in text and f"here: {FIXTURES / 'vqa_rad'}" in text


def test_a_row_that_makes_no_sample_is_passed_over(capsys):
    root = FIXTURES / "med_mcqa"
    text = said(capsys, "show", "med_mcqa", f"root={root}", "split=validation")
    assert "First row of validation" in text and "task: choice_qa" in text
    assert "None of the first" in said(capsys, "show", "med_mcqa", f"root={root}", "split=test")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["vqa_rad", "rot=x"], "cannot show vqa_rad with rot=.*Did you mean 'root'"),
        (["vqa_rad", "x"], "cannot read 'x'; expected key=value"),
        (["vqa_rad", "split=trian"], "split 'trian' not in vqa_rad.*'train'"),
        (["vqa_rad", "root=no/such/folder"], "no folder no/such/folder with dataset vqa_rad.*as published"),
        (["bleu1", "root=x"], "'bleu1' is no dataset"),
    ],
)
def test_what_cannot_be_shown_is_said(argv, message, capsys):
    import re

    assert main(["show", *argv]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_long_value_is_cut(capsys):
    root = read_settings().test_data / "pubmedqa"
    if not root.is_dir():
        pytest.skip("no real files of PubMedQA")
    text = said(capsys, "show", "pubmed_qa", f"root={root}", "split=train")
    assert "characters)" in text and max(map(len, text.splitlines())) < 1500

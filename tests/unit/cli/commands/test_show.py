import pytest

from osler.cli.main import main
from osler.core.catalog import CATALOGS
from osler.core.files import write_json


def test_an_entry_is_shown_with_its_words_and_place(capsys):
    name = CATALOGS["metrics"].names()[0]
    assert main(["show", name]) == 0
    said = capsys.readouterr().out
    assert CATALOGS["metrics"].summary(name) in said
    assert f"osler.scoring.metrics.{name}" in said


def test_a_dataset_shows_its_licence_and_splits(capsys):
    names = CATALOGS["datasets"].names()
    if not names:
        pytest.skip("no dataset has an adapter yet")
    assert main(["show", names[0]]) == 0
    said = capsys.readouterr().out
    assert "licence" in said and "splits" in said


def test_a_recipe_and_a_model_are_shown(tmp_path, capsys):
    (tmp_path / "r.yaml").write_text("seed: 1\n")
    assert main(["show", str(tmp_path / "r.yaml")]) == 0
    write_json(tmp_path / "m" / "config.json", {"model_type": "osler_vlm", "text_config": {"hidden_size": 64}})
    (tmp_path / "m" / "model.safetensors").write_bytes(b"0" * 2**20)
    assert main(["show", str(tmp_path / "m")]) == 0
    said = capsys.readouterr().out
    assert "seed" in said and "osler_vlm" in said and "hidden_size 64" in said and "1.0 MiB" in said


def test_a_cut_output_and_another_folder_are_told_apart(tmp_path, capsys):
    assert main(["show", str(tmp_path)]) == 2
    write_json(tmp_path / "started.json", {})
    assert main(["show", str(tmp_path)]) == 0
    assert "not finished" in capsys.readouterr().out


def test_an_entry_that_is_a_path_here_too_says_so(tmp_path, monkeypatch, capsys):
    name = CATALOGS["metrics"].names()[0]
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["show", name]) == 0
    assert f"osler show ./{name}" in capsys.readouterr().out


def test_a_family_shows_the_parameters_of_its_parts(capsys):
    assert main(["show", "medgpt_oss_20b"]) == 0
    said = capsys.readouterr().out
    for count in ("303,507,456", "20,104,832", "20,335,623,744", "579,133,440", "21,238,369,472", "4 of 32 experts"):
        assert count in said
    assert "144 tokens" in said and "clip_vision_model" in said


def test_a_model_folder_shows_the_parameters_of_its_parts(tmp_path, capsys):
    from osler.model import checkpoint
    from osler.model.families.tiny import FAMILY

    checkpoint.save(*FAMILY.build(["a word"], seed=0), tmp_path)
    assert main(["show", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "836,864" in said and "83,200" in said and "2 of 4 experts" in said

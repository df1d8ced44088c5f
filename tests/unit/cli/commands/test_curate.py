import json

import pytest

from osler.cli.main import main
from toy import build_store


@pytest.fixture
def stores(tmp_path):
    build_store(tmp_path / "train", num_train=3, num_test=1)
    build_store(tmp_path / "evaluation", num_train=1, num_test=2)
    return str(tmp_path / "train"), str(tmp_path / "evaluation")


def test_a_check_fills_a_folder_with_a_manifest(stores, tmp_path, capsys):
    train, evaluation = stores
    out = tmp_path / "out"
    command = ["curate", "check", train, "--against", evaluation, "--out", str(out), "--quiet"]
    assert main(command) == 0
    assert "10 evaluation items" in capsys.readouterr().err
    assert json.loads((out / "manifest.json").read_text())["counts"]["items"] == 10
    assert (out / "contamination.html").is_file()
    assert main(command) == 0 and "already finished" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "a", "b", "--against", "slake"], ["check", "a"], ["check", "--against", "slake"]]
)
def test_half_a_check_is_refused(arguments, capsys):
    assert main(["curate", *arguments, "--out", "out"]) == 2
    assert "osler curate check TRAIN --against" in capsys.readouterr().err


def test_against_without_a_check_is_refused(tmp_path, capsys):
    assert main(["curate", "r.yaml", "--against", "slake", "--out", str(tmp_path)]) == 2
    assert "--against belongs to a check" in capsys.readouterr().err

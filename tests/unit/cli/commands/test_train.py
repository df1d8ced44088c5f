import pytest
import yaml

from osler.cli.main import main

RECIPE = {
    "stage": "instruct", "model": {"family": "tiny"}, "data": [], "schedule": {"steps": 4},
    "pack": {"row_tokens": 512, "rows_per_step": 4},
    "plan": {"gpu": "h200", "tokens_per_sample": 100, "tiles_per_sample": 1},
}  # fmt: skip


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    return str(path)


def test_a_plan_is_printed_and_nothing_is_written(recipe, tmp_path, capsys):
    assert main(["train", recipe, "--plan", "--out", str(tmp_path / "out"), "plan.mfu=0.5"]) == 0
    printed = capsys.readouterr().out
    for words in ("parameters", "trained", "optimizer state", "50.0% of 1 x 989 TFLOP/s", "hours"):
        assert words in printed
    assert not (tmp_path / "out").exists()


def test_too_little_memory_is_the_users_error_below_the_plan(recipe, capsys):
    assert main(["train", recipe, "--plan", "plan.gpu=rtx-3090", "pack.row_tokens=65536"]) == 2
    printed = capsys.readouterr()
    assert "optimizer state" in printed.out
    assert "too little memory by the plan" in printed.err and "attention.text_config=flex_attention" in printed.err


def test_a_run_takes_no_notice_of_the_plan(recipe, capsys):
    assert main(["train", recipe, "--dry-run"]) == 0
    assert "plan" not in yaml.safe_load(capsys.readouterr().out)


def test_a_wrong_plan_is_refused(recipe, capsys):
    assert main(["train", recipe, "--plan", "plan.gpus=h200"]) == 2
    assert "unknown key 'gpus'" in capsys.readouterr().err

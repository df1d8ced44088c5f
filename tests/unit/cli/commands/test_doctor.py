import platform
from datetime import datetime

from osler.cli.main import main
from osler.core.catalog import METRICS


def test_doctor_says_what_there_is(capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OSLER_TEST_DATA", "nowhere-at-all")
    assert main(["doctor"]) == 0
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    rows = {key.strip(): value.strip() for key, value in rows.items()}
    assert rows["python"] == platform.python_version()
    assert rows["hub access"] == "off"
    assert "absent" in rows["test data"]
    assert rows["pydantic"]
    assert rows["disk"].startswith("ok: ") and rows["clock"].endswith("UTC") and rows["problems"] == "none"


def test_a_clock_set_back_a_full_disk_and_a_broken_driver_are_problems_and_exit_1(capsys, monkeypatch, tmp_path):
    from osler.cli.commands import doctor

    class Past(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2020, 1, 1, tzinfo=tz)

    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX 570.1\nGCC 13\n")
    monkeypatch.setattr(doctor, "datetime", Past)
    monkeypatch.setattr(doctor, "_DRIVER", driver)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(doctor, "_NEEDED_GIB", 2.0**40)
    assert main(["doctor"]) == 1
    rows = rows_of(capsys)
    assert rows["clock"].startswith("PROBLEM: the clock says 2020-01-01")
    assert rows["driver"].startswith("PROBLEM: torch ") and "NVIDIA UNIX 570.1" in rows["driver"]
    assert "are free here; expected at least" in rows["disk"] and rows["problems"] == "3"


def test_a_service_s_recipe_is_looked_at_and_needs_its_folder(capsys, tmp_path):
    recipe = tmp_path / "serve.yaml"
    recipe.write_text(
        f"embedded: {{model: {tmp_path / 'none'}}}\nkeys: {tmp_path / 'keys.json'}\nlisten: {{port: 0}}\n"
    )
    assert main(["doctor", str(recipe)]) == 2
    assert "--out DIR" in capsys.readouterr().err
    assert main(["doctor", str(recipe), "--out", str(tmp_path / "out")]) == 1
    rows = rows_of(capsys)
    assert rows["problems"] == "2"
    assert rows["engine"].startswith("PROBLEM: ") and rows["keys file"].startswith("PROBLEM: ")
    assert main(["doctor", str(recipe), "kees=x", "--out", str(tmp_path / "out")]) == 2


def rows_of(capsys) -> dict[str, str]:
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    return {key.strip(): value.strip() for key, value in rows.items()}


def test_doctor_says_of_every_metric_whether_it_is_ready(capsys, tmp_path):
    from tiny_models import save_chexbert

    assert main(["doctor", "--metrics"]) == 0
    rows = rows_of(capsys)
    assert rows["bleu1"] == "ready"
    assert rows["radgraph_f1"] == "unavailable: recipe key metric_weights.radgraph is not set"
    assert set(rows) == set(METRICS.names())
    save_chexbert(tmp_path / "chexbert")
    recipe = tmp_path / "eval.yaml"
    recipe.write_text(f"metric_weights: {{chexbert: {tmp_path / 'chexbert'}, green: {tmp_path / 'gone'}}}\n")
    assert main(["doctor", "--metrics", str(recipe)]) == 0
    rows = rows_of(capsys)
    assert rows["chexbert_f1"].startswith("ready (chexbert ")
    assert rows["green"] == f"unavailable: metric_weights.green: {tmp_path / 'gone'} is no folder"
    assert rows["radcliq"].count("is not set") == 2
    (tmp_path / "chexbert" / "weights.json").write_text('{"model.safetensors": "0"}')
    assert main(["doctor", "--metrics", str(recipe)]) == 0
    assert "is not the file of weights.json" in rows_of(capsys)["chexbert_f1"]


def test_doctor_refuses_folders_that_are_no_folders_of_metrics(capsys, tmp_path):
    recipe = tmp_path / "eval.yaml"
    for text, message in (("metric_weights: [a]\n", "mapping"), ("metric_weights: {radgraf: a}\n", "radgraph")):
        recipe.write_text(text)
        assert main(["doctor", "--metrics", str(recipe)]) == 2
        assert message in capsys.readouterr().err

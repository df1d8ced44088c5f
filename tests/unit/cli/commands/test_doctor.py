import platform

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

import platform

from osler.cli.main import main


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

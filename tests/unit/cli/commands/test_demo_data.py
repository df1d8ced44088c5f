from osler.cli.main import main


def test_a_small_set_with_dicom_is_drawn(tmp_path, monkeypatch):
    from osler.cli.commands import demo_data

    monkeypatch.setitem(demo_data.RECIPE, "image_px", 64)
    out = tmp_path / "demo"
    assert main(["demo-data", "--out", str(out), "--quiet"]) == 0
    assert (out / "manifest.json").is_file()
    assert len(list(out.rglob("*.dcm"))) >= 20
    assert list((out / "shards").glob("*.tar"))


def test_it_needs_a_place_to_write(capsys):
    assert main(["demo-data"]) == 2
    assert "--out DIR" in capsys.readouterr().err

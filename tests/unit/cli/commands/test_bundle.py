import pytest
import yaml

from bundle_world import FINGERPRINT, make_inputs
from osler.cli.main import main


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A built bundle: (base, recipe file)."""
    base = tmp_path_factory.mktemp("site")
    recipe = base / "bundle.yaml"
    recipe.write_text(yaml.safe_dump(make_inputs(base / "in")))
    assert main(["bundle", "build", str(recipe), "--out", str(base / "out"), "--quiet"]) == 0
    return base, recipe


def test_build_leaves_a_finished_folder_that_verifies(site, capsys):
    base, recipe = site
    assert (base / "out" / "manifest.json").is_file() and (base / "out" / "recipe.yaml").is_file()
    assert main(["bundle", "build", str(recipe), "--out", str(base / "out")]) == 0
    assert "already finished" in capsys.readouterr().err
    assert main(["bundle", "verify", str(base / "out" / "bundle"), f"key={FINGERPRINT}"]) == 0
    assert capsys.readouterr().out.endswith(f"whole; signed by {FINGERPRINT}\n")
    assert main(["bundle", "build", str(recipe), "--dry-run"]) == 0
    assert "extras:" in capsys.readouterr().out


def test_a_changed_file_is_a_line_and_exit_1(site, capsys):
    base, _ = site
    path = base / "out" / "bundle" / "MODEL_CARD.md"
    before = path.read_bytes()
    path.write_text("x")
    assert main(["bundle", "verify", str(base / "out" / "bundle"), f"key={FINGERPRINT}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("problem: MODEL_CARD.md: changed") and lines[-1] == "problems: 1"
    code = main(["bundle", "install", str(base / "out" / "bundle"), f"key={FINGERPRINT}", "--out", str(base / "new")])
    assert code == 2 and "is not what was signed" in capsys.readouterr().err
    path.write_bytes(before)


def test_keys_prints_a_fingerprint(tmp_path, capsys):
    assert main(["bundle", "keys", str(tmp_path / "k")]) == 0
    assert len(capsys.readouterr().out.strip()) == 64
    assert main(["bundle", "keys", str(tmp_path / "k")]) == 2
    assert main(["bundle", "keys", str(tmp_path / "l"), "a=b"]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bild", "x"], "Did you mean 'build'?"),
        (["verify", "{base}/none", "key=x"], "cannot read"),
        (["verify", "{base}/out/bundle"], "key 'key' is missing"),
        (["verify", "{base}/out/bundle", "key=abc"], "no key to trust at 'abc'"),
        (["verify", "{base}/out/bundle", "key=" + "0" * 64], "not the key that you trust"),
        (["verify", "{base}/out", "key=" + "0" * 64], "cannot read"),
        (["verify", "{base}/out/bundle", "fingerprint"], "cannot read 'fingerprint'; expected key=value"),
        (["install", "{base}/out/bundle", "key=x"], "no folder to install into"),
        (["install", "{base}/out/bundle", "key=" + FINGERPRINT, "--out", "{base}"], "is not empty"),
        (["build", "{base}/bundle.yaml"], "no output folder"),
        (["build", "{base}/none.yaml", "--out", "{base}/x"], "cannot read"),
        (["build", "{base}/bundle.yaml", "signing_key={base}/none.key", "--out", "{base}/y"], "none.key"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(site, words, message, capsys):
    base, _ = site
    assert main(["bundle", *[word.format(base=base) for word in words]]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1

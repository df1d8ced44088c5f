import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import osler.serve.page
from bundle_world import FINGERPRINT, QUIET, make_inputs, make_wheel, write_manifest
from osler.core.config import load_recipe
from osler.core.errors import InputError
from osler.core.files import write_json
from osler.serve.bundle import build
from osler.serve.model_files import verified_sha256


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def build_in(recipe, out):
    return build.run(build.parse(recipe), out, device="cpu", log=QUIET)


def test_a_bundle_built_again_elsewhere_has_the_same_bytes(built, tmp_path):
    build_in({**make_inputs(tmp_path / "in"), "archive": True}, tmp_path / "out")
    assert files(tmp_path / "out" / "bundle") == files(built[1] / "bundle")
    assert (tmp_path / "out" / "toy.tar").read_bytes() == (built[1] / "toy.tar").read_bytes()


def test_it_holds_what_is_needed_pinned_by_hash_and_listed(built):
    bundle = built[1] / "bundle"
    lock = (bundle / "requirements.lock").read_text().splitlines()
    assert [line.split(" ")[0] for line in lock] == ["osler[serve]==0.1.0", "toya==1.0", "toyb==2.1", "toyc==1.0"]
    assert all(" --hash=sha256:" in line for line in lock)
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["licences"]["toyb"] == "BSD-3-Clause OR GPL-2.0-only"
    assert manifest["model_sha256"] == verified_sha256(bundle / "model") == verified_sha256(built[0] / "run" / "model")
    assert not any("unneeded" in name for name in files(bundle))


def test_it_holds_a_copy_of_the_page(built):
    page = Path(osler.serve.page.__file__).parent / "files"
    assert files(built[1] / "bundle" / "page") == files(page) and (page / "index.html").is_file()


def test_the_recipe_of_a_hospital_is_one():
    config = build.parse(load_recipe(Path("recipes/serve/bundle.yaml"), ()))
    assert config.deploy == Path("deploy") and (config.deploy / "osler.service").is_file()


def test_the_list_of_materials_follows_the_schema(built):
    text = (built[1] / "bundle" / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    parts = {part["name"]: part for part in document["components"]}
    assert sorted(parts) == ["model", "osler", "toya", "toyb", "toyc"]
    assert parts["toyb"]["purl"] == "pkg:pypi/toyb@2.1" and parts["toyb"]["hashes"][0]["alg"] == "SHA-256"
    assert parts["toyb"]["licenses"] == [{"expression": "BSD-3-Clause OR GPL-2.0-only"}]
    needs = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    assert needs["pkg:pypi/osler@0.1.0"] == ["pkg:pypi/toya@1.0", "pkg:pypi/toyb@2.1"]
    assert "timestamp" not in document["metadata"]


def test_the_card_says_what_the_files_and_results_say(built):
    card = (built[1] / "bundle" / "MODEL_CARD.md").read_text()
    assert "Research use only. This is not a medical device." in card
    assert "| toy_closed | closed_accuracy | 0.812 (0.750 to 0.875) | 160 | 80 | 3 | majority 0.500 |" in card
    assert "| parameters | 10 (4 F16, 6 F32) |" in card and "| seeds | train 3 |" in card


@pytest.fixture
def recipe(tmp_path):
    return make_inputs(tmp_path / "in")


def spoil_missing_wheel(base, recipe):
    (base / "wheels" / "toyc-1.0-py3-none-any.whl").unlink()


def spoil_no_own_wheel(base, recipe):
    (base / "wheels" / "osler-0.1.0-py3-none-any.whl").unlink()


def spoil_two_own_wheels(base, recipe):
    make_wheel(base / "wheels", "osler", version="0.2.0")


def spoil_gpl(base, recipe):
    make_wheel(base / "wheels", "toyc", licence="GPL-3.0-only")


def spoil_pickle(base, recipe):
    (base / "run" / "model" / "pytorch_model.bin").write_bytes(b"x")
    write_manifest(base / "run")


def spoil_auto_map(base, recipe):
    write_json(base / "run" / "model" / "config.json", {"a": {"auto_map": {"x": "y"}}})
    write_manifest(base / "run")


def spoil_changed_model(base, recipe):
    (base / "run" / "model" / "chat_template.jinja").write_text("other")


def spoil_no_manifest(base, recipe):
    (base / "run" / "manifest.json").unlink()


def spoil_key(base, recipe):
    (base / "bundle.key").unlink()


def spoil_open_key(base, recipe):
    (base / "bundle.key").chmod(0o644)


def spoil_results(base, recipe):
    (base / "results.json").write_text('{"a": 1}')


def spoil_doc_name(base, recipe):
    (base / "docs" / "\u00e4.md").write_text("x")


def spoil_doc_link(base, recipe):
    (base / "docs" / "x.md").symlink_to("/etc/passwd")


SPOILED = {
    spoil_missing_wheel: "toyc",
    spoil_no_own_wheel: "holds 0 wheels of osler",
    spoil_two_own_wheels: "holds 2 wheels of osler",
    spoil_gpl: r"under the GPL: toyc \(GPL-3.0-only\)",
    spoil_pickle: "does not belong into a model",
    spoil_auto_map: "asks for code of its own",
    spoil_changed_model: "is not the file of the manifest",
    spoil_no_manifest: "no manifest of",
    spoil_key: "cannot read .*bundle.key",
    spoil_open_key: "a secret that others can reach",
    spoil_results: "holds no results",
    spoil_doc_name: "names in a bundle do not have",
    spoil_doc_link: "is a link",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_what_cannot_be_bundled_is_one_line(spoil, recipe, tmp_path):
    spoil(tmp_path / "in", recipe)
    with pytest.raises(InputError, match=SPOILED[spoil]) as raised:
        build_in(recipe, tmp_path / "out")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out" / "bundle").exists()


def test_a_gpl_package_may_be_allowed_by_name(recipe, tmp_path):
    spoil_gpl(tmp_path / "in", recipe)
    assert FINGERPRINT in build_in({**recipe, "allow_gpl": ["toyc"]}, tmp_path / "out").message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wheels": None}, "give wheels"),
        ({"source": "."}, "give wheels"),
        ({"wheels": None, "source": "."}, "source needs constraints"),
        ({"name": "../x"}, "name"),
        ({"modell": "x"}, "unknown key 'modell'.*Did you mean 'model'"),
    ],
)
def test_a_recipe_that_is_none(change, message, recipe):
    with pytest.raises(InputError, match=message):
        build.parse({**recipe, **change})

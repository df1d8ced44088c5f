import json
import shutil
import zipfile
from pathlib import Path

from osler.core.log import Log
from osler.curate.run import parse, run
from osler.store.reader import Store

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "slake"


def curate(root: Path, out: Path):
    config = parse(
        {
            "datasets": [{"name": "slake", "root": str(root), "splits": ["train", "test"]}],
            "operators": ["drop_missing_image", "drop_broken_image"],
        }
    )
    return run(config, out, device="cpu", log=Log(quiet=True))


def pictures(out: Path, split: str) -> list[tuple[str, str]]:
    """The question and the SHA-256 of the picture of each stored sample."""
    store = Store(out)
    samples = [sample for record in store.records(split) for sample in record.samples]
    return sorted((sample.question, sample.media[0].sha256) for sample in samples)


def test_a_zip_with_junk_gives_the_same_store_as_the_unpacked_folder(tmp_path):
    root = tmp_path / "slake"
    root.mkdir()
    for name in ("train", "validate", "test"):
        shutil.copy(FIXTURE / f"{name}.json", root)
    with zipfile.ZipFile(root / "imgs.zip", "w") as archive:
        for path in sorted((FIXTURE / "imgs").rglob("*.jpg")):
            name = path.relative_to(FIXTURE).as_posix()
            folder, _, base = name.rpartition("/")
            archive.writestr(f"__MACOSX/{folder}/._{base}", b"junk")
            archive.write(path, name)
            archive.writestr(f"{folder}/Thumbs.db", b"junk")
        archive.writestr("imgs/.DS_Store", b"junk")
    packed, unpacked = curate(root, tmp_path / "packed"), curate(FIXTURE, tmp_path / "unpacked")
    assert packed.counts == unpacked.counts and packed.counts["samples"] == 4 and packed.counts["drops"] == 0
    for split in ("train", "test"):
        found = pictures(tmp_path / "packed", split)
        assert found and found == pictures(tmp_path / "unpacked", split)


def test_an_image_that_is_not_in_the_zip_is_a_counted_drop(tmp_path):
    root = tmp_path / "slake"
    root.mkdir()
    shutil.copy(FIXTURE / "test.json", root)
    row = json.loads((FIXTURE / "train.json").read_text())[0]
    (root / "train.json").write_text(json.dumps([row]))
    with zipfile.ZipFile(root / "imgs.zip", "w") as archive:
        archive.write(FIXTURE / "imgs" / "xmlab4" / "source.jpg", "imgs/xmlab4/source.jpg")
        archive.writestr("__MACOSX/imgs/xmlab1/source.jpg", b"junk")
    outcome = curate(root, tmp_path / "out")
    assert outcome.counts["drops"] >= 1 and outcome.counts["samples"] + outcome.counts["drops"] == 2

import numpy as np
import pytest
from PIL import Image

from films import textured
from osler.core.log import Log
from osler.core.settings import read_settings
from osler.transfer import leaks
from osler.transfer.leaks import find_leaks, leak_records
from osler.transfer.splits import Split, split_set
from transfer_world import png, read

QUIET = {"num_threads": 1, "log": Log(quiet=True)}


@pytest.fixture
def root(tmp_path):
    for number, (split, name) in enumerate((s, c) for s in ("train", "test") for c in ("a", "b")):
        folder = tmp_path / split / name
        folder.mkdir(parents=True)
        for place in range(4):
            (folder / f"{place}.png").write_bytes(png(textured(10 * number + place).convert("RGB")))
    return tmp_path


def names(image_set, found):
    return {
        (image_set.items[p.first].id, image_set.items[p.second].id, p.rule) for p in found.pairs if not p.is_doubtful
    }


def test_exact_smaller_and_turned_copies_across_splits_are_found_and_named(root, tmp_path):
    first = textured(0).convert("RGB")
    (root / "test" / "a" / "exact.png").write_bytes((root / "train" / "a" / "0.png").read_bytes())
    (root / "test" / "a" / "saved.jpg").write_bytes(png(textured(1).convert("RGB").resize((120, 120)), "JPEG"))
    turned = textured(2).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(25, fillcolor=(0, 0, 0))
    (root / "test" / "b" / "turned.png").write_bytes(png(turned))
    image_set = read(root)
    found = find_leaks(image_set, tmp_path / "out", **QUIET)
    got = {(a, b): rule for a, b, rule in names(image_set, found)}
    assert got.pop(("folder/train/a/0", "folder/test/a/exact")) == "same_file"
    assert got.pop(("folder/train/a/1", "folder/test/a/saved")) in ("copy_of_image", "turned_copy")
    assert got.pop(("folder/train/a/2", "folder/test/b/turned")) == "turned_copy"
    assert not got and first.size == (160, 160)
    split = split_set(image_set, 0, validation_share=0.3, test_share=0.3)
    flags = dict(zip([image_set.items[row].id for row in split.test], found.flags(image_set, split), strict=True))
    assert flags["folder/test/a/exact"] == "same_file: folder/train/a/0" and flags["folder/test/a/1"] == ""
    record = next(each for each in leak_records(image_set, found) if each["second"].endswith("turned"))
    assert (record["first_classes"], record["second_classes"]) == (["a"], ["b"])
    assert (record["first_split"], record["second_split"]) == ("train", "test")


def test_they_are_kept_and_found_again_where_the_set_has_changed(root, tmp_path, monkeypatch):
    image_set = read(root)
    kept = find_leaks(image_set, tmp_path / "out", **QUIET)
    monkeypatch.setattr(leaks, "_same_files", lambda image_set: pytest.fail("looked again"))
    assert find_leaks(image_set, tmp_path / "out", **QUIET) == kept
    monkeypatch.undo()
    (root / "test" / "a" / "exact.png").write_bytes((root / "train" / "a" / "0.png").read_bytes())
    assert len(find_leaks(read(root), tmp_path / "out", **QUIET).pairs) == 1


def test_too_many_pairs_for_keypoints_are_said_not_passed_over(root, tmp_path, monkeypatch):
    monkeypatch.setattr(leaks, "MAX_TURNED_PAIRS", 10)
    assert "were not looked for" in find_leaks(read(root), tmp_path / "out", **QUIET).notes[0]


def test_a_shared_patient_is_flagged_and_copies_are_one_group(root, tmp_path):
    image_set = read(root)
    same = [
        type(item)(**{**vars(item), "group": "p1"}) if item.id.endswith("a/0") else item for item in image_set.items
    ]
    shared = type(image_set)(**{**vars(image_set), "items": tuple(same)})
    rows = {item.id: row for row, item in enumerate(shared.items)}
    split = Split(
        np.asarray([rows["folder/train/a/0"]]),
        np.zeros(0, int),
        np.asarray([rows["folder/test/a/0"], rows["folder/test/a/1"]]),
    )
    found = find_leaks(shared, tmp_path / "out", **QUIET)
    assert found.flags(shared, split) == ("same_group: p1", "")
    pair = leaks.SetLeaks((leaks.Pair(0, 1, "turned_copy", 0.95), leaks.Pair(2, 3, "turned_copy", 0.85, True)))
    groups = pair.groups(image_set)
    assert groups[0] == groups[1] and groups[2] != groups[3]


def test_the_real_sets_hold_copies_and_they_are_named(tmp_path):
    data = read_settings().test_data
    if not (data / "cls_brain_tumor_mri").is_dir():
        pytest.skip("the real sets are not at hand (OSLER_TEST_DATA)")
    brain = read(data / "cls_brain_tumor_mri", dataset="brain_tumor_mri")
    kept = [item for item in brain.items if item.split == "test" or "no_tumor" in item.id]
    small = type(brain)(**{**vars(brain), "items": tuple(item for item in kept if "no_tumor" in item.id)})
    found = names(small, find_leaks(small, tmp_path / "brain", **QUIET))
    assert (
        "brain_tumor_mri/train/no_tumor/image(264)",
        "brain_tumor_mri/test/no_tumor/image(98)",
        "same_file",
    ) in found
    wbc = read(data / "cls_wbc_blood", dataset="wbc_blood")
    cells = [item for item in wbc.items if item.id.rpartition("/")[2] in ("_4_2607", "_5_2244", "_0_771")]
    few = type(wbc)(**{**vars(wbc), "items": tuple(cells)})
    found = names(few, find_leaks(few, tmp_path / "wbc", **QUIET))
    assert {pair[:2] for pair in found} == {("wbc_blood/test/LYMPHOCYTE/_4_2607", "wbc_blood/test/LYMPHOCYTE/_5_2244")}

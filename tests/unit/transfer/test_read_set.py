from collections import Counter

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.media.image import encode_png16
from transfer_world import class_folders, picture, png, read


def test_a_folder_without_splits_is_one_set_that_is_cut_by_seed(tmp_path):
    found = read(class_folders(tmp_path))
    assert found.classes == ("bright", "dark") and len(found.items) == 12 and not found.drops
    assert Counter(found.targets().tolist()) == {0: 6, 1: 6} and not found.has("test")
    assert len(found.items[0].sha256) == 64 and len(found.items[0].read()) > 100


def test_published_splits_are_kept_or_given_up(tmp_path):
    root = class_folders(tmp_path, splits=("train", "val", "test"), per_class=2)
    assert Counter(item.split for item in read(root).items) == {"train": 4, "validation": 4, "test": 4}
    assert {item.split for item in read(root, splits="own").items} == {""}


def test_gray_deep_cmyk_and_palette_files_are_items_and_broken_ones_counted_drops(tmp_path):
    root = class_folders(tmp_path)
    (root / "dark" / "gray.png").write_bytes(png(picture(1).convert("L")))
    (root / "dark" / "palette.png").write_bytes(png(picture(2).quantize(8)))
    (root / "dark" / "cmyk.jpg").write_bytes(png(picture(3).convert("CMYK"), "JPEG"))
    (root / "dark" / "deep.png").write_bytes(encode_png16(np.arange(64, dtype=np.uint16).reshape(8, 8) * 900))
    (root / "dark" / "cut.png").write_bytes(png(picture(4))[:200])
    (root / "dark" / "text.png").write_text("no picture")
    found = read(root)
    assert len(found.items) == 16
    assert sorted(drop.id.rpartition("/")[2] for drop in found.drops) == ["cut", "text"]
    assert all(drop.reason.startswith("cannot be shown: ") for drop in found.drops)


def test_an_empty_folder_and_one_class_only_are_errors_that_say_so(tmp_path):
    (tmp_path / "empty" / "dark").mkdir(parents=True)
    (tmp_path / "empty" / "bright").mkdir()
    with pytest.raises(InputError, match="has no image that can be used"):
        read(tmp_path / "empty")
    with pytest.raises(InputError, match="no folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(InputError, match="one class only"):
        read(class_folders(tmp_path / "one", classes=("dark",)))
    root = class_folders(tmp_path / "broken")
    for path in (root / "dark").iterdir():
        path.write_text("no picture")
    with pytest.raises(InputError, match="one class only") as error:
        read(root)
    assert "bright" in str(error.value)


def test_a_test_split_without_a_train_split_is_an_error(tmp_path):
    root = class_folders(tmp_path, splits=("train", "test"))
    for name in ("dark", "bright"):
        for path in (root / "train" / name).iterdir():
            path.unlink()
    with pytest.raises(InputError, match="no image to learn from"):
        read(root)


def test_a_limit_keeps_the_same_images_of_each_class_every_time(tmp_path):
    root = class_folders(tmp_path)
    first, second = read(root, limit_per_class=2), read(root, limit_per_class=2)
    assert [item.id for item in first.items] == [item.id for item in second.items]
    assert Counter(first.targets().tolist()) == {0: 2, 1: 2}


def test_a_set_names_its_source_once(tmp_path):
    with pytest.raises(InputError, match="give dataset and root, or shards"):
        read(tmp_path, shards=tmp_path)


def test_the_real_sets_are_read():
    data = read_settings().test_data
    if not (data / "cls_wbc_blood").is_dir():
        pytest.skip("the real sets are not at hand (OSLER_TEST_DATA)")
    busi = read(data / "cls_busi_ultrasound", dataset="busi")
    assert busi.classes == ("benign", "malignant", "normal") and len(busi.items) == 69
    wbc = read(data / "cls_wbc_blood", dataset="wbc_blood")
    assert Counter(item.split for item in wbc.items) == {"train": 240, "test": 66}


def test_pictures_keep_their_size_out_of_the_hash(tmp_path):
    root = class_folders(tmp_path)
    data = png(Image.new("L", (5, 9)))
    for name in ("dark", "bright"):
        (root / name / "same.png").write_bytes(data)
    items = [item for item in read(root).items if item.id.endswith("same")]
    assert len(items) == 2 and items[0].key == items[1].key  # one picture, two labels: one set of features

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.datasets.adapters.csv import DATASET as CSV
from osler.datasets.adapters.folder import DATASET as FOLDER
from osler.datasets.classes import PicturesByClass, ask_class, picture_at, png_facts
from osler.datasets.dataset import read_drafts
from osler.media.image import decode_image
from osler.schema.sample import image


def picture(path, array=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((2, 3), np.uint8) if array is None else array).save(path)


def test_ten_classes_have_letters_and_more_have_words():
    ten = tuple(f"class {n}" for n in range(10))
    sample = ask_class(image("a.png"), "Which?", label="class 9", names=ten)
    assert sample.answer.kind == "choice" and sample.answer.letter == "J" and sample.question.endswith("J. class 9")
    sample = ask_class(image("a.png"), "Which?", label="Class 10", names=(*ten, "Class 10"))
    assert sample.answer.kind == "closed" and sample.answer.text == "class 10" in sample.answer.labels
    assert "Answer with one of: class 0, " in sample.question


def test_a_split_lies_in_the_first_folder_that_is_there(tmp_path):
    reader = PicturesByClass({"train": ("A /train", "train")})
    assert reader.paths(tmp_path, "train") == [tmp_path / "A /train"]
    picture(tmp_path / "train" / "x" / "one (1).png")
    (tmp_path / "train" / "x" / ".DS_Store").write_bytes(b"")
    row = {"image": "train/x/one (1).png", "label": "x", "id": "x/one_(1)", "group": "train/x/one_(1).png"}
    assert list(reader(tmp_path, "train")) == [row]


def test_png_headers_are_read_and_other_files_are_none(tmp_path):
    picture(tmp_path / "a.png", np.zeros((2, 3), np.uint16))
    facts = png_facts(tmp_path / "a.png")
    assert facts and (facts.width, facts.height, facts.bits, facts.is_gray) == (3, 2, 16, True)
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert png_facts(tmp_path / "b.png") is None and png_facts(tmp_path / "none.png") is None


def test_deep_pictures_can_be_shown(tmp_path):
    picture(tmp_path / "a.png", np.array([[0, 65535]], np.uint16))
    shown = decode_image((tmp_path / "a.png").read_bytes(), picture_at(tmp_path, "a.png"))
    assert shown[0, :, 0].tolist() == [0, 255]
    picture(tmp_path / "b.png")
    assert picture_at(tmp_path, "b.png").window is None and picture_at(tmp_path, "none.png").bits == 8


def test_class_folders_alone_are_train(tmp_path):
    for name in ("a_b", "c"):
        picture(tmp_path / name / "x.png")
    picture(tmp_path / "__MACOSX" / "x.png")
    samples = [draft.sample for draft in read_drafts(FOLDER, "folder", tmp_path, split="train")]
    assert [sample.answer.text for sample in samples] == ["a b", "c"] and samples[0].answer.options == ("a b", "c")
    with pytest.raises(InputError, match="split 'test' of dataset folder lacks"):
        list(read_drafts(FOLDER, "folder", tmp_path, split="test"))


def test_a_table_without_splits_is_train_and_says_windows_and_licences(tmp_path):
    picture(tmp_path / "a.png", np.array([[0, 100, 200]], np.uint16))
    table = "file,label,license,window_center,window_width\na.png,one,CC0-1.0,100,200\nb.jpg,two,,x,1\nc.jpg,two,,,\n"
    (tmp_path / "t.csv").write_text(table)
    first, second, third = read_drafts(CSV, "csv", tmp_path, split="train")
    assert first.sample.provenance.licence == "CC0-1.0" and third.sample.provenance.licence == "NOASSERTION"
    shown = decode_image((tmp_path / "a.png").read_bytes(), first.sample.media[0])
    assert shown[0, :, 0].tolist() == [0, 128, 255]
    assert second.skip == "the window is no pair of numbers"
    assert list(read_drafts(CSV, "csv", tmp_path, split="test")) == []


def test_a_table_with_other_columns_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("path,class\na.png,one\n")
    with pytest.raises(InputError, match="expected file, label; got class, path"):
        list(read_drafts(CSV, "csv", tmp_path, split="train"))

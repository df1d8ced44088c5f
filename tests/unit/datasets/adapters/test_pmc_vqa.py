import csv

from osler.datasets.adapters.pmc_vqa import DATASET
from osler.datasets.dataset import read_drafts

HEAD = ["Figure_path", "Question", "Answer", "Choice A", "Choice B", "Choice C", "Choice D", "Answer_label"]


def write(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])


def answers(root, split):
    return [d.sample.answer.text if d.sample else d.skip for d in read_drafts(DATASET, "pmc_vqa", root, split=split)]


def test_the_older_files_tell_the_answer_in_words_and_by_letter(tmp_path):
    write(
        tmp_path / "train.csv",
        ["PMC1_F1.jpg", "Which?", " MR ", " A:CT ", " B: MR ", " C:PET ", " D:US", " B "],
        ["PMC1_F1.jpg", "Which?", "CT", " A:CT ", " B: MR ", " C:PET ", " D:US", ""],
        ["PMC1_F1.jpg", "Which panel?", "B", " A:B ", " B:A ", " C:C ", " D:D", "A"],
        ["PMC1_F1.jpg", "Which?", "SPECT", " A:CT ", " B: MR ", " C:PET ", " D:US", ""],
    )
    assert answers(tmp_path, "train") == ["MR", "CT", "B", "the answer is not one of the options"]


def test_the_checked_test_file_is_read_where_it_is_the_only_one(tmp_path):
    write(tmp_path / "test_clean.csv", ["PMC1_F1.jpg", "Which?", "MR", "A:CT", "B:MR", "C:PET", "D:US", "B"])
    (draft,) = read_drafts(DATASET, "pmc_vqa", tmp_path, split="test")
    assert draft.sample.answer.text == "MR" and draft.sample.group == "pmc_vqa/PMC1"

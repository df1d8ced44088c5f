from pathlib import Path

from osler.core.log import Log
from osler.curate.run import parse, run
from osler.datasets.adapters.mmmu_med import DATASET
from osler.datasets.dataset import read_drafts
from osler.schema.media import MediaRef
from osler.store.reader import Store

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "mmmu_med"


def samples() -> dict:
    drafts = read_drafts(DATASET, "mmmu_med", FIXTURE, split="validation")
    return {draft.id.rpartition("/")[2]: draft.sample for draft in drafts if draft.sample}


def shape(sample) -> list[str]:
    return ["image" if hasattr(part, "media") else part.text for part in sample.turns[0].parts]


def test_options_in_words_keep_their_quotes():
    answer = samples()["validation_Basic_Medical_Science_1"].answer
    assert answer.options == ('The first, "left" one', "The second, 'right' one") and answer.letter == "A"


def test_images_stand_where_question_and_options_name_them():
    found = samples()
    assert shape(found["validation_Basic_Medical_Science_1"])[:4] == ["Compare", "image", "with", "image"]
    pictured = found["validation_Clinical_Medicine_1"]
    assert shape(pictured) == ["Which picture is of a kidney?\nA.", "image", "B.", "image"]
    assert pictured.answer.options == ("image 1", "image 2") and pictured.answer.letter == "B"
    assert all(isinstance(ref, MediaRef) for ref in pictured.media) and len({r.path for r in pictured.media}) == 2


def test_an_open_question_accepts_each_of_its_answers():
    sample = samples()["validation_Diagnostics_and_Laboratory_Medicine_1"]
    assert (sample.answer.kind, sample.answer.text, sample.answer.alternatives) == ("open", "12", ("twelve",))
    assert sample.task == "vqa" and "part:validation" in sample.tags
    assert "subject:Diagnostics_and_Laboratory_Medicine" in sample.tags


def test_files_of_one_name_in_two_subjects_are_not_mixed_up(tmp_path):
    config = parse({"datasets": [{"name": "mmmu_med", "root": str(FIXTURE), "splits": ["validation"]}]})
    outcome = run(config, tmp_path, device="cpu", log=Log(quiet=True))
    stored = [sample for record in Store(tmp_path).records("validation") for sample in record.samples]
    assert outcome.counts["samples"] == len(stored) == 8 and outcome.counts["drops"] == 3
    assert len({ref.sha256 for sample in stored for ref in sample.media}) == 10

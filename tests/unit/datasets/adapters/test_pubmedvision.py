import shutil
import zipfile
from pathlib import Path

from osler.core.log import Log
from osler.curate.run import parse, run
from osler.datasets.adapters.pubmedvision import DATASET
from osler.datasets.dataset import read_drafts
from osler.datasets.media import read_media

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "pubmedvision"


def samples(root) -> list:
    return [d.sample for d in read_drafts(DATASET, "pubmedvision", root, split="train") if d.sample]


def test_both_parts_of_a_figure_are_one_group_told_apart_by_a_tag():
    alignment, instruction = samples(FIXTURE)
    assert (alignment.tags, instruction.tags) == (("part:alignment",), ("part:instruction",))
    assert alignment.group == instruction.group == "pubmedvision/pmc_1"
    assert [ref.path for ref in alignment.media] == ["pmc_1_0.jpg", "pmc_1_1.jpg"]
    assert (alignment.modality, alignment.body_part) == ("digital radiography", "chest")


def test_one_part_may_be_there_alone(tmp_path):
    shutil.copy(FIXTURE / "PubMedVision_InstructionTuning_VQA.json", tmp_path)
    assert [sample.id for sample in samples(tmp_path)] == ["pubmedvision/train/InstructionTuning_VQA_0"]


def test_pictures_are_read_from_the_zip_files(tmp_path):
    for path in FIXTURE.glob("Pub*.json"):
        shutil.copy(path, tmp_path)
    for number in (0, 1):
        with zipfile.ZipFile(tmp_path / f"images_{number}.zip", "w") as archive:
            archive.write(FIXTURE / "images" / f"pmc_1_{number}.jpg", f"images_{number}/pmc_1_{number}.jpg")
    draft = next(read_drafts(DATASET, "pubmedvision", tmp_path, split="train"))
    read = [read_media(tmp_path, draft.places[ref.path]) for ref in draft.sample.media]
    assert read == [(FIXTURE / "images" / f"pmc_1_{number}.jpg").read_bytes() for number in (0, 1)]


def test_a_recipe_selects_a_part_and_counts_the_rest(tmp_path):
    part = {"name": "pubmedvision", "root": str(FIXTURE), "splits": ["train"], "tags": ["part:alignment"]}
    recipe = parse({"datasets": [part], "operators": ["drop_missing_image"], "num_workers": 0})
    counts = run(recipe, tmp_path, device="cpu", log=Log(quiet=True)).counts
    assert (counts["samples"], counts["drops"]) == (1, 2)

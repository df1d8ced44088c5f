import json
import zipfile
from pathlib import Path

from osler.datasets.adapters.pmc_oa import DATASET
from osler.datasets.dataset import read_drafts
from osler.datasets.media import read_media

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "pmc_oa"
FOLDER = "caption_T060_filtered_top4_sep_v0_subfigures"


def test_an_article_is_a_group_and_the_match_a_tag():
    first, second = (d.sample for d in read_drafts(DATASET, "pmc_oa", FIXTURE, split="train") if d.sample)
    assert (first.group, first.tags, second.tags) == ("pmc:PMC100", ("alignment:SAM",), ())
    assert first.group == second.group
    assert (first.provenance.record_id, first.provenance.licence) == ("PMC100_Fig1_0.jpg", "NOASSERTION")
    assert first.provenance.source_url.endswith("/PMC100/")


def test_the_beta_list_and_pictures_in_the_zip_file(tmp_path):
    (tmp_path / "pmc_oa_beta.jsonl").write_text(
        json.dumps({"image": "PMC100_Fig1_1.jpg", "caption": "A. One. B. Two."})
    )
    picture = FIXTURE / FOLDER / "PMC100_Fig1_1.jpg"
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.write(picture, f"{FOLDER}/{picture.name}")
        archive.writestr(f"__MACOSX/{FOLDER}/._{picture.name}", b"")
    (draft,) = read_drafts(DATASET, "pmc_oa", tmp_path, split="train")
    assert draft.sample.answer.text == "A. One. B. Two."
    assert read_media(tmp_path, draft.places[picture.name]) == picture.read_bytes()

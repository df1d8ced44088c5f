import pytest

from osler.core.settings import read_settings
from osler.datasets.adapters.covid_chestxray import DATASET
from osler.datasets.dataset import read_drafts

HEAD = "patientid,view,modality,filename,doi, url,license,clinical notes,"


def groups(root, *rows):
    (root / "metadata.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    return [d.sample.group for d in read_drafts(DATASET, "covid_chestxray", root, split="train")]


def test_a_group_is_all_that_patients_and_articles_connect(tmp_path):
    rows = [
        "1,PA,X-ray,a.jpg,10.1/a,,CC0,Note,",
        "2,PA,X-ray,b.jpg,10.1/a,https://b.org,CC0,Note,",
        "2,PA,X-ray,c.jpg,,https://c.org,CC0,Note,",
        "3,PA,X-ray,d.jpg,,https://c.org,CC0,Note,",
        "4,PA,X-ray,e.jpg,,https://e.org,CC0,Note,",
        ",PA,X-ray,f.jpg,,,CC0,Note,",
    ]
    found = groups(tmp_path, *rows)
    assert len(set(found[:4])) == 1 and len(set(found)) == 3
    assert set(groups(tmp_path, *reversed(rows))) == set(found)


def test_figures_of_several_patients_are_one_group():
    root = read_settings().test_data / "covid_chestxray"
    if not root.is_dir():
        pytest.skip("no covid_chestxray among the real files")
    samples = [d.sample for d in read_drafts(DATASET, "covid_chestxray", root, split="train")]
    by_file = {sample.media[0].path: sample.group for sample in samples}
    # Patients 63, 64 and 65 stand in one article, 67 and 68 in another: 14 patients make 11 groups.
    assert len({by_file[f"kjr-21-e24-g00{n}-l-a.jpg"] for n in (1, 2, 3)}) == 1
    assert len(set(by_file.values())) == 11

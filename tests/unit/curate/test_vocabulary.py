import pytest

from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.curate.vocabulary import load_vocabulary, make_vocabulary, texts_of, value_of
from osler.schema.sample import Sample, passage, user

ROCO = read_settings().test_data / "roco_text" / "data" / "validation" / "radiology" / "captions.txt"


@pytest.mark.parametrize(
    ("caption", "values"),
    [
        ("CT angiography of the aorta", ["ct"]),
        ("Digital subtraction angiogram", ["angiography"]),
        ("Chest X-ray and later a CT scan", ["x-ray", "ct"]),
        ("PET/CT with FDG uptake", ["pet"]),
        ("T2 weighted image of the knee", ["mri"]),
        ("Ultrasonography shows a cyst", ["ultrasound"]),
        ("Let us see the correct sector", []),
        ("upper GI series", ["fluoroscopy"]),
        ("cone-beam\ncomputed tomography", ["ct"]),
        ("H&E stain", ["pathology"]),
        ("", []),
    ],
)
def test_modalities(caption, values):
    assert load_vocabulary("modality").values_in(caption) == values


@pytest.mark.parametrize(
    ("caption", "values"),
    [
        ("Fracture of the femoral head", ["lower limb"]),
        ("Mass in the head of the pancreas", ["abdomen"]),
        ("Pancreatic head mass", ["abdomen"]),
        ("Pneumothorax on the left", ["chest"]),
        ("Pneumoperitoneum", []),
        ("Lateral cervical spine", ["spine"]),
    ],
)
def test_body_parts(caption, values):
    assert load_vocabulary("body_part").values_in(caption) == values


def test_the_nearest_text_that_names_one_decides():
    vocabulary = make_vocabulary({"ct": ["CT"], "mri": ["MRI"]})
    assert value_of(vocabulary, ["A scan.", "MRI findings", "CT"]) == "mri"
    assert value_of(vocabulary, ["CT and MRI", "MRI"]) == "", "several in the caption: the section does not overrule it"
    assert value_of(vocabulary, ["", "", ""]) == ""


def test_texts_are_the_caption_the_section_and_the_headings():
    sample = Sample(
        turns=(user("What?"),), answer=passage("A film."), tags=("section:Imaging", "mesh:Lung", "mesh:Rib")
    )
    assert texts_of(sample) == ["A film.\nWhat?", "Imaging", "Lung; Rib"]


def test_a_word_with_a_capital_is_matched_as_written():
    vocabulary = make_vocabulary({"us": ["US", "echo*graph*"], "view": ["AP view"]})
    assert vocabulary.values_in("us") == [] and vocabulary.values_in("US-guided") == ["us"]
    assert vocabulary.values_in("AP  View") == ["view"] and vocabulary.values_in("ap view") == []
    assert vocabulary.values_in("Echocardiography") == ["us"] and vocabulary.values_in("USA") == []


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (["ct"], "a mapping"),
        ({}, "a mapping"),
        ({"ct": "CT"}, "list of words"),
        ({"ct": []}, "list of words"),
        ({"ct": ["*"]}, "list of words"),
        ({"ct": ["scan"], "mri": ["scan"]}, "stands for 'ct' and 'mri'"),
    ],
)
def test_a_bad_vocabulary_is_refused(terms, message):
    with pytest.raises(InputError, match=message):
        make_vocabulary(terms)


def test_a_vocabulary_of_ones_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("slit lamp: [slit lamp*]\n")
    assert load_vocabulary(str(path)).values_in("Slit-lamp view") == ["slit lamp"]
    with pytest.raises(InputError, match="no vocabulary"):
        load_vocabulary(str(tmp_path / "none.yaml"))
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [b\n")
    with pytest.raises(InputError, match="vocabulary .*bad"):
        load_vocabulary(str(bad))


@pytest.mark.skipif(not ROCO.is_file(), reason="no real captions in the test data")
@pytest.mark.parametrize(("name", "least"), [("modality", 0.75), ("body_part", 0.65)])
def test_most_real_captions_of_radiology_name_one(name, least):
    captions = [line.partition("\t")[2] for line in ROCO.read_text(encoding="utf-8").splitlines()]
    vocabulary = load_vocabulary(name)
    assert sum(bool(value_of(vocabulary, [c])) for c in captions) >= least * len(captions)

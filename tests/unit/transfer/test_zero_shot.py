import math

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.transfer.prompts import make_prompts
from osler.transfer.zero_shot import class_directions, probabilities, template_probabilities

TEXTS = {
    "a photo of cat.": [1, 0, 0],
    "cat.": [0, 1, 0],
    "a photo of dog.": [0, 0, 1],
    "dog.": [0, 0, 1],
    "a photo of hound.": [0, 1, 0],
    "hound.": [0, 0, 1],
    "no cat.": [0, 0, 1],
    "no dog.": [1, 0, 0],
}


def encode(texts):
    return np.asarray([TEXTS[text] for text in texts], dtype=np.float32)


def prompts(**fields):
    words = {"cat": ["cat"], "dog": ["dog", "hound"]}
    return make_prompts("pets", ("cat", "dog"), templates=("a photo of {}.", "{}."), words=words, **fields)


def test_a_class_is_the_mean_direction_of_its_prompts():
    """cat: (1,0,0) and (0,1,0) -> (1,1,0)/sqrt 2; dog: (0,0,1) three times and (0,1,0) -> (0,1,3)/sqrt 10."""
    found = class_directions(encode, prompts(), is_multi_label=False)
    assert found.ensemble_KE == pytest.approx(np.array([[1, 1, 0] / np.sqrt(2), [0, 1, 3] / np.sqrt(10)]))
    assert found.templates_TKE[0] == pytest.approx(np.array([[1, 0, 0], [0, 1, 1] / np.sqrt(2)]))
    assert found.templates_TKE[1] == pytest.approx(np.array([[0, 1, 0], [0, 0, 1]]))


def test_probabilities_by_hand():
    found = class_directions(encode, prompts(), is_multi_label=False)
    image = np.array([[1.0, 0, 0]])
    logit = 2 * 1 / math.sqrt(2)
    assert probabilities(image, found, scale=2)[0] == pytest.approx(
        [math.exp(logit) / (math.exp(logit) + 1), 1 / (math.exp(logit) + 1)]
    )
    by_template = template_probabilities(image, found, scale=2)
    assert by_template.shape == (2, 1, 2)
    assert by_template[1, 0] == pytest.approx([0.5, 0.5])
    assert by_template[0, 0, 0] == pytest.approx(1 / (1 + math.exp(-2)))


def test_of_several_classes_each_is_asked_against_its_denial():
    asked = make_prompts("pets", ("cat", "dog"), templates=("{}.",))
    found = class_directions(encode, asked, is_multi_label=True)
    image = np.array([[0.6, 0.8, 0.0]])
    # cat: (0,1,0) against no cat (0,0,1): .8 - 0; dog: (0,0,1) against no dog (1,0,0): 0 - .6
    expected = [1 / (1 + math.exp(-0.8 * 10)), 1 / (1 + math.exp(0.6 * 10))]
    assert probabilities(image, found, scale=10)[0] == pytest.approx(expected)


def test_a_scale_of_none_is_one_hundred_and_large_ones_do_not_overflow():
    found = class_directions(encode, prompts(), is_multi_label=False)
    image = np.array([[1.0, 0, 0]])
    assert probabilities(image, found, scale=None) == pytest.approx(probabilities(image, found, scale=100.0))
    assert np.isfinite(probabilities(image, found, scale=1e6)).all()


@pytest.mark.parametrize(
    "classes",
    [
        ("benign", "malignant", "normal"),
        ("eosinophil", "lymphocyte", "monocyte", "neutrophil"),
        ("glioma", "meningioma", "pituitary tumor", "no tumor"),
        ("nodule", "effusion", "pneumothorax", "consolidation", "cardiomegaly", "device"),
        ("none", "nodule", "effusion", "pneumothorax", "consolidation", "cardiomegaly", "device"),
        ("no effusion", "effusion"),
        ("normal", "serrated", "adenocarcinoma", "adenoma"),
    ],
)
def test_known_sets_have_words_of_their_own(classes):
    found = make_prompts("set", classes, modality="x-ray")
    assert tuple(found.words) == classes
    assert any(words != (name,) for name, words in found.words.items())
    assert all(text.count("{") == 0 for t in found.templates for name in classes for text in found.texts(t, name))


def test_words_of_a_set_that_is_not_known_are_its_class_names():
    found = make_prompts("new", ("apple", "pear"), modality="mri")
    assert found.words == {"apple": ("apple",), "pear": ("pear",)}
    assert "an MRI of {}." in found.templates
    assert make_prompts("new", ("apple", "pear"), modality="sonar").templates[0] == "{}."
    assert found.texts("MRI: {}.", "pear", absent=True) == ("MRI: no pear.",)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"words": {"cat": ["cat"]}}, "class 'dog' has no prompt"),
        ({"words": {"cat": ["cat"], "dog": []}}, "class 'dog' has no prompt"),
        ({"words": {"cat": ["cat"], "dog": ["dog"], "dogs": ["x"]}}, "does not have: 'dogs'.*Did you mean 'dog'"),
        ({"words": {"cat": ["pet"], "dog": ["Pet"]}}, "classes 'cat' and 'dog' have the same words"),
        ({"templates": ["a photo"]}, r"no place for the class; expected \{\} once; got 'a photo'"),
        ({"templates": []}, "at least one; got none"),
        ({"templates": ["{}", "{}"]}, "templates must be different"),
        ({"absent": "without"}, "no place for the class"),
    ],
)
def test_prompts_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        make_prompts("pets", ("cat", "dog"), **fields)


def test_classes_that_are_numbers_need_words():
    with pytest.raises(InputError, match="are no words: 0, 1; expected words for each class.*zero_shot.sets.npz.words"):
        make_prompts("npz", ("0", "1"))
    assert make_prompts("npz", ("0", "1"), words={"0": ["healthy"], "1": ["ill"]}).words["1"] == ("ill",)

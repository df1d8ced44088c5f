"""Prompts of zero-shot classification: sentences with a place for a class, and the words for each class.

What a recipe does not say comes from here: templates by modality, and words for sets whose class names are no words
that an encoder could know (`benign`: of what?). A class without words of its own is called by its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osler.core.errors import InputError, did_you_mean

Words = Mapping[str, tuple[str, ...]]
PLACE = "{}"
ABSENT = "no {}"

_EVERY = ("{}.", "an image of {}.", "this image shows {}.", "a medical image showing {}.")
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "x-ray": ("an x-ray showing {}.", "a radiograph of {}.", "this x-ray shows {}.", "x-ray: {}."),
    "mammography": ("a mammogram showing {}.", "a mammogram of {}.", "this mammogram shows {}.", "mammogram: {}."),
    "ct": ("a CT scan showing {}.", "a CT slice of {}.", "this CT shows {}.", "CT: {}."),
    "mri": ("an MRI scan showing {}.", "an MRI of {}.", "this MRI shows {}.", "MRI: {}."),
    "ultrasound": (
        *("an ultrasound image showing {}.", "an ultrasound of {}.", "this ultrasound shows {}.", "ultrasound: {}."),
    ),
    "oct": (
        "an OCT scan showing {}.",
        "an OCT of {}.",
        "this retinal OCT shows {}.",
        "optical coherence tomography: {}.",
    ),
    "fundus": (
        *(
            "a fundus photograph showing {}.",
            "a fundus image of {}.",
            "this fundus photograph shows {}.",
            "fundus: {}.",
        ),
    ),
    "endoscopy": ("an endoscopic image showing {}.", "endoscopy of {}.", "this endoscopy shows {}.", "endoscopy: {}."),
    "dermoscopy": (
        "a dermoscopic image of {}.",
        "dermoscopy showing {}.",
        "this skin lesion is {}.",
        "dermoscopy: {}.",
    ),
    "histopathology": (
        *("a histopathology image of {}.", "an H&E stained slide showing {}.", "this tissue is {}.", "histology: {}."),
    ),
    "microscopy": ("a micrograph of {}.", "a microscope image showing {}.", "this cell is {}.", "microscopy: {}."),
}
_TEMPLATES["pathology"] = _TEMPLATES["histopathology"]
_TEMPLATES["dermatology"] = _TEMPLATES["dermoscopy"]

_BREAST: Words = {
    "benign": ("a benign breast lesion", "a benign breast tumor", "a benign breast mass"),
    "malignant": ("a malignant breast lesion", "breast cancer", "a malignant breast tumor"),
}
_FINDINGS: Words = {
    "nodule": ("lung nodule", "nodule"),
    "effusion": ("pleural effusion", "effusion"),
    "pneumothorax": ("pneumothorax",),
    "consolidation": ("consolidation", "infiltrate"),
    "cardiomegaly": ("cardiomegaly", "enlarged heart"),
    "device": ("medical device", "pacemaker", "central line"),
    "none": ("no abnormal finding", "normal lungs"),
}
_CHEST_FILM = ("PA chest film: {}.", "AP chest film: {}.", "chest film with {}.", "chest film: {}.")
_WORDS: tuple[tuple[Words, tuple[str, ...]], ...] = (
    ({**_BREAST, "normal": ("normal breast tissue", "a breast without a lesion", "no breast lesion")}, ()),
    (_BREAST, ()),
    (
        {
            "eosinophil": ("an eosinophil", "an eosinophil granulocyte", "a white blood cell with red granules"),
            "lymphocyte": ("a lymphocyte", "a white blood cell with a round nucleus that fills it"),
            "monocyte": ("a monocyte", "a white blood cell with a kidney-shaped nucleus"),
            "neutrophil": ("a neutrophil", "a neutrophil granulocyte", "a white blood cell with a lobed nucleus"),
        },
        (),
    ),
    (
        {
            "glioma": ("a glioma", "a brain with a glioma"),
            "meningioma": ("a meningioma", "a brain with a meningioma"),
            "pituitary tumor": ("a pituitary tumor", "a pituitary adenoma"),
            "no tumor": ("a normal brain", "a brain without a tumor"),
        },
        (),
    ),
    (
        {
            "normal": ("normal colon mucosa",),
            "serrated": ("a serrated lesion of the colon", "a sessile serrated polyp"),
            "adenocarcinoma": ("colorectal adenocarcinoma", "colon cancer"),
            "adenoma": ("a colorectal adenoma", "an adenomatous polyp"),
        },
        (),
    ),
    (
        {
            "choroidal neovascularization": ("choroidal neovascularization", "wet macular degeneration"),
            "diabetic macular edema": ("diabetic macular edema", "fluid in the retina of a diabetic"),
            "drusen": ("drusen", "dry macular degeneration"),
            "normal": ("a normal retina",),
        },
        (),
    ),
    (_FINDINGS, _CHEST_FILM),
    ({name: words for name, words in _FINDINGS.items() if name != "none"}, _CHEST_FILM),
    *(
        ({name: words, f"no {name}": tuple(f"no {word}" for word in words)}, _CHEST_FILM)
        for name, words in _FINDINGS.items()
    ),
)
"""Words of known sets, found by their classes, and templates where a set has its own."""


@dataclass(frozen=True)
class Prompts:
    """templates: each has `{}` once. words: of each class, at least one.

    absent: how a class is denied, for sets in which a picture has several classes or none: `no {}`.
    """

    templates: tuple[str, ...]
    words: Words
    absent: str = ABSENT

    def texts(self, template: str, name: str, *, absent: bool = False) -> tuple[str, ...]:
        """The prompts of one class in one template."""
        words = self.words[name]
        return tuple(template.replace(PLACE, self.absent.replace(PLACE, word) if absent else word) for word in words)


def make_prompts(
    set_name: str,
    classes: Sequence[str],
    *,
    modality: str = "",
    templates: Sequence[str] | None = None,
    words: Mapping[str, Sequence[str]] | None = None,
    absent: str = ABSENT,
) -> Prompts:
    """The prompts of a set: as declared, else as known here.

    Args:
        set_name: for messages.
        classes: of the set.
        modality: of its pictures, for which templates there are.
        templates: instead of those of the modality.
        words: of every class, instead of those known here.
        absent: how a class is denied.

    Raises:
        InputError: a template without its place, a class without words, words for a class that the set does not have,
            two classes with the same words, or class names that are mere numbers and no words for them.
    """
    known, known_templates = _known(classes)
    chosen = tuple(templates) if templates is not None else known_templates or _TEMPLATES.get(modality.lower(), _EVERY)
    if words is None and not known and any(not any(c.isalpha() for c in name) for name in classes):
        raise InputError(
            f"the classes of set {set_name!r} are no words: {', '.join(classes)}",
            expected="words for each class",
            got="none",
            fix=f"Add zero_shot.sets.{set_name}.words to the recipe.",
        )
    said = {name: tuple(names) for name, names in words.items()} if words is not None else known
    said = said or {name: (name,) for name in classes}
    _check(set_name, classes, chosen, said, absent)
    return Prompts(chosen, {name: said[name] for name in classes}, absent)


def _known(classes: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    for words, templates in _WORDS:
        if set(words) == set(classes):
            return dict(words), templates
    return {}, ()


def _check(set_name: str, classes: Sequence[str], templates: Sequence[str], words: Words, absent: str) -> None:
    where = f"zero_shot.sets.{set_name}"
    for template in (*templates, absent):
        if template.count(PLACE) != 1:
            raise InputError(f"{where}: a template has no place for the class", expected="{} once", got=repr(template))
    if not templates or len(set(templates)) != len(templates):
        raise InputError(f"{where}: templates must be different, and at least one", got=", ".join(templates) or "none")
    for name in words:
        if name not in classes:
            raise InputError(
                f"{where}: words for a class that the set does not have: {name!r}",
                expected=f"one of {', '.join(classes)}",
                fix=did_you_mean(name, classes),
            )
    for name in classes:
        if not words.get(name) or any(not word.strip() for word in words[name]):
            raise InputError(
                f"{where}: class {name!r} has no prompt", expected="at least one word for each class", fix="Add it."
            )
    owners: dict[frozenset[str], str] = {}
    for name in classes:
        key = frozenset(word.casefold() for word in words[name])
        if key in owners:
            raise InputError(
                f"{where}: classes {owners[key]!r} and {name!r} have the same words", fix="Tell them apart."
            )
        owners[key] = name

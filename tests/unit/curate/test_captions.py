import pytest

from osler.core.settings import read_settings
from osler.curate.captions import (
    FUNCTION_WORDS,
    count_words,
    digit_share,
    guess_language,
    misleading_words,
    says_only_numbers,
)

ROCO = read_settings().test_data / "roco_text" / "data" / "validation" / "radiology" / "captions.txt"


@pytest.mark.parametrize(
    ("caption", "words"),
    [("", 0), (" - . ", 0), ("Chest X-ray.", 2), ("CT (axial), 5 mm", 4), ("胸部のX線写真", 6)],
)
def test_words_are_counted(caption, words):
    assert count_words(caption) == words


@pytest.mark.parametrize(("caption", "share"), [("", 0), ("...", 0), ("T2", 0.5), ("12 34", 1), ("abc", 0)])
def test_digits_are_counted(caption, share):
    assert digit_share(caption) == share


@pytest.mark.parametrize(
    "caption",
    ["Scale bar: 50 µm", "Fig. 3", "(A)", "12 x 10 mm", "10-20", "50μm", "Figure 4", "a, b, c", "Bar = 5 cm."],
)
def test_numbers_and_labels_are_no_caption(caption):
    assert says_only_numbers(caption)


@pytest.mark.parametrize("caption", ["", "Nodule of 12 mm", "T2 image", "CT", "Grade 3 lesion", "Fig. 3 shows a mass"])
def test_words_make_a_caption(caption):
    assert not says_only_numbers(caption)


@pytest.mark.parametrize(
    ("caption", "language"),
    [
        ("Axial CT, arterial phase.", "en"),
        ("Chest radiograph of a patient from Rio de Janeiro with el Niño fever", "en"),
        ("Concentration of β-amyloid and α-synuclein in the cortex", "en"),
        ("Das Röntgenbild zeigt eine Verschattung auf der rechten Seite nach der Operation.", "de"),
        ("Radiographie du thorax montrant une opacité de la base droite.", "fr"),
        ("Radiografía de tórax que muestra una opacidad en el lóbulo inferior derecho.", "es"),
        ("Radiografia del torace che mostra una opacità della base sinistra con versamento.", "it"),
        ("Radiografia do tórax que não mostra uma opacidade da base esquerda.", "pt"),
        ("De röntgenfoto toont een afwijking van het linker been met de pijl.", "nl"),
        ("Рентгенограмма грудной клетки", "Cyrillic"),
        ("肺部CT显示右下叶结节", "Han"),
        ("", "en"),
    ],
)
def test_the_language_is_guessed_by_evidence(caption, language):
    assert guess_language(caption, min_hits=3)[0] == language


def test_too_little_evidence_stays_english():
    caption = "Radiographie du thorax"
    assert guess_language(caption, min_hits=3)[0] == "en" and guess_language(caption, min_hits=1) == ("fr", 1.0)


def test_no_language_shares_a_word_with_english():
    english = set(FUNCTION_WORDS["en"].split())
    assert {name: english & set(words.split()) for name, words in FUNCTION_WORDS.items() if name != "en"} == {
        name: set() for name in FUNCTION_WORDS if name != "en"
    }


@pytest.mark.parametrize(
    ("caption", "kind"),
    [
        ("(A) Chest film. (B) CT of the same patient.", "panels"),
        ("A, normal eye; B, injured eye.", "panels"),
        ("Upper row: before treatment.", "panels"),
        ("Panel c shows a fracture.", "panels"),
        ("Same patient as in Figure 2, after surgery.", "other_figures"),
        ("Findings as in Fig. 5.", "other_figures"),
        ("Bars are means, error bars the deviation.", "charts"),
        ("Survival differed (p < 0.05).", "charts"),
        ("The arrow marks a nodule.", "marks"),
        ("A nodule in the upper lobe, left side.", None),
        ("Scan of the vertebral column (C5).", None),
        ("MRI (a) of the knee", None),
    ],
)
def test_declared_patterns(caption, kind):
    found = misleading_words(caption, ("other_figures", "charts", "panels", "marks"))
    assert (found[0] if found else None) == kind


@pytest.mark.skipif(not ROCO.is_file(), reason="no real captions in the test data")
def test_real_captions_of_radiology_are_seldom_dropped():
    captions = [line.partition("\t")[2].strip() for line in ROCO.read_text(encoding="utf-8").splitlines()]
    foreign = [c for c in captions if guess_language(c, min_hits=3)[0] != "en"]
    assert 10 <= len(foreign) <= 20 and all(
        set("éèàùêôûíóãçï") & set(c.lower()) or {"TDM", "montrant"} & set(c.split()) for c in foreign
    )
    assert not any(says_only_numbers(caption) for caption in captions)
    misleading = [c for c in captions if misleading_words(c, ("other_figures", "charts", "panels"))]
    assert 0 < len(misleading) <= 0.02 * len(captions)

import pytest

from osler.datasets.jats.parse import parse_tree
from osler.datasets.jats.words import plain, read_words


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("a\n   <italic>b</italic> c ", "a b c"),
        ("<bold>A</bold>: left<break/>right", "A: left right"),
        ("10<sup>6</sup> cells, 10<sup>\u22122</sup> M", "10^6 cells, 10^\u22122 M"),
        ("5 mm<sup>2</sup>, H<sub>2</sub>O, <sup>18</sup>F", "5 mm2, H2O, 18F"),
        ('as shown<sup><xref ref-type="bibr">12</xref>,<xref ref-type="bibr">13</xref></sup>.', "as shown [12,13]."),
        ("one <fig><caption><p>not this</p></caption></fig>two", "one two"),
        ("a<supplementary-material><caption><p>data</p></caption></supplementary-material> b", "a b"),
        ("before <list><list-item><p>item</p></list-item></list> after", "before after"),
        (
            '<alternatives><graphic/><tex-math>\\alpha</tex-math><m:math xmlns:m="urn:m"><m:mfrac><m:mn>1</m:mn>'
            "<m:mn>2</m:mn></m:mfrac></m:math></alternatives> of it",
            "1/2 of it",
        ),
        ('<m:math xmlns:m="urn:m"><m:msup><m:mn>10</m:mn><m:mn>3</m:mn></m:msup></m:math>', "10^3"),
        (
            'a <m:math xmlns:m="http://www.w3.org/1998/Math/MathML"> <m:mi>d</m:mi> <m:mo>=</m:mo>\n'
            " <m:mn>2</m:mn> </m:math> b",
            "a d=2 b",
        ),
        ("<tex-math>\\documentclass{x} \\begin{document}$$x^2$$\\end{document}</tex-math>!", "x^2!"),
        ("kept<!-- not this --> words<?and not this?>.", "kept words."),
    ],
)
def test_words_read_as_they_are_printed(inner, words):
    assert plain(parse_tree(f"<p>{inner}</p>".encode())) == words


@pytest.mark.parametrize(
    "inner",
    [
        "see <x>Fig. 1</x>.",
        "see\n  <bold> <x> Fig. 1 </x></bold>.",
        "<sup><x>Fig.\n1</x></sup>",
        "a <italic>b</italic><x><italic>Fig</italic>. 1</x> c",
    ],
)
def test_a_marked_element_is_found_where_its_words_stand(inner):
    root = parse_tree(f"<p>{inner}</p>".encode())
    text, spans = read_words(root, set(root.iter("x")))
    ((_, start, end),) = spans
    assert text[start:end] == "Fig. 1"


def test_an_empty_reference_has_a_place_and_no_words():
    root = parse_tree(b"<p>one <x/>two</p>")
    text, ((_, start, end),) = read_words(root, set(root.iter("x")))
    assert (text, start, end) == ("one two", 3, 3)


def test_no_element_has_no_words():
    assert plain(None) == ""

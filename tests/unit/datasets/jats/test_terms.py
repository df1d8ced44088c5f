import pytest

from osler.datasets.jats.parse import parse_tree
from osler.datasets.jats.terms import article_terms, figure_terms, licence_in
from osler.datasets.jats.types import Terms

OPEN = Terms("CC-BY-4.0", "u", "t", "article")


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("https://www.creativecommons.org/licenses/by-nc-nd/3.0/us/legalcode", "CC-BY-NC-ND-3.0"),
        ("http://creativecommons.org/licenses/by/3.0/igo/", "CC-BY-3.0-IGO"),
        ("http://creativecommons.org/licenses/by-nc/2.0", "CC-BY-NC-2.0"),
        ("http://creativecommons.org/licenses/by/", "CC-BY"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://creativecommons.org/publicdomain/mark/1.0/", "LicenseRef-Public-Domain"),
        ("under the terms of the Creative Commons Attribution License, which permits any use", "CC-BY"),
        ("the Creative Commons Attribution 4.0 International License", "CC-BY-4.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported License", "CC-BY-NC-SA-3.0"),
        ("Creative Commons Attribution Non-Commercial No Derivatives License", "CC-BY-NC-ND"),
        ("Creative Commons Attribution-NonCommercial-NoDerivs Licence", "CC-BY-NC-ND"),
        ("This is an open access article under the CC BY-NC-ND license (4.0)", "CC-BY-NC-ND"),
        ("published under CC-BY 4.0", "CC-BY-4.0"),
        ("Creative Commons CC0 public domain dedication", "CC0-1.0"),
        ("This work is in the public domain in the USA.", "LicenseRef-Public-Domain"),
        ("All rights reserved.", "NOASSERTION"),
        ("This is an open access article.", "NOASSERTION"),
        ("free to read", "NOASSERTION"),
        ("", "NOASSERTION"),
        ("http://creativecommons.org/licenses/bynd/4.0", "NOASSERTION"),
    ],
)
def test_licences_are_read_from_addresses_and_prose(text, licence):
    assert licence_in(text)[0] == licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        (
            "CC BY (http://creativecommons.org/licenses/by/4.0/). The Creative Commons Public Domain Dedication waiver "
            "(http://creativecommons.org/publicdomain/zero/1.0/) applies to the data.",
            "CC-BY-4.0",
        ),
        (
            "http://creativecommons.org/licenses/by/4.0/ or http://creativecommons.org/licenses/by-nc/4.0/",
            "CC-BY-NC-4.0",
        ),
        ("Creative Commons Attribution License, for non-commercial use", "CC-BY-NC"),
        ("Creative Commons Attribution License, for commercial and non-commercial use", "CC-BY"),
        ("Creative Commons Attribution License, provided no modifications or adaptations are made", "CC-BY-ND"),
    ],
)
def test_of_several_terms_the_strictest_counts(text, licence):
    assert licence_in(text)[0] == licence


def test_an_article_without_licence_permits_nothing():
    assert article_terms(None) == Terms()
    meta = parse_tree(b"<m><permissions><copyright-statement>c 2010 X</copyright-statement></permissions></m>")
    assert article_terms(meta).licence == "NOASSERTION"


def test_old_files_state_it_in_the_copyright_line_and_new_ones_in_a_reference():
    old = b"<m><copyright-statement>X. Under the Creative Commons Attribution License.</copyright-statement></m>"
    assert article_terms(parse_tree(old)).licence == "CC-BY"
    new = b"""<m><permissions><license xmlns:ali="urn:ali"><ali:license_ref>https://creativecommons.org/licenses/by-nd/4.0/
        </ali:license_ref></license></permissions></m>"""
    found = article_terms(parse_tree(new))
    assert (found.licence, found.url) == ("CC-BY-ND-4.0", "https://creativecommons.org/licenses/by-nd/4.0/")
    marked = b'<m><permissions><license license-type="public-domain"><p>Free.</p></license></permissions></m>'
    assert article_terms(parse_tree(marked)).licence == "LicenseRef-Public-Domain"


@pytest.mark.parametrize(
    ("inside", "caption", "attribution", "licence", "stated_in"),
    [
        ("", "A film.", "", "CC-BY-4.0", "article"),
        ("<permissions/>", "A film.", "", "CC-BY-4.0", "article"),
        ("<permissions><license><p>CC BY-NC 4.0</p></license></permissions>", "", "", "CC-BY-NC-4.0", "figure"),
        (
            "<permissions><license><p>Reproduced with permission.</p></license></permissions>",
            "",
            "",
            "NOASSERTION",
            "figure",
        ),
        (
            "<permissions><copyright-statement>\u00a9 Thieme</copyright-statement></permissions>",
            "",
            "",
            "NOASSERTION",
            "figure",
        ),
        ("", "Reprinted with the kind permission of X.", "", "NOASSERTION", "caption"),
        ("", "Map. Copyright 2004 X.", "", "NOASSERTION", "caption"),
        ("", "Reprinted from X under a CC BY license, with permission from Y.", "", "CC-BY", "caption"),
        ("", "A film.", "\u00a9 X", "NOASSERTION", "attribution"),
        ("", "A patient without permissible heart rate.", "", "CC-BY-4.0", "article"),
    ],
)
def test_a_figure_may_have_terms_of_its_own(inside, caption, attribution, licence, stated_in):
    figure = parse_tree(f"<fig>{inside}</fig>".encode())
    found = figure_terms(figure, OPEN, caption=caption, attribution=attribution)
    assert (found.licence, found.stated_in) == (licence, stated_in)


def test_a_group_s_terms_reach_its_figures():
    group = parse_tree(
        b"<fig-group><permissions><license><p>CC BY-ND 3.0</p></license></permissions><fig/></fig-group>"
    )
    found = figure_terms(group.find("fig"), OPEN, caption="", attribution="")
    assert (found.licence, found.stated_in) == ("CC-BY-ND-3.0", "group")

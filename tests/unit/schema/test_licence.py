import pytest

from osler.schema.licence import USES, forbids_derivatives, licence_of, why_not


@pytest.mark.parametrize(
    ("spelling", "id"),
    [
        ("CC0-1.0", "CC0-1.0"),
        ("cc0", "CC0-1.0"),
        ("CC0 1.0", "CC0-1.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "LicenseRef-Public-Domain"),
        ("CC BY", "CC-BY"),
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("CC BY-NC-SA", "CC-BY-NC-SA"),
        ("cc_by_nc_nd", "CC-BY-NC-ND"),
        ("CC BY-ND 4.0", "CC-BY-ND-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/igo/", "CC-BY-NC-SA-3.0"),
        ("http://creativecommons.org/licenses/by/4.0", "CC-BY-4.0"),
        ("creativecommons.org/licenses/by-sa/4.0/deed.en", "CC-BY-SA-4.0"),
        ("CC BY 3.0 US", "CC-BY-3.0"),
        ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("CC BY-SA 4.0 License", "CC-BY-SA-4.0"),
        ("mit", "MIT"),
        ("MIT License", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("openrail", "LicenseRef-OpenRAIL"),
        ("CreativeML-OpenRAIL-M", "LicenseRef-OpenRAIL"),
        ("GPL-3.0-only", "GPL-3.0-only"),
        ("LicenseRef-NIH-ChestXray14", "LicenseRef-NIH-ChestXray14"),
        ("LicenseRef-PhysioNet-Credentialed-1.5.0", "LicenseRef-PhysioNet-Credentialed"),
        ("PhysioNet Credentialed Health Data License 1.5.0", "LicenseRef-PhysioNet-Credentialed"),
        ("LicenseRef-PhysioNet-Credentialed", "LicenseRef-PhysioNet-Credentialed"),
        ("request form", "LicenseRef-Request-Form"),
        ("Public Domain", "LicenseRef-Public-Domain"),
        ("per-item", "per-item"),
    ],
)
def test_spellings_of_a_licence(spelling, id):
    assert licence_of(spelling).id == id
    assert licence_of(licence_of(spelling).id).id == id


@pytest.mark.parametrize(
    "spelling",
    ["", " ", "NOASSERTION", "see card", "mixed", "other", "gated", "CC", "CC BY-XX", "CC BY, except figures", "CC BYE",
     "no-cc code", "not MIT", "creativecommons.org/licenses/", "CC BY-NC 4.0 and MIT"],
)  # fmt: skip
def test_what_is_not_known_permits_nothing(spelling):
    assert licence_of(spelling).id == "NOASSERTION" and not licence_of(spelling).permits
    assert all("not known" in why_not(use, spelling) for use in USES)


@pytest.mark.parametrize(
    ("spelling", "access", "forbidden"),
    [
        ("CC0-1.0", "open", ()),
        ("CC BY-SA 4.0", "open", ()),
        ("CC BY-NC", "open", ("commercial",)),
        ("CC BY-ND", "open", ("redistribute",)),
        ("CC BY-NC-ND", "open", ("commercial", "redistribute")),
        ("PhysioNet Credentialed", "credentialed", ("commercial", "redistribute")),
        ("request form", "registered", ("commercial", "redistribute")),
        ("CC BY 4.0", "registered", ("redistribute",)),
        ("openrail", "open", ()),
        ("per-item", "open", ()),
    ],
)
def test_what_a_licence_forbids(spelling, access, forbidden):
    assert tuple(use for use in USES if why_not(use, spelling, access)) == forbidden


def test_what_a_licence_asks_for():
    asks = " ".join(licence_of("CC BY-NC-SA 4.0").asks)
    assert "name the authors" in asks and "no commercial use" in asks and "same licence" in asks
    assert licence_of("CC BY-NC-SA 3.0").url.endswith("by-nc-sa/3.0/")


@pytest.mark.parametrize(
    ("words", "id"),
    [
        ("CC BY", "CC-BY"),
        (" cc  by-nc-sa ", "CC-BY-NC-SA"),
        ("CC BY-NC-ND 4.0", "CC-BY-NC-ND-4.0"),
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc/3.0/", "CC-BY-NC-3.0"),
        ("CC0", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("NO-CC CODE", "NOASSERTION"),
        ("CC BY, except Figure 2", "NOASSERTION"),
        ("", "NOASSERTION"),
    ],
)
def test_licences_as_articles_spell_them(words, id):
    assert licence_of(words).id == id


@pytest.mark.parametrize(
    ("licence", "forbids"),
    [
        ("CC-BY-ND-4.0", True),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/", True),
        ("Attribution-NoDerivs", True),
        ("cc_by_ncnd", True),
        ("LicenseRef-PhysioNet-Credentialed", False),
        ("CC-BY-NC-SA-4.0", False),
        ("CC0-1.0", False),
        ("unfounded and odd", False),
        ("", False),
    ],
)
def test_which_licences_forbid_derivatives(licence, forbids):
    assert forbids_derivatives(licence) is forbids

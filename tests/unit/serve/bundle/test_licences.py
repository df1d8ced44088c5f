"""What is installed by default carries no GPL; `extras` that do are asked for by name."""

import tomllib

import pytest
from house_source import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from osler.serve.bundle.licences import installed_closure, is_gpl, licence_of

DEFAULT = ("serve", "bundle", "train", "report", "endpoint", "metrics", "dicom")


@pytest.mark.parametrize(
    ("licence", "gpl"),
    [
        ("GPL-3.0-only", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("GNU Affero General Public License v3", True),
        ("AGPL-3.0-or-later", True),
        ("GPL-2.0-or-later", True),
        ("MIT AND GPL-3.0-only", True),
        ("GPLv3", True),
        ("LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("MIT OR GPL-3.0-only", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("BSD-3-Clause AND (GPL-3.0-or-later WITH GCC-exception-3.1)", False),
        ("MPL-2.0", False),
        ("not stated", False),
    ],
)
def test_what_is_under_the_gpl(licence, gpl):
    assert is_gpl(licence) is gpl


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License-Expression": ["MIT"], "License": ["BSD"]}, "MIT"),
        ({"License": ["BSD"]}, "BSD"),
        ({"License": ["line\nline"], "Classifier": ["License :: OSI Approved :: MIT License"]}, "MIT License"),
        ({"License": ["UNKNOWN"], "Classifier": ["Topic :: x"]}, "not stated"),
    ],
)
def test_where_a_licence_is_stated(fields, licence):
    assert licence_of(fields.get) == licence


def test_the_default_install_and_that_of_a_service_hold_nothing_under_the_gpl():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in DEFAULT for each in project["optional-dependencies"][extra]),
    ]
    found = {canonicalize_name(each.name): licence_of(each.metadata.get_all) for each in installed_closure(wanted)}
    assert {canonicalize_name(Requirement(each).name) for each in wanted} - found.keys() == set()
    assert len(found) > 40
    assert {name: licence for name, licence in found.items() if is_gpl(licence)} == {}
    assert {name for name, licence in found.items() if licence == "not stated"} == set()

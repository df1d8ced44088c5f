"""Licence: what the terms of a dataset or of one of its rows permit, whatever way they are spelled.

What is not known permits nothing: silence is no licence. The table is a reading of each licence's text for one
question, whether a set may go into a mix, and no legal advice.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, get_args

from osler.schema.sample import Access

Use = Literal["research", "commercial", "redistribute"]
Permission = Literal["research", "commercial", "redistribute", "derivatives"]
USES: Final[tuple[str, ...]] = get_args(Use)

PER_ITEM: Final = "per-item"
UNKNOWN: Final = "NOASSERTION"


@dataclass(frozen=True)
class Licence:
    """The terms under one id.

    id: an SPDX id where one exists, `per-item` where each row has its own, NOASSERTION where nothing is known.
    permits: `derivatives` is passing on what was made from it.
    asks: what those who use it must do, as short clauses.
    url: its text.
    """

    id: str
    name: str
    permits: frozenset[Permission] = frozenset()
    asks: tuple[str, ...] = ()
    url: str = ""

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the terms; `per-item` is known of each row only."""
        return self.id not in (UNKNOWN, PER_ITEM)


_ALL: Final[frozenset[Permission]] = frozenset(get_args(Permission))
_CREDIT = "name the authors and the licence, and say what was changed"
_ALIKE = "pass on what is made from it under the same licence"
_NO_MONEY = "no commercial use"
_UNCHANGED = "pass it on unchanged only"
_NOTICE = "keep the copyright notice and the licence's text"
_CC = "https://creativecommons.org/licenses/"

_CC_TERMS: Final[dict[str, tuple[frozenset[Permission], tuple[str, ...]]]] = {
    "by": (_ALL, (_CREDIT,)),
    "by-sa": (_ALL, (_CREDIT, _ALIKE)),
    "by-nd": (_ALL - {"derivatives"}, (_CREDIT, _UNCHANGED)),
    "by-nc": (_ALL - {"commercial"}, (_CREDIT, _NO_MONEY)),
    "by-nc-sa": (_ALL - {"commercial"}, (_CREDIT, _NO_MONEY, _ALIKE)),
    "by-nc-nd": (_ALL - {"commercial", "derivatives"}, (_CREDIT, _NO_MONEY, _UNCHANGED)),
}

_CREDENTIALED = Licence(
    "LicenseRef-PhysioNet-Credentialed",
    "PhysioNet Credentialed Health Data License",
    frozenset({"research"}),
    ("a credentialed account of your own and a signed data use agreement", "no sharing, outside services included"),
    "https://physionet.org/about/licenses/physionet-credentialed-health-data-license-150/",
)
_REQUEST = Licence(
    "LicenseRef-Request-Form",
    "terms of the owners' request form",
    frozenset({"research"}),
    ("a request of your own to the owners", "no sharing"),
)
_PUBLIC = Licence("LicenseRef-Public-Domain", "public domain", _ALL)
_CC0 = Licence("CC0-1.0", "Creative Commons Zero 1.0", _ALL, (), "https://creativecommons.org/publicdomain/zero/1.0/")
_RAIL = Licence(
    "LicenseRef-OpenRAIL",
    "Open RAIL",
    _ALL,
    ("pass on its restrictions of use with everything made from it", _NOTICE),
    "https://www.licenses.ai/",
)
_SPDX = "https://spdx.org/licenses/"
_PLAIN: Final[tuple[Licence, ...]] = (
    _CC0,
    Licence("MIT", "MIT License", _ALL, (_NOTICE,), f"{_SPDX}MIT.html"),
    Licence("Apache-2.0", "Apache License 2.0", _ALL, (_NOTICE, "say what was changed"), f"{_SPDX}Apache-2.0.html"),
    Licence("BSD-3-Clause", "BSD 3-Clause License", _ALL, (_NOTICE,), f"{_SPDX}BSD-3-Clause.html"),
    Licence("GPL-3.0-only", "GNU General Public License 3.0", _ALL, (_NOTICE, _ALIKE), f"{_SPDX}GPL-3.0-only.html"),
    Licence("ODC-By-1.0", "Open Data Commons Attribution 1.0", _ALL, (_CREDIT,), f"{_SPDX}ODC-By-1.0.html"),
    Licence("CDLA-Permissive-1.0", "Community Data License Agreement, permissive 1.0", _ALL, (_NOTICE,)),
    Licence(
        "LicenseRef-NIH-ChestXray14",
        "terms of NIH's ChestX-ray14",
        _ALL,
        ("link to the place of download", "cite the paper of 2017", "name the NIH Clinical Center as the provider"),
        "https://nihcc.app.box.com/v/ChestXray-NIHCC",
    ),
)
_SEVERAL = Licence(PER_ITEM, "each row has its own")
_NOTHING = Licence(UNKNOWN, "not known", asks=("find out the terms before any use",))

# Spellings by what is left of them once case, spaces and punctuation are gone.
_SPELLINGS: Final[dict[str, Licence]] = {
    **{re.sub(r"[^a-z0-9]", "", licence.id.lower()): licence for licence in _PLAIN},
    "mitlicense": _PLAIN[1],
    "themitlicense": _PLAIN[1],
    "apache2": _PLAIN[2],
    "apachelicense20": _PLAIN[2],
    "bsd3": _PLAIN[3],
    "cc0": _CC0,
    "cczero": _CC0,
    "publicdomain": _PUBLIC,
    "pd": _PUBLIC,
    "uspd": _PUBLIC,
    "licenserefpublicdomain": _PUBLIC,
    "openrail": _RAIL,
    "peritem": _SEVERAL,
    "requestform": _REQUEST,
    "licenserefrequestform": _REQUEST,
}
# `CC BY-NC-SA 4.0`, `cc_by_nc_sa`, `https://creativecommons.org/licenses/by-nc-sa/3.0/igo/`, `CC BY 4.0 International`
_CC_SPELLING = re.compile(
    r"(?:cc|creative commons|(?:https?://)?(?:www\.)?creativecommons\.org/licenses/)[\s_/-]*"
    r"(by(?:[\s_-]*nc)?(?:[\s_-]*(?:sa|nd))?)(?![a-z])"
    r"(?:[\s_/v-]*(\d\.\d)(?:[\s/_-]*\(?(?:international|unported|igo|[a-z]{2})\)?)?)?[\s_-]*(?:licen[cs]e)?(?:/(?:deed|legalcode)[.a-z]*)?/?"
)
_NO_DERIVATIVES = re.compile(r"(?<![a-z])nd(?![a-z])|no[- ]?deriv", re.IGNORECASE)
_CC_WORDS: Final = (
    ("attribution", "by"),
    ("noncommercial", "nc"),
    ("non-commercial", "nc"),
    ("sharealike", "sa"),
    ("share-alike", "sa"),
    ("noderivatives", "nd"),
    ("noderivs", "nd"),
)


@lru_cache(maxsize=4096)  # rows state few licences, and each of them often
def licence_of(spelling: str) -> Licence:
    """The licence that a dataset's card or a row's column means by `spelling`.

    Versions of a Creative Commons licence are kept in the id where they are said (`CC-BY-NC-4.0`, `CC-BY-NC`). What
    matches nothing in full is NOASSERTION, which permits nothing: "CC BY, except figures" is not CC BY.
    """
    words = " ".join(spelling.lower().split())
    if re.search(r"creativecommons\.org/publicdomain/(zero|mark)/", words):
        return _CC0 if "/zero/" in words else _PUBLIC
    if found := _SPELLINGS.get(re.sub(r"[^a-z0-9]", "", words)):
        return found
    if "physionet" in words and "open" not in words:
        return _CREDENTIALED
    if "openrail" in words.replace("-", "").replace(" ", ""):
        return _RAIL
    return _creative_commons(words) or _NOTHING


@lru_cache(maxsize=4096)
def forbids_derivatives(spelling: str) -> bool:
    """Whether terms say that nothing may be made from a work, such as a crop: Creative Commons' ND, or words like it.

    Unlike `permits`, this asks for a ban: terms that are not known, or that forbid only passing on, are none.
    """
    return _UNCHANGED in licence_of(spelling).asks or _NO_DERIVATIVES.search(spelling) is not None


@lru_cache(maxsize=4096)
def why_not(use: str, spelling: str, access: Access = "open") -> str:
    """Why terms forbid a use, in a clause; "" where they do not.

    Passing on needs `derivatives` too, since a store holds the published rows in other words and another layout.
    `per-item` forbids nothing here: its rows are asked one by one.
    """
    if use == "redistribute" and access != "open":
        return f"{access} access: nobody may pass it on"
    licence = licence_of(spelling)
    if licence.id == PER_ITEM:
        return ""
    if licence.id == UNKNOWN:
        shown = spelling.strip() or UNKNOWN
        return f"licence {shown} is not known to permit anything"
    needed = {"redistribute", "derivatives"} if use == "redistribute" else {use}
    missing = sorted(needed - licence.permits)
    return f"licence {licence.id} does not permit {' or '.join(missing)}" if missing else ""


def _creative_commons(words: str) -> Licence | None:
    plain = words
    if "attribution" in words:
        for long, short in _CC_WORDS:
            plain = plain.replace(long, short)
    found = _CC_SPELLING.fullmatch(plain.strip())
    if found is None:
        return None
    kind = "-".join(re.findall(r"by|nc|sa|nd", found[1]))
    permits, asks = _CC_TERMS[kind]
    version = found[2] or ""
    id = f"CC-{kind.upper()}" + (f"-{version}" if version else "")
    name = f"Creative Commons {kind.upper()}" + (f" {version}" if version else "")
    return Licence(id, name, permits, asks, f"{_CC}{kind}/{version or '4.0'}/")

"""Bytes to an XML tree, for files from anywhere: nothing is fetched, nothing expanded, nothing grows without bound."""

import re
from html.entities import html5
from pathlib import Path
from typing import Any

from osler.core.errors import InputError

MAX_BYTES = 32_000_000
_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "utf-16"})
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']+)["']""")
# An entity of the file's own is refused before a parser sees it, in each byte order that `_ENCODINGS` admits.
_ENTITY = tuple("<!ENTITY".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))


def read_tree(path: Path) -> Any:
    """The root element of an XML file of at most MAX_BYTES.

    Raises:
        InputError: the file is too large, not well-formed, or declares entities; the message begins with its kind.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"too large: {size:,} bytes", expected=f"at most {MAX_BYTES:,}")
    return parse_tree(path.read_bytes())


def parse_tree(data: bytes) -> Any:
    """The root element of `data`, without comments and processing instructions.

    Characters by name (`&nbsp;`) mean what they mean in HTML, as the DTD that declares them is not read.

    Raises:
        InputError: as `read_tree`.
    """
    etree = xml_library()
    if len(data) > MAX_BYTES:
        raise InputError(f"too large: {len(data):,} bytes", expected=f"at most {MAX_BYTES:,}")
    declared = _DECLARED.match(data[:200].removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].decode("latin-1").lower() not in _ENCODINGS:
        raise InputError(f"encoding: {declared[1].decode('latin-1')} is not read")
    if any(mark in data for mark in _ENTITY):
        raise InputError("entities: the file declares entities of its own, which are never expanded")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"broken XML: {' '.join(str(error.msg).split())}") from error
    for reference in list(root.iter(etree.Entity)):
        _put_character(reference)
    return root


def xml_library() -> Any:
    """The module `lxml.etree`. Raises InputError that names the extra, where it is not installed."""
    try:
        from lxml import etree
    except ImportError as error:
        raise InputError("JATS articles need the package lxml", fix="pip install 'osler[curate]'") from error
    return etree


def _put_character(reference: Any) -> None:
    character = html5.get(f"{reference.name};")
    if character is None:
        raise InputError(f"entities: &{reference.name}; is not known")
    before, parent = reference.getprevious(), reference.getparent()
    words = character + (reference.tail or "")
    if before is None:
        parent.text = (parent.text or "") + words
    else:
        before.tail = (before.tail or "") + words
    reference.tail = None
    parent.remove(reference)


def without_namespace(root: Any) -> Any:
    """`root` and what is below it with plain names: JATS has no namespace, but some archives put it into one."""
    if not root.tag.startswith("{"):
        return root
    prefix = root.tag.partition("}")[0] + "}"
    for element in root.iter(f"{prefix}*"):
        element.tag = element.tag.removeprefix(prefix)
    return root

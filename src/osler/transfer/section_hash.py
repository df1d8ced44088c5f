"""The hash under which a section's numbers are measured: the protocol's, and the section's own settings."""

from collections.abc import Mapping
from typing import Any

from osler.core.files import sha256_json
from osler.transfer.protocol import Protocol, protocol_sha256


def section_sha256(protocol: Protocol, section: str, settings: Mapping[str, Any]) -> str:
    """Equal for numbers that may stand in one table. `settings` leave out whom and which sets to measure."""
    return sha256_json({"protocol": protocol_sha256(protocol), "section": section, "settings": dict(settings)})

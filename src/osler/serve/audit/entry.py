"""Entry: one line of the trail, signed. It names the hash of the line before, and so is bound to all lines before."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, get_args

from osler.serve.event import Event, Phase
from osler.serve.signature import PublicKey, Signer

FIRST = "0" * 64
"""What stands for the hash before the first entry."""

_ABOUT = b"osler audit entry 1\n"
_LINE = re.compile(rb'\{"seq":([1-9]\d{0,17}),"prev":"([0-9a-f]{64})","event":\{.*\},"signature":"([0-9a-f]{128})"\}')
_SIGNATURE_BYTES = len(b',"signature":""}') + 128
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_CHARS = 300
_MAX_IMAGES = 1000


class Entry(NamedTuple):
    """A line, read. hash: of the whole line."""

    seq: int
    prev: str
    hash: str
    line: bytes

    def is_signed(self, public: PublicKey) -> bool:
        """Whether the service wrote exactly this. Takes far longer than the hash; a chain needs it of its end only."""
        if _LINE.fullmatch(self.line) is None:
            return False
        body = self.line[:-_SIGNATURE_BYTES] + b"}"
        return public.vouches(bytes.fromhex(self.line[-130:-2].decode("ascii")), _ABOUT + body)


def line_of(seq: int, prev: str, *, event: Mapping[str, Any], signer: Signer) -> tuple[bytes, str]:
    """The line of an event with its newline, and its hash."""
    body = json.dumps({"seq": seq, "prev": prev, "event": event}, separators=(",", ":"), allow_nan=False).encode()
    line = body[:-1] + b',"signature":"' + signer.sign(_ABOUT + body).hex().encode() + b'"}'
    return line + b"\n", hashlib.sha256(line).hexdigest()


def entry_of(line: bytes) -> Entry | None:
    """What a line (without its newline) says; None where it is no entry."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    return Entry(int(found[1]), found[2].decode(), hashlib.sha256(line).hexdigest(), line)


def next_entry(line: bytes, last: Entry) -> Entry | None:
    """The line as the entry that follows `last`; None where it is not. Nine lines of ten need no more than this.

    What stands behind its first two fields is bound by its own hash, which the line after it names.
    """
    seq = last.seq + 1
    if not line.startswith(b'{"seq":%d,"prev":"%b","event":{' % (seq, last.hash.encode())):
        return None
    return Entry(seq, last.hash, hashlib.sha256(line).hexdigest(), line)


def event_in(line: bytes) -> dict[str, Any]:
    """The event of a line that is an entry."""
    event: dict[str, Any] = json.loads(line)["event"]
    return event


def record_of(event: Event) -> dict[str, Any]:
    """The event as it is written: fields that say nothing are left out, a name that is none is its SHA-256.

    Raises:
        ValueError: a field holds something else than it should, such as words in place of a digest.
    """
    if event.phase not in get_args(Phase):
        raise ValueError("an event's phase is unknown")
    digests = [digest for digest in (event.prompt_hmac, event.bundle_sha256, *event.image_hmacs) if digest]
    if len(event.image_hmacs) > _MAX_IMAGES or not all(_DIGEST.fullmatch(digest) for digest in digests):
        raise ValueError("an event's digest is none")
    if datetime.fromisoformat(event.when).tzinfo is None:
        raise ValueError("an event's time has no zone")
    for words in (event.route, event.request_id, event.model):
        if len(words) > _MAX_CHARS or not words.isprintable():
            raise ValueError("a field of an event is too long for a name")
    if any(type(number) is not int or not name.isidentifier() for name, number in event.counts.items()):
        raise ValueError("an event counts something that is no number")
    fields = {
        **vars(event),
        "who": _name(event.who),
        "image_hmacs": list(event.image_hmacs),
        "counts": dict(sorted(event.counts.items())),
    }
    return {name: value for name, value in fields.items() if value not in ("", 0, [], {})}


def _name(who: str) -> str:
    """A provider's tokens may name their bearer in any way, and an odd one must not stop other people's requests."""
    if len(who) <= _MAX_CHARS and who.isprintable():
        return who
    return f"sha256:{hashlib.sha256(who.encode('utf-8', errors='surrogatepass')).hexdigest()}"

"""Event: what the audit trail is told of a request. Never a word of the prompt, the answer or a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["asked", "answered", "refused"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the trail.

    phase: `asked` is written before work begins, `answered` when it has ended, `refused` where no work was done.
    who: the key's id, `oidc:` and the subject of a token, or `ae:` and the title of a DICOM application; "" for a
        request without a valid key.
    when: in UTC, as ISO 8601. route: as `POST /v1/chat/completions`, or `C-STORE`; a path of no route is never written.
    request_id: the same in every phase; the client sees it as `X-Request-Id`.
    model, bundle_sha256: which weights answered, as the server was started with.
    prompt_hmac, image_hmacs: HMAC-SHA256 with the site's key, so that nobody without it can try guesses.
    status: of the HTTP answer; 0 while there is none.
    counts: numbers of images, tokens, bytes, milliseconds; `dicom_status` of an object that came by C-STORE.
    """

    phase: Phase
    who: str
    when: str
    route: str
    request_id: str
    model: str = ""
    bundle_sha256: str = ""
    prompt_hmac: str = ""
    image_hmacs: tuple[str, ...] = ()
    status: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


Audit = Callable[[Sequence[Event]], None]
"""Writes events durably, in their order, before it returns; any error refuses their requests with 503.

The gateway calls it with all events that came while it was at work: one wait for the disk serves them all. Receivers of
studies call it from threads of their own, so it takes its callers one after another.
"""

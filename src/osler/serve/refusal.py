"""Refusal: why a request gets no answer, in the form that clients of OpenAI's interface read."""

import math
from typing import Any

from osler.core.errors import OslerError

_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class Refusal(OslerError):
    """A request that is not answered.

    Args:
        status: of the HTTP answer.
        message: for the client. It names fields and limits and holds nothing that the client sent.
        code: a short name of the reason, the same for every case of it.
        param: the field at fault, one of those that the interface knows.
        retry_after_s: when the same request may be answered.
    """

    def __init__(
        self, status: int, message: str, *, code: str, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param, self.retry_after_s = status, code, param, retry_after_s

    def body(self) -> dict[str, Any]:
        """The JSON that the client gets."""
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """`Retry-After` in whole seconds, and how to show a key where none was shown."""
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="osler", Basic realm="osler"'
        return headers

"""Tokens of an OpenID Connect provider: a person's roles become scopes. No token is ever sent anywhere."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.serve.config import OidcConfig
from osler.serve.keys import Visitor

# Signatures with a key pair only: with HS256 the provider's public key would serve as a shared secret.
_ALGORITHMS = ["RS256", "ES256"]
_LEEWAY_S = 30
_FETCH_TIMEOUT_S = 5.0
_FRESH_S = 300.0
_MAX_JWKS_BYTES = 1 << 20
_LONGEST_TOKEN = 16384


class Tokens:
    """Reads tokens.

    Args:
        issuer, audience: what a token must name; it must have an end (`exp`) and a subject (`sub`), too.
        jwks: the provider's keys: a file, read at the start, or an https address, asked when a token names a key that
            is not known, at most every five minutes and only for that.
        roles_claim: the claim with a person's roles; dots lead inwards, as in `realm_access.roles`.
        roles: the scopes of each role.
    """

    def __init__(
        self, issuer: str, audience: str, *, jwks: str, roles_claim: str, roles: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._issuer, self._audience, self._jwks = issuer, audience, jwks
        self._claim, self._roles = roles_claim.split("."), roles
        self._lock, self._asked = threading.Lock(), -_FRESH_S
        self._keys: dict[str, Any] = {}
        self._is_remote = jwks.startswith("https://")
        if jwks.startswith("http://"):
            raise InputError("the provider's keys must come over https, or from a file", got="an http address")
        if not self._is_remote:
            self._keys = _keys_by_id(read_json(Path(jwks)), jwks)

    def visitor(self, token: str) -> Visitor | None:
        """Whose token this is; None where it is not valid, is not for this service or brings no role."""
        try:
            if len(token) > _LONGEST_TOKEN:
                return None
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims = jwt.decode(
                token, key, algorithms=_ALGORITHMS, issuer=self._issuer, audience=self._audience, leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            return None
        scopes = frozenset(scope for role in self._names(claims) for scope in self._roles.get(role, ()))
        return Visitor(f"oidc:{claims['sub']}"[:200], scopes) if scopes else None

    def _names(self, claims: Any) -> list[str]:
        found = claims
        for part in self._claim:
            found = found.get(part) if isinstance(found, dict) else None
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []

    def _key(self, name: str) -> Any:
        with self._lock:
            if name not in self._keys and self._is_remote and time.monotonic() - self._asked >= _FRESH_S:
                self._asked = time.monotonic()
                self._keys = _keys_by_id(_fetched(self._jwks), self._jwks)
            return self._keys[name]


def open_tokens(config: OidcConfig) -> Tokens:
    """As the recipe says. Raises InputError where the file of keys is none."""
    return Tokens(
        config.issuer, config.audience, jwks=config.jwks, roles_claim=config.roles_claim, roles=dict(config.roles)
    )


def _keys_by_id(value: Any, where: str) -> dict[str, Any]:
    """The keys for signatures, by their id; a shared secret is none."""
    try:
        keys = jwt.PyJWKSet.from_dict(value).keys
    except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{where} holds no JSON web keys", expected='{"keys": [...]}') from error
    found = {key.key_id: key for key in keys if key.key_id and key.algorithm_name in _ALGORITHMS}
    if not found:
        raise InputError(
            f"{where} holds no key that signs", expected=f"keys for {' or '.join(_ALGORITHMS)}, with a kid"
        )
    return found


def _fetched(url: str) -> Any:
    import json

    import httpx2

    try:
        with httpx2.Client(timeout=_FETCH_TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            reply = client.get(url)
        if reply.status_code != 200 or len(reply.content) > _MAX_JWKS_BYTES:
            raise InputError(f"{url} gives no keys", got=f"status {reply.status_code}")
        return json.loads(reply.content)
    except (httpx2.HTTPError, ValueError) as error:
        raise InputError(f"{url} gives no keys") from error

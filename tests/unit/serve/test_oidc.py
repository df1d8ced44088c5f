import base64
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from osler.core.errors import InputError
from osler.serve.oidc import Tokens

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def tokens(tmp_path):
    keys = [
        {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "r", "alg": "RS256"},
        {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "e", "alg": "ES256"},
    ]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": keys}))
    roles = {"reader": ("chat", "study"), "watch": ("metrics",)}
    return Tokens("https://id", "osler", jwks=str(path), roles_claim="realm.roles", roles=roles)


def token(key=RSA, alg="RS256", kid="r", **changes):
    claims = {"iss": "https://id", "aud": "osler", "sub": "u1", "exp": time.time() + 60, "realm": {"roles": ["reader"]}}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid})


def test_roles_become_scopes(tokens):
    visitor = tokens.visitor(token())
    assert (visitor.who, visitor.scopes) == ("oidc:u1", {"chat", "study"})
    assert tokens.visitor(token(EC, "ES256", "e", realm={"roles": ["watch", "x"]})).scopes == {"metrics"}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other"}, {"aud": "other"}, {"exp": 1}, {"exp": None}, {"sub": None}, {"aud": None},
        {"realm": {"roles": ["none"]}}, {"realm": "reader"}, {"realm": None}, {"nbf": time.time() + 900},
    ],
)  # fmt: skip
def test_other_claims_are_refused(tokens, changes):
    assert tokens.visitor(token(**changes)) is None


def spelled(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(claims, alg="none"):
    return ".".join(spelled(json.dumps(part).encode()) for part in ({"alg": alg, "kid": "r"}, claims)) + "."


def test_other_signatures_are_refused(tokens):
    public = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": "https://id", "aud": "osler", "sub": "u1", "exp": time.time() + 60, "realm": {"roles": ["reader"]}}
    head = unsigned(claims, alg="HS256")[:-1]
    forged = f"{head}.{spelled(hmac.digest(public, head.encode(), 'sha256'))}"
    cut = token()[:-9] + "AAAAAAAAA"
    others = [token(OTHER), token(kid="x"), token(kid="e"), token(kid="")]
    for bad in (*others, forged, unsigned(claims), cut, "a.b.c", "..", "x" * 20000):
        assert tokens.visitor(bad) is None


@pytest.mark.parametrize("content", ['{"keys": []}', "{}", '{"keys": [{"kty": "oct", "k": "AAAA", "kid": "s"}]}', "[]"])
def test_a_file_without_public_keys_is_refused(tmp_path, content):
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(InputError):
        Tokens("i", "a", jwks=str(path), roles_claim="r", roles={"x": ("chat",)})


def test_keys_do_not_come_in_clear():
    with pytest.raises(InputError, match="https"):
        Tokens("i", "a", jwks="http://id/jwks", roles_claim="r", roles={"x": ("chat",)})

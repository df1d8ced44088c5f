"""What a recipe of `osler serve` may say."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from osler.core.config import Config
from osler.serve.audit.config import AuditConfig
from osler.serve.keys import Scope
from osler.serve.limits import Limits
from osler.serve.studies.config import StudiesConfig


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class TlsConfig(Config):
    """Certificate (with its chain) and private key, PEM files."""

    certificate: Path
    private_key: Path


class ListenConfig(Config):
    """Where requests come in.

    host: an address of this machine; any but loopback needs `tls` or, where a proxy on this machine or network ends
        TLS, `behind_proxy: true`. port: 0 takes a free one, which the first line of the log tells.
    drain_s: after SIGTERM, how long requests under way may still take.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    tls: TlsConfig | None = None
    behind_proxy: bool = False
    drain_s: PositiveInt = 25

    @model_validator(mode="after")
    def _is_closed_to_others(self) -> Self:
        if not (_is_loopback(self.host) or self.tls or self.behind_proxy):
            raise ValueError(
                "keys and images would cross the network in clear; listen on 127.0.0.1, give tls: {certificate, "
                "private_key}, or say behind_proxy: true where a proxy ends TLS"
            )
        return self


class OidcConfig(Config):
    """Tokens of an OpenID Connect provider, besides keys.

    issuer, audience: what a token must name. jwks: a file with the provider's keys, or their https address.
    roles_claim: the claim that lists a person's roles. roles: the scopes of each role.
    """

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks: str = Field(min_length=1)
    roles_claim: str = "roles"
    roles: dict[str, tuple[Scope, ...]] = Field(min_length=1)


class EmbeddedConfig(Config):
    """The model in this process.

    model: a folder that `osler train` or `osler export` wrote. manifest: the `manifest.json` that lists its files'
        hashes; null takes the one beside the folder. sha256: what the folder's own hash must be; null takes any.
    dtype: `auto` is float32 on a CPU, bfloat16 on a GPU.
    num_slots: requests that are written at once. max_prefill_tokens: prompts that are read at once.
    feature_cache_mib: of pictures' embeddings, kept for further questions about them.
    """

    model: Path
    manifest: Path | None = None
    sha256: str | None = None
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    num_slots: PositiveInt = 16
    max_prefill_tokens: PositiveInt = 16384
    feature_cache_mib: NonNegativeInt = 256


class ExternalConfig(Config):
    """A model behind another server on this machine or network. Its key is read from OSLER_API_KEY.

    kind: `vllm`, `sglang` and `lmdeploy` are asked for their control tokens, which split reasoning from the answer;
        `openai` is any other server of this interface.
    url: such as `http://127.0.0.1:8001/v1`. model: its name there.
    folder: the model as the engine loads it, from which a launch file is written to --out; null writes none.
    timeout_s: without a word from the engine.
    compare_with: the folder of the same model, which answers 32 canary prompts in this process once, to be compared
        with the engine at every start; null skips that. min_agreement: the share of equal first words.
    json_schema: whether the engine holds answers to a JSON schema.
    """

    kind: Literal["vllm", "sglang", "lmdeploy", "openai"]
    url: str = Field(pattern=r"^https?://[^\s/]+")
    model: str = Field(min_length=1)
    folder: Path | None = None
    timeout_s: PositiveFloat = 120.0
    compare_with: Path | None = None
    min_agreement: float = Field(default=0.99, ge=0, le=1)
    json_schema: bool = True


class LimitsConfig(Config):
    """See `osler.serve.limits.Limits`."""

    max_body_bytes: PositiveInt = Limits.max_body_bytes
    body_timeout_s: PositiveFloat = Limits.body_timeout_s
    max_images: PositiveInt = Limits.max_images
    max_pixels: PositiveInt = Limits.max_pixels
    num_decoders: PositiveInt = Limits.num_decoders
    decode_timeout_s: PositiveFloat = Limits.decode_timeout_s
    max_messages: PositiveInt = Limits.max_messages
    max_tokens: PositiveInt = Limits.max_tokens
    default_max_tokens: PositiveInt = Limits.default_max_tokens
    requests_per_minute: PositiveFloat = Limits.requests_per_minute
    burst: PositiveInt = Limits.burst
    max_admitted: PositiveInt = Limits.max_admitted

    def plain(self) -> Limits:
        """The same as plain values."""
        return Limits(**self.model_dump())


_NAME = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$"


class OtherConfig(Config):
    """A further model, such as one to compare with: its name, and its engine."""

    name: str = Field(pattern=_NAME)
    embedded: EmbeddedConfig | None = None
    external: ExternalConfig | None = None

    @model_validator(mode="after")
    def _has_one_engine(self) -> Self:
        _check_one_engine(self.embedded, self.external)
        return self


def _check_one_engine(embedded: EmbeddedConfig | None, external: ExternalConfig | None) -> None:
    if (embedded is None) == (external is None):
        raise ValueError("a model has one engine: either embedded: {model: ...} or external: {kind, url, model}")


class ServeConfig(Config):
    """A service.

    name: of the model, as clients ask for it.
    embedded, external: the engine, one of the two.
    others: further models beside it, of which a request names one.
    page: the reader's page at `/`; its files are served without a key and hold no data.
    keys: file that `osler keys add` makes.
    oidc: null knows keys only.
    min_free_mib: free space under --out without which it does not start: the audit trail is written there.
    studies: DICOM in and drafts out; null has no such routes.
    """

    name: str = Field(default="osler", pattern=_NAME)
    embedded: EmbeddedConfig | None = None
    external: ExternalConfig | None = None
    others: tuple[OtherConfig, ...] = ()
    page: bool = True
    keys: Path
    oidc: OidcConfig | None = None
    listen: ListenConfig = ListenConfig()
    limits: LimitsConfig = LimitsConfig()
    audit: AuditConfig = AuditConfig()
    min_free_mib: NonNegativeInt = 256
    studies: StudiesConfig | None = None

    @model_validator(mode="after")
    def _has_one_engine(self) -> Self:
        _check_one_engine(self.embedded, self.external)
        names = [self.name, *(other.name for other in self.others)]
        if len(set(names)) < len(names):
            raise ValueError(f"models need names of their own; got {', '.join(names)}")
        return self

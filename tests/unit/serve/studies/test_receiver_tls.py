"""The C-STORE service behind TLS: both sides show a certificate that the hospital's authority signed."""

import gc
import ipaddress
import socket
import ssl
import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from identities import dicom_file
from osler.core.errors import InputError
from osler.serve.studies.receiver import Destination, SendError, send
from studies_world import opened

pytest.importorskip("pynetdicom")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _loose_ends():
    """The library's client leaves sockets to the collector that never shook hands."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


class Authority:
    """Signs certificates for 127.0.0.1 and writes them to `folder`."""

    def __init__(self, folder, name):
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.ca = self._write(f"{name}-ca.pem", self._signed(self._subject, self._key.public_key(), is_ca=True))

    def files(self, name):
        """Certificate and private key."""
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signed = self._write(f"{name}.pem", self._signed(subject, key.public_key(), is_ca=False))
        path = self._folder / f"{name}.key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return signed, path

    def _signed(self, subject, public_key, *, is_ca):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        now = datetime.now(UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        about_key = x509.SubjectKeyIdentifier.from_public_key(public_key)
        about_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        usage = x509.KeyUsage(
            digital_signature=not is_ca, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=is_ca, crl_sign=is_ca, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(here, critical=False).add_extension(about_key, critical=False)
            .add_extension(about_issuer, critical=False).add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )  # fmt: skip

    def _write(self, name, certificate):
        from cryptography.hazmat.primitives.serialization import Encoding

        path = self._folder / name
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return path


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("hospital"), "hospital")


@pytest.fixture(scope="module")
def house(hospital, tmp_path_factory):
    certificate, key = hospital.files("osler")
    tls = {"certificate": str(certificate), "key": str(key), "ca": str(hospital.ca)}
    house = opened(
        keep={"folder": str(tmp_path_factory.mktemp("house") / "kept"), "hours": 1},
        receive={"callers": ["CT1"], "host": "0.0.0.0", "port": 0, **tls},
    )
    yield house
    house.close()


@pytest.fixture(scope="module")
def to(house, hospital):
    """The house, as a modality with a certificate knows it."""
    certificate, key = hospital.files("ct1")
    return Destination(
        name="osler", host="127.0.0.1", port=house.receiver.port, ae_title="OSLER", our_title="CT1", timeout_s=5,
        certificate=certificate, key=key, ca=hospital.ca,
    )  # fmt: skip


def num_kept(house):
    return len(list(house.studies.keep.folder.rglob("*.dcm")))


def test_a_modality_with_a_certificate_is_heard(house, to):
    before = num_kept(house)
    send([dicom_file(1), dicom_file(2)], to)
    assert num_kept(house) == before + 2


def test_who_shows_no_certificate_or_another_authoritys_is_not(house, to, tmp_path):
    before = num_kept(house)
    stranger, key = Authority(tmp_path, "stranger").files("ct1")
    for wrong in (
        replace(to, certificate=None, key=None),
        replace(to, certificate=stranger, key=key),
        replace(to, certificate=None, key=None, ca=None),
    ):
        with pytest.raises(SendError, match="does not talk to us"):
            send([dicom_file(3)], wrong)
    assert num_kept(house) == before


def test_a_destination_that_is_not_whom_the_authority_named_gets_nothing(house, to, tmp_path):
    with pytest.raises(SendError, match="does not talk to us"):
        send([dicom_file(4)], replace(to, ca=Authority(tmp_path, "stranger").ca))
    with pytest.raises(InputError, match=r"TLS files of studies.destinations.osler cannot be used"):
        send([dicom_file(4)], replace(to, ca=to.key))


def test_who_never_shakes_hands_keeps_nobody_waiting(house, to):
    with socket.create_connection(("127.0.0.1", house.receiver.port), timeout=10):
        start = time.monotonic()
        send([dicom_file(5)], to)
        assert time.monotonic() - start < 3


def test_versions_of_tls_with_holes_are_refused(house, hospital, to):
    context = ssl.create_default_context(cafile=str(hospital.ca))
    context.load_cert_chain(to.certificate, to.key)
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", house.receiver.port), timeout=10) as line,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(line, server_hostname="127.0.0.1")


def test_a_destination_that_says_nothing_is_not_waited_for(to):
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(SendError, match="does not talk to us"):
        send([dicom_file(6)], replace(to, port=mute.getsockname()[1], timeout_s=0.3))


def test_files_that_are_no_certificates_are_said_at_the_start(hospital, tmp_path):
    certificate, key = hospital.files("other")
    (tmp_path / "words").write_text("no certificate")
    for files in (
        {"certificate": tmp_path / "words", "key": key, "ca": hospital.ca},
        {"certificate": certificate, "key": hospital.files("third")[1], "ca": hospital.ca},
        {"certificate": certificate, "key": key, "ca": tmp_path / "words"},
    ):
        receive = {"callers": ["CT1"], "port": 0, **{name: str(path) for name, path in files.items()}}
        with pytest.raises(InputError, match=r"TLS files of studies.receive cannot be used"):
            opened(keep={"folder": str(tmp_path / "kept"), "hours": 1}, receive=receive)

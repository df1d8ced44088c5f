"""The C-STORE service, asked by a client of the same library over loopback."""

import gc
import io
import logging
import socket
import time
import warnings

import pydicom
import pytest

from identities import dicom_file
from osler.core.errors import InputError
from osler.serve.studies.receiver import Destination, Listen, Receiver, SendError, send
from osler.serve.trail import Recorder
from studies_world import opened

network = pytest.importorskip("pynetdicom")


@pytest.fixture(autouse=True)
def _loose_ends():
    """The library's client leaves the sockets to the collector whose other side was the first to close."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house") / "kept"
    house = opened(
        keep={"folder": str(folder), "hours": 1},
        receive={"ae_title": "OSLER", "callers": ["CT1"], "port": 0, "max_instance_mb": 1, "per_minute": 600},
    )
    yield house
    house.close()


def sent(house, data, *, calling="CT1", called="OSLER"):
    dataset = pydicom.dcmread(io.BytesIO(data))
    entity = network.AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", house.receiver.port, ae_title=called)
    if not association.is_established:
        return "rejected"
    try:
        return association.send_c_store(dataset).get("Status", "cut")
    finally:
        association.release()


def kept(house):
    return sorted(house.studies.keep.folder.rglob("*.dcm"))


def test_an_object_is_kept_clean_under_its_hash(house):
    assert sent(house, dicom_file(7)) == 0x0000
    (path,) = kept(house)
    clean = pydicom.dcmread(path)
    assert clean.PatientIdentityRemoved == "YES" and str(clean.PatientName).startswith("p-")
    assert len(path.stem) == 64 and path.parent.name.startswith("s-")
    assert house.receiver.tally.taken == 1
    house.studies.keep.forget(path.parent.name)


@pytest.mark.parametrize(("calling", "called"), [("CT2", "OSLER"), ("CT1", "ANY")])
def test_who_is_not_named_is_not_heard(house, calling, called):
    assert sent(house, dicom_file(), calling=calling, called=called) == "rejected"
    assert kept(house) == []


@pytest.mark.parametrize("uid", ["../../../../tmp/x", "/etc/passwd", "1.2/../../x", "x" * 60])
def test_a_uid_that_is_a_path_is_no_path_here(house, uid, tmp_path):
    """CVE-2026-56445: a sender's UID became a file name."""
    data = dicom_file(SOPInstanceUID=uid, StudyInstanceUID=uid, SeriesInstanceUID=uid)
    status = sent(house, data)
    for path in kept(house):
        assert path.is_relative_to(house.studies.keep.folder) and len(path.stem) == 64
        house.studies.keep.forget(path.parent.name)
    assert status in {0x0000, 0xC000, 0xA900, "cut", "rejected"}


def test_what_holds_no_picture_is_not_for_us(house):
    dataset = pydicom.dcmread(io.BytesIO(dicom_file()))
    del dataset.PixelData
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    assert sent(house, buffer.getvalue()) == 0xA900
    assert kept(house) == []


def test_an_object_beyond_the_limit_is_cut_off_while_it_comes(house):
    import numpy as np

    before = house.receiver.tally.refused
    assert sent(house, dicom_file(pixels=np.zeros((1500, 1500), "uint16"))) == "cut"
    assert house.receiver.tally.refused == before + 1 and kept(house) == []
    assert sent(house, dicom_file(8)) == 0x0000
    house.studies.keep.forget(kept(house)[0].parent.name)


def test_who_sends_too_fast_is_told_to_wait(tmp_path):
    house = opened(
        keep={"folder": str(tmp_path / "kept"), "hours": 1}, receive={"callers": ["CT1"], "port": 0, "per_minute": 1}
    )
    try:
        assert [sent(house, dicom_file(n)) for n in range(2)] == [0x0000, 0xA700]
    finally:
        house.close()


def test_a_greeting_without_an_end_is_cut_off_before_it_fills_the_memory(house):
    before = house.receiver.tally.refused
    with socket.create_connection(("127.0.0.1", house.receiver.port), timeout=60) as line:
        line.sendall(b"\x01\x00\xff\xff\xff\xff")
        line.settimeout(60)
        assert line.recv(1) == b""
    assert house.receiver.tally.refused == before + 1


def test_a_caller_from_elsewhere_is_not_heard(tmp_path):
    here = {"callers": ["CT1"], "port": 0, "addresses": ["192.0.2.7"]}
    house = opened(keep={"folder": str(tmp_path / "kept"), "hours": 1}, receive=here)
    try:
        assert sent(house, dicom_file()) == "rejected"
    finally:
        house.close()


def test_noise_on_the_port_is_survived(house):
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\xff\xff\xff\xff" + bytes(99), bytes(200)):
        with socket.create_connection(("127.0.0.1", house.receiver.port), timeout=60) as line:
            line.sendall(noise)
            time.sleep(0.05)
    assert sent(house, dicom_file(9)) == 0x0000
    house.studies.keep.forget(kept(house)[0].parent.name)


def test_names_of_patients_are_not_logged(house, caplog):
    with caplog.at_level(logging.DEBUG):
        sent(house, dicom_file(10))
    assert "DOE" not in caplog.text and "MRN" not in caplog.text
    house.studies.keep.forget(kept(house)[0].parent.name)


def test_a_result_is_sent_to_a_destination(house):
    to = Destination(name="pacs", host="127.0.0.1", port=house.receiver.port, ae_title="OSLER", our_title="CT1")
    send([dicom_file(11)], to)
    assert len(kept(house)) == 1
    house.studies.keep.forget(kept(house)[0].parent.name)
    with pytest.raises(SendError, match="does not talk to us as CT9"):
        send([dicom_file(11)], Destination(**{**vars(to), "our_title": "CT9"}))
    dataset = pydicom.dcmread(io.BytesIO(dicom_file()))
    del dataset.PixelData
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(SendError, match="status A900"):
        send([buffer.getvalue()], to)
    with pytest.raises(InputError, match="has no TLS"):
        send([dicom_file()], Destination(name="pacs", host="192.0.2.1", port=104, ae_title="X"))


def test_an_object_is_entered_in_the_trail_before_it_is_read_and_answered(tmp_path):
    events = []
    recorder = Recorder(events.extend, digest_key=b"site", model="", bundle_sha256="")
    house = opened(
        recorder=recorder, keep={"folder": str(tmp_path / "kept"), "hours": 1},
        receive={"callers": ["CT1"], "port": 0, "per_minute": 1},
    )  # fmt: skip
    try:
        assert [sent(house, dicom_file(n)) for n in range(2)] == [0x0000, 0xA700]
    finally:
        house.close()
    assert [(e.phase, e.who, e.route, e.counts.get("dicom_status")) for e in events] == [
        ("asked", "ae:CT1", "C-STORE", None), ("answered", "ae:CT1", "C-STORE", 0x0000),
        ("asked", "ae:CT1", "C-STORE", None), ("refused", "ae:CT1", "C-STORE", 0xA700),
    ]  # fmt: skip
    assert [len({event.request_id for event in pair}) for pair in (events[:2], events[2:], events)] == [1, 1, 2]
    assert all(len(event.image_hmacs[0]) == 64 and event.counts["bytes_in"] > 1000 for event in events)


@pytest.mark.parametrize("num_written", [0, 1])
def test_what_cannot_be_entered_is_not_taken(tmp_path, num_written):
    left = [None] * num_written

    def full(events):
        left.pop()

    recorder = Recorder(full, digest_key=b"site", model="", bundle_sha256="")
    keep = {"folder": str(tmp_path / "kept"), "hours": 1}
    house = opened(recorder=recorder, keep=keep, receive={"callers": ["CT1"], "port": 0})
    try:
        assert sent(house, dicom_file()) == 0xA700
        assert len(kept(house)) == num_written
    finally:
        house.close()


def test_a_receiver_that_could_not_be_safe_is_not_opened(house):
    with pytest.raises(InputError, match="needs a place to keep"):
        opened(receive={"callers": ["CT1"], "port": 0})
    with pytest.raises(InputError, match="needs TLS"):
        Receiver(house.studies, Listen(ae_title="A", callers=("B",), host="0.0.0.0"))
    with pytest.raises(InputError, match="AE titles"):
        Receiver(house.studies, Listen(ae_title="A", callers=()))
    second = Receiver(house.studies, Listen(ae_title="A", callers=("B",), port=house.receiver.port))
    with pytest.raises(InputError, match="cannot listen on 127.0.0.1"):
        second.open()

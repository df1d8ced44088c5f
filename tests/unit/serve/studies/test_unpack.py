"""Bodies and archives taken apart in memory."""

import pytest

from identities import dicom_file
from osler.serve.studies.refused import Refused
from osler.serve.studies.unpack import Amounts, parts_of
from studies_world import multipart, traversals, zipped

FILE = dicom_file()
SMALL = Amounts(parts=5, inflated_bytes=1 << 20)


def taken(body, kind, amounts=SMALL):
    return parts_of(body, kind, amounts)


def refused(body, kind, amounts=SMALL) -> Refused:
    with pytest.raises(Refused) as found:
        parts_of(body, kind, amounts)
    return found.value


def test_one_file_several_parts_and_archives_are_all_files():
    other = dicom_file(2)
    assert taken(FILE, "application/dicom") == [FILE]
    assert taken(*multipart([FILE, other])) == [FILE, other]
    assert taken(zipped({"a/b": FILE, "c": other}), "application/zip") == [FILE, other]
    assert taken(*multipart([zipped({"a": FILE}), other])) == [FILE, other]
    assert taken(zipped({"a": FILE, "__MACOSX/a": b"x", "DICOMDIR": b"y", ".DS_Store": b"z"}), "application/zip") == [
        FILE
    ]


def test_bytes_of_a_part_are_kept_to_the_last():
    odd = b"\r\n--b0undar\r\n" + bytes(range(256)) + b"\r\n"
    assert taken(*multipart([odd, b""])) == [odd, b""]
    body, kind = multipart([FILE])
    assert taken(body, kind.replace("form-data", 'related; type="application/dicom"')) == [FILE]


def test_an_entry_that_leads_elsewhere_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archives = traversals()
    found = [taken(data, "application/zip") for data in archives]
    assert len(archives) == 20 and all([type(part) for part in parts] == [Refused] for parts in found)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"{}", "application/json", 415, "another type"),
        (b"", "", 415, "another type"),
        (FILE, "multipart/form-data", 422, "without a boundary"),
        (FILE, "multipart/form-data; boundary=x", 422, "cut off"),
        (multipart([FILE])[0][:-9], "multipart/form-data; boundary=b0undary", 422, "cut off"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422, "no file"),
        (zipped({}), "application/zip", 422, "no file"),
        (zipped({"a": FILE})[:-30], "application/zip", 422, "damaged archive"),
        (zipped({str(n): b"" for n in range(6)}), "application/zip", 413, "too many files"),
        (*multipart([b""] * 6), 413, "too many files"),
        (zipped({"a": bytes(2 << 20)}), "application/zip", 413, "too much"),
        (zipped({"a": bytes(600 << 10), "b": bytes(600 << 10)}), "application/zip", 413, "too much"),
        (bytes(2 << 20), "application/dicom", 413, "too much"),
    ],
)
def test_a_body_that_is_none_is_refused(body, kind, status, reason):
    found = refused(body, kind)
    assert found.status == status and reason in found.reason


def test_archives_inside_archives_stay_packed():
    inner = zipped({"a": FILE})
    assert taken(zipped({"inner.zip": inner}), "application/zip") == [inner]


def test_every_byte_of_an_archive_may_be_wrong():
    data = zipped({"a.dcm": FILE[:2000], "b.dcm": FILE[:300]})
    for place in range(0, len(data), 7):
        hurt = bytearray(data)
        hurt[place] ^= 0xFF
        try:
            found = taken(bytes(hurt), "application/zip")
        except Refused:
            continue
        assert len(found) <= 2

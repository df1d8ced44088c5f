"""A client of archives that trusts none of them. A server on loopback plays the archive."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from identities import dicom_file
from osler.core.errors import InputError
from osler.serve.studies.dicomweb import Archive, ArchiveError, DicomWeb, checked_uid, checked_url, read_credentials
from osler.serve.studies.service import related


class Pacs(BaseHTTPRequestHandler):
    """Answers by path."""

    def log_message(self, *args):
        pass

    def _answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        path = self.path.partition("?")[0]
        if path == "/dw/studies":
            row = {
                "0020000D": {"vr": "UI", "Value": ["1.5"]},
                "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOE^J"}]},
            }
            self._answer(200, json.dumps([row]).encode(), content_type="application/dicom+json")
        elif path == "/dw/studies/1.5/metadata":
            self._answer(
                200, b'[{"00080018": {"vr": "UI", "Value": ["1.5.1"]}}]', content_type="application/dicom+json"
            )
        elif path == "/dw/studies/1.5":
            body, kind = related([dicom_file()])
            self._answer(200, body, content_type=kind)
        elif path == "/dw/studies/1.6":
            self._answer(302, location=f"http://127.0.0.1:{self.server.server_port}/dw/studies/1.5")
        elif path == "/dw/studies/1.7":
            self._answer(200, bytes(3 << 20), content_type="multipart/related; boundary=x")
        elif path == "/dw/studies/1.8":
            self._answer(200, b"<html>DOE^JANE", content_type="text/html")
        elif path == "/dw/studies/1.9/metadata":
            self._answer(200, b"[DOE^JANE", content_type="application/dicom+json")
        else:
            self._answer(404, b"no study of DOE^JANE")

    def do_POST(self):
        self.server.seen.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self._answer(200 if self.server.takes else 409, b"{}")


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pacs)
    server.seen, server.takes = [], True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pacs(server):
    server.seen.clear()
    archive = Archive("pacs", f"http://127.0.0.1:{server.server_port}/dw", "ann:secret", None, 5.0, 1 << 20)
    client = DicomWeb(archive)
    yield client
    client.close()


def test_studies_are_searched_headers_and_instances_pulled(pacs, server):
    assert [one.StudyInstanceUID for one in pacs.studies({"PatientID": "M 1"}, limit=500)] == ["1.5"]
    assert [one.SOPInstanceUID for one in pacs.headers("1.5")] == ["1.5.1"]
    body, kind = pacs.study("1.5")
    assert dicom_file() in body and kind.startswith("multipart/related")
    (path, headers), *_ = server.seen
    assert path in {"/dw/studies?PatientID=M+1&limit=100", "/dw/studies?PatientID=M%201&limit=100"}
    assert {k.lower(): v for k, v in headers.items()}["authorization"] == "Basic " + base64.b64encode(
        b"ann:secret"
    ).decode()


def test_a_result_is_stored_or_said_to_be_not(pacs, server):
    pacs.store([dicom_file()])
    assert dicom_file() in server.seen[-1][1]
    server.takes = False
    with pytest.raises(ArchiveError, match="status 409"):
        pacs.store([dicom_file()])
    server.takes = True


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda pacs: pacs.study("1.6"), "elsewhere, which is refused"),
        (lambda pacs: pacs.study("1.7"), "more than 1048576 bytes"),
        (lambda pacs: pacs.study("1.8"), "another type"),
        (lambda pacs: pacs.headers("1.9"), "no DICOM JSON"),
        (lambda pacs: pacs.study("1.1"), "status 404"),
    ],
)
def test_an_answer_that_is_none_is_an_error_without_its_words(pacs, act, message):
    with pytest.raises(ArchiveError, match=message) as failed:
        act(pacs)
    assert "DOE" not in str(failed.value) and "secret" not in str(failed.value)


def test_no_redirect_is_followed(pacs, server):
    with pytest.raises(ArchiveError):
        pacs.study("1.6")
    assert [path for path, _ in server.seen] == ["/dw/studies/1.6"]


def test_an_archive_that_is_not_there_is_said(pacs):
    client = DicomWeb(Archive("pacs", "http://127.0.0.1:9/dw", timeout_s=2.0))
    for act in (lambda: client.study("1.5"), lambda: client.store([b"x"])):
        with pytest.raises(ArchiveError, match="cannot be reached"):
            act()
    client.close()


@pytest.mark.parametrize(
    "query", [{}, {"PatientName": "x"}, {"PatientID": "*"}, {"PatientID": "a&b=c"}, {"AccessionNumber": "x" * 65}]
)
def test_a_search_is_by_known_keys_and_plain_values(pacs, query):
    with pytest.raises(InputError):
        pacs.studies(query)


@pytest.mark.parametrize(
    "uid", ["", "1", "1..2", "../x", "1.2/../..", "1.2?x", "1.02", "1." + "2" * 64, "1.2\n", "１.２"]
)
def test_what_is_no_uid_is_not_asked_for(uid):
    with pytest.raises(InputError) as refused:
        checked_uid(uid)
    assert uid not in str(refused.value) or not uid


@pytest.mark.parametrize(
    "url",
    [
        "http://pacs.hospital/dw",
        "ftp://x/",
        "file:///etc",
        "https://a:b@x/dw",
        "https://x/dw?y=1",
        "https://x/#y",
        "pacs",
        "",
    ],
)
def test_an_address_without_tls_or_with_more_than_a_path_is_refused(url):
    with pytest.raises(InputError):
        checked_url(url)
    assert checked_url("https://pacs.hospital:8443/dw/") == "https://pacs.hospital:8443/dw"


def test_credentials_are_for_their_owner_only(tmp_path):
    path = tmp_path / "pacs"
    path.write_text("ann:secret\n", encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(InputError, match="can be read by others.*chmod 600"):
        read_credentials(path)
    path.chmod(0o600)
    assert read_credentials(path) == "ann:secret"
    path.write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(InputError, match="one line"):
        read_credentials(path)

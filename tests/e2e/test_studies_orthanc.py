"""A hospital's archive: a real Orthanc, asked and answered over DICOMweb and C-STORE in both directions."""

import base64
import io
import json
import shutil
import socket
import subprocess
import time
import urllib.request

import numpy as np
import pydicom
import pytest

from identities import KEY, dicom_file, gradient
from osler.media.deid_residue import Search
from osler.media.image import decode_image
from studies_world import opened, served

pytestmark = pytest.mark.e2e
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
USER, WORD = "osler", "for-this-test"
NUM_FILES = 5
START_S = 60


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    program = shutil.which("Orthanc")
    if program is None or not __import__("pathlib").Path(PLUGIN).exists():
        pytest.skip("Orthanc is not installed (Debian packages orthanc, orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("orthanc")
    web, dicom, ours = free_port(), free_port(), free_port()
    config = {
        "Name": "e2e", "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
        "HttpPort": web, "DicomPort": dicom, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True, "RegisteredUsers": {USER: WORD}, "Plugins": [PLUGIN],
        "DicomModalities": {"osler": {"AET": "OSLER", "Host": "127.0.0.1", "Port": ours}},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "Full", "SeriesMetadata": "Full"},
        "HttpTimeout": 20, "DicomAlwaysAllowStore": True,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(config), encoding="utf-8")
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + START_S
        while not answers(web):
            assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        yield {"web": web, "dicom": dicom, "ours": ours}
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def asked(web: int, path: str, body: bytes | None = None):
    request = urllib.request.Request(f"http://127.0.0.1:{web}{path}", data=body)
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{USER}:{WORD}".encode()).decode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def answers(web: int) -> bool:
    try:
        return bool(asked(web, "/system"))
    except OSError:
        return False


@pytest.fixture(scope="module")
def house(orthanc, tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    for name, data in (("pacs", f"{USER}:{WORD}\n".encode()), ("key", KEY)):
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    house = opened(
        key_file=str(folder / "key"),
        keep={"folder": str(folder / "kept"), "hours": 1},
        archives={
            "pacs": {
                "url": f"http://127.0.0.1:{orthanc['web']}/dicom-web",
                "credentials_file": str(folder / "pacs"),
            }
        },
        receive={"callers": ["ORTHANC"], "port": orthanc["ours"]},
        destinations={"worklist": {"host": "127.0.0.1", "port": orthanc["dicom"], "ae_title": "ORTHANC"}},
    )
    yield house
    house.close()


def file(number: int) -> bytes:
    return dicom_file(
        number, StudyInstanceUID="1.2.826.0.1.555", SeriesInstanceUID="1.2.826.0.1.556", PatientID="MRN77777",
        SOPInstanceUID=f"1.2.826.0.1.557.{number}", AccessionNumber="ACC4711", PatientName="QUENTIN^DORIS",
        InstanceNumber=number, WindowCenter=2000, WindowWidth=4000, pixels=gradient(top=1000 * (number + 1) % 4096),
        StudyDescription="CHEST QDORIS", ReferringPhysicianName="HOUSE^G",
    )  # fmt: skip


IDENTITY = ("QUENTIN", "DORIS", "MRN77777", "ACC4711", "HOUSE", "1.2.826.0.1.55")


@pytest.fixture(scope="module")
def sent(house, orthanc):
    """Five instances by C-STORE from us to the archive."""
    from osler.serve.studies.receiver import send

    files = [file(number) for number in range(NUM_FILES)]
    send(files, house.destinations["worklist"])
    assert asked(orthanc["web"], "/statistics")["CountInstances"] == NUM_FILES
    return files


def search(app):
    return app.post("/v1/archives/search", json={"archive": "pacs", "accession": "ACC4711"})


def pulled(app):
    (study,) = search(app).json()["studies"]
    answer = app.post("/v1/archives/pull?images=5&values=true", json={"archive": "pacs", "study": study["study"]})
    assert answer.status_code == 200, answer.text
    return study, answer


def draft_of(answer):
    study = answer.json()["studies"][0]
    series = study["series"][0]
    seen = [
        {"class_uid": one["class_uid"], "instance_uid": one["instance_uid"], "series_uid": series["series_uid"]}
        for one in series["images"]
    ]
    return {
        "model": "toy", "patient": {"id": study["patient"]}, "study_uid": series["study_uid"], "seen": seen,
        "findings": "Clear lungs.", "impression": "No effusion.",
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_a_study_is_found_and_pulled_with_equal_pixels(house, sent):
    app = served(house)
    found = search(app)
    (study,) = found.json()["studies"]
    assert (study["modalities"], study["num_instances"], study["num_series"]) == (["DX"], NUM_FILES, 1)
    _, answer = pulled(app)
    series = answer.json()["studies"][0]["series"][0]
    assert series["num_shown"] == NUM_FILES
    from PIL import Image

    for number, one in enumerate(series["images"]):
        stored = Image.open(io.BytesIO(base64.b64decode(one["values"]["url"].partition(",")[2])))
        original = pydicom.dcmread(io.BytesIO(sent[number])).pixel_array
        assert (np.asarray(stored) == original).all()
        shown = decode_image(base64.b64decode(one["url"].partition(",")[2]))[:, :, 0]
        wanted = np.rint(np.clip((original - 1999.5) / 3999 + 0.5, 0, 1) * 255)
        assert np.abs(shown - wanted).max() <= 1
    for text in (found.text, answer.text, "\n".join(app.lines), str(app.events)):
        assert Search(IDENTITY).numbers(text.encode()) == []


@pytest.mark.filterwarnings("ignore")
def test_the_archive_sends_to_us_and_what_is_kept_is_clean(house, orthanc, sent):
    for row in house.studies.keep.studies():
        house.studies.keep.forget(row["study"])
    study = asked(orthanc["web"], "/studies")[0]
    before = house.receiver.tally.taken
    asked(orthanc["web"], "/modalities/osler/store", study.encode())
    assert house.receiver.tally.taken == before + NUM_FILES
    (row,) = house.studies.keep.studies()
    kept = house.studies.keep.files(row["study"])
    assert row["num_files"] == len(kept) == NUM_FILES
    originals = sorted(pydicom.dcmread(io.BytesIO(data)).pixel_array.tobytes() for data in sent)
    assert sorted(pydicom.dcmread(io.BytesIO(data)).pixel_array.tobytes() for data in kept) == originals
    assert all(Search(IDENTITY).numbers(data) == [] for data in kept)
    answer = served(house).get(f"/v1/studies/{row['study']}?images=2")
    assert answer.json()["studies"][0]["series"][0]["num_shown"] == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("to", ["", "worklist"])
def test_a_draft_lands_in_the_patients_own_study(house, orthanc, sent, to, tmp_path):
    app = served(house)
    study, answer = pulled(app)
    before = asked(orthanc["web"], "/statistics")["CountInstances"]
    done = app.post(
        "/v1/reports/send",
        json={"archive": "pacs", "study": study["study"], "draft": draft_of(answer), "to": to},
    )
    assert done.status_code == 200, done.text
    assert Search(IDENTITY).numbers(done.content) == []
    assert asked(orthanc["web"], "/statistics")["CountInstances"] == before + 1
    (own,) = asked(orthanc["web"], "/studies?expand")
    assert own["PatientMainDicomTags"]["PatientName"] == "QUENTIN^DORIS"
    reports = [s for s in asked(orthanc["web"], "/series?expand") if s["MainDicomTags"]["Modality"] == "SR"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{orthanc['web']}/instances/{reports[-1]['Instances'][0]}/file",
        headers={"Authorization": "Basic " + base64.b64encode(f"{USER}:{WORD}".encode()).decode()},
    )
    with urllib.request.urlopen(request, timeout=60) as got:
        data = got.read()
    document = pydicom.dcmread(io.BytesIO(data))
    assert (document.PatientID, document.StudyInstanceUID) == ("MRN77777", "1.2.826.0.1.555")
    assert (document.PreliminaryFlag, document.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    if shutil.which("dsrdump"):
        (tmp_path / "sr.dcm").write_bytes(data)
        dumped = subprocess.run(
            ["dsrdump", "+U8", str(tmp_path / "sr.dcm")], capture_output=True, text=True, check=True
        )
        assert "Clear lungs." in dumped.stdout and "No effusion." in dumped.stdout
        assert "UNVERIFIED" in dumped.stdout and "PRELIMINARY" in dumped.stdout


@pytest.mark.filterwarnings("ignore")
def test_without_credentials_the_archive_says_no(orthanc):
    house = opened(archives={"pacs": {"url": f"http://127.0.0.1:{orthanc['web']}/dicom-web"}})
    try:
        answer = search(served(house))
        assert answer.status_code == 502 and "status 401" in answer.text
    finally:
        house.close()

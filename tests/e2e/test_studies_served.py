"""A study on its way through `osler serve`: in by upload or C-STORE, asked about, out as a draft, all of it entered."""

import io
import json
import socket

import pydicom
import pytest
from serving import running, save_model

from identities import dicom_file
from osler.cli.main import main
from osler.media.deid_residue import Search
from osler.serve.signature import read_signer

pytest.importorskip("pynetdicom")
pytest.importorskip("rapidocr_onnxruntime", reason="no text detector (extra `deid`)")
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
IDENTITY = ("QUENTIN", "DORIS", "MRN77777", "ACC4711", "1.2.826.0.1.55")
NUM_SENT = 3


def study_file(number: int) -> bytes:
    return dicom_file(
        number, StudyInstanceUID="1.2.826.0.1.555", SeriesInstanceUID="1.2.826.0.1.556", PatientID="MRN77777",
        SOPInstanceUID=f"1.2.826.0.1.557.{number}", AccessionNumber="ACC4711", PatientName="QUENTIN^DORIS",
        WindowCenter=2000, WindowWidth=4000, StudyDescription="CHEST QDORIS",
    )  # fmt: skip


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def done(port, tmp_path_factory):
    """What came of it all, after the service has ended: the answers by name, and its folder."""
    folder = tmp_path_factory.mktemp("served")
    model = save_model(folder / "model")
    (folder / "studies.key").write_bytes(bytes(range(64)))
    (folder / "studies.key").chmod(0o600)
    studies = {
        "key_file": str(folder / "studies.key"),
        "keep": {"folder": str(folder / "kept"), "hours": 1},
        "receive": {"callers": ["CT1"], "port": port},
    }
    with running(folder / "run", {"embedded": {"model": str(model)}, "studies": studies}) as service:
        answers = upload_and_ask(service)
        answers["statuses"] = stored(port)
        answers["listed"] = service.client.get("/studies", headers=service.headers())
        answers["unknown_caller"] = stored(port, calling="CT2")
        answers["log"] = service.log
    return answers, folder


def upload_and_ask(service):
    headers = service.headers()
    upload = service.client.post(
        "/studies?images=2", content=study_file(1), headers={**headers, "content-type": "application/dicom"}
    )
    assert upload.status_code == 200, upload.text
    study = upload.json()["studies"][0]
    (series,) = study["series"]
    pictures = [{"type": "image_url", "image_url": {"url": one["url"]}} for one in series["images"]]
    reply = service.chat([*pictures, {"type": "text", "text": "Describe the film."}])
    assert reply.status_code == 200, reply.text
    words = reply.json()["choices"][0]["message"]["content"]
    seen = [
        {"class_uid": one["class_uid"], "instance_uid": one["instance_uid"], "series_uid": series["series_uid"]}
        for one in series["images"]
    ]
    draft = {
        "model": "tiny", "patient": {"id": study["patient"]}, "study_uid": series["study_uid"], "seen": seen,
        "findings": f"The model said {words!r}.", "impression": "None.", "modality": "DX",
    }  # fmt: skip
    reports = {
        form: service.client.post(f"/reports?format={form}", json=draft, headers=headers)
        for form in ("text", "fhir", "sr")
    }
    return {"upload": upload, "reply": reply, "draft": draft, **reports}


def stored(port, *, calling="CT1"):
    """The statuses of three objects by C-STORE, from files whose names say who is on them."""
    import pynetdicom

    datasets = [pydicom.dcmread(io.BytesIO(study_file(number))) for number in range(2, 2 + NUM_SENT)]
    entity = pynetdicom.AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    entity.add_requested_context(datasets[0].SOPClassUID, datasets[0].file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port, ae_title="OSLER")
    if not association.is_established:
        return []
    try:
        return [association.send_c_store(dataset).Status for dataset in datasets]
    finally:
        association.release()


def entries(folder):
    text = "".join(path.read_text() for path in sorted((folder / "run" / "out" / "audit").glob("*.jsonl")))
    return [json.loads(line)["event"] for line in text.splitlines()]


def test_an_answer_becomes_a_draft_in_three_forms(done):
    answers, _ = done
    findings = answers["draft"]["findings"]
    assert {answers[form].status_code for form in ("text", "fhir", "sr")} == {200}
    assert findings in answers["text"].text
    report = answers["fhir"].json()
    assert (report["resourceType"], report["status"]) == ("DiagnosticReport", "preliminary")
    document = pydicom.dcmread(io.BytesIO(answers["sr"].content))
    assert (document.Modality, document.PreliminaryFlag) == ("SR", "PRELIMINARY")
    assert document.PatientID == answers["draft"]["patient"]["id"]
    assert findings in [element.value for element in document.iterall() if element.keyword == "TextValue"]


def test_what_a_modality_sends_is_kept_under_names_of_our_own(done):
    answers, folder = done
    assert answers["statuses"] == [0x0000] * NUM_SENT and answers["unknown_caller"] == []
    files = [path for path in (folder / "kept").rglob("*.dcm")]
    (row,) = answers["listed"].json()["studies"]
    # The upload is of the same study, and stays where this recipe keeps studies.
    assert len(files) == row["num_files"] == NUM_SENT + 1
    assert {path.parent.name for path in files} == {row["study"]} and all(len(path.stem) == 64 for path in files)


def test_all_of_it_is_in_the_trail_and_the_trail_verifies(done, capsys):
    answers, folder = done
    told = [(each["phase"], each.get("who"), each.get("route")) for each in entries(folder)]
    for route, number in (("POST /v1/studies", 1), ("POST /v1/chat/completions", 1)):
        assert [phase for phase, who, where in told if (who, where) == ("a", route)] == ["asked", "answered"] * number
    assert told.count(("answered", "a", "POST /v1/reports")) == 3
    assert [phase for phase, who, where in told if (who, where) == ("ae:CT1", "C-STORE")] == [
        "asked", "answered",
    ] * NUM_SENT  # fmt: skip
    out = folder / "run" / "out"
    fingerprint = read_signer(out / "keys" / "audit-signing.key").public.fingerprint
    given = [f"checkpoints={out / 'checkpoints'}", f"key={fingerprint}"]
    capsys.readouterr()
    assert main(["audit", "verify", str(out / "audit"), *given]) == 0, capsys.readouterr().out
    (path,) = sorted((out / "audit").glob("*.jsonl"))
    text = path.read_text()
    path.write_text(text.replace('"ae:CT1"', '"ae:CT9"', 1))
    assert main(["audit", "verify", str(out / "audit"), *given]) == 1
    path.write_text(text)


def test_nobodys_name_is_left_anywhere(done):
    answers, folder = done
    search = Search(IDENTITY)
    for name in ("upload", "reply", "text", "fhir", "sr", "listed"):
        assert search.numbers(answers[name].content) == [], name
    files = [path for path in folder.rglob("*") if path.is_file() and "model" not in path.relative_to(folder).parts]
    assert len(files) > NUM_SENT
    assert [path for path in files if search.numbers(path.read_bytes())] == []

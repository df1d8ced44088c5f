"""Studies over HTTP: what is taken, what is told, what is kept, and what is refused."""

import base64
import io

import numpy as np
import pydicom
import pytest

from identities import dicom_file, gradient
from osler.media.image import decode_image
from serve_world import KEY
from studies_world import opened, served, traversals, zipped

DICOM = {"content-type": "application/dicom"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house") / "kept"
    house = opened(keep={"folder": str(folder), "hours": 1}, max_frame_megapixels=1)
    yield house
    house.close()


@pytest.fixture(scope="module")
def bare():
    house = opened()
    yield house
    house.close()


def picture(url: str) -> np.ndarray:
    return decode_image(base64.b64decode(url.partition(",")[2]))[:, :, 0]


def image(answer, series=0, number=0):
    return answer.json()["studies"][0]["series"][series]["images"][number]


def draft(answer, **change):
    study = answer.json()["studies"][0]
    series = study["series"][0]
    seen = [
        {"class_uid": one["class_uid"], "instance_uid": one["instance_uid"], "series_uid": series["series_uid"]}
        for one in series["images"]
    ]
    words = {"model": "toy", "patient": {"id": study["patient"]}, "study_uid": series["study_uid"], "seen": seen}
    return {**words, "findings": "Clear lungs.", **change}


def test_an_upload_comes_back_as_pictures_without_a_person(bare):
    app = served(bare)
    answer = app.post("/v1/studies", content=dicom_file(WindowCenter=2000, WindowWidth=4000), headers=DICOM)
    assert answer.status_code == 200
    series = answer.json()["studies"][0]["series"][0]
    assert (series["modality"], series["body_part"], series["view"], series["num_frames"]) == ("DX", "CHEST", "PA", 1)
    shown = image(answer)
    expected = np.rint(np.clip((gradient() - 1999.5) / 3999 + 0.5, 0, 1) * 255)
    assert np.abs(picture(shown["url"]).astype(int) - expected).max() <= 1
    assert (shown["width"], shown["height"], shown["frame"], shown["num_masked"]) == (128, 96, 1, 0)
    assert not any(word in answer.text for word in ("DOE", "MRN", "2019", "1.2.826"))
    assert [event.phase for event in app.events] == ["asked", "answered"] and len(app.events[0].image_hmacs) == 1


def test_a_window_is_chosen_by_the_caller(bare):
    data = dicom_file(WindowCenter=[2000, 100], WindowWidth=[4000, 200])
    app = served(bare)
    second = app.post("/v1/studies?which=1", content=data, headers=DICOM)
    own = app.post("/v1/studies?window=100,200", content=data, headers=DICOM)
    assert np.abs(picture(image(second)["url"]).astype(int) - picture(image(own)["url"])).max() <= 1
    for window in ("100", "100,0", "100,-5", "1e9,1", "nan,1", "liver", "100,5;x"):
        assert app.post(f"/v1/studies?window={window}", content=data, headers=DICOM).status_code == 400


def test_the_page_gets_the_stored_values_and_their_window(bare):
    data = dicom_file(WindowCenter=2000, WindowWidth=4000)
    shown = image(served(bare).post("/v1/studies?values=true", content=data, headers=DICOM))
    values = shown["values"]
    assert (values["bits"], values["center"], values["width"]) == (16, 2000, 4000)
    from PIL import Image

    stored = np.asarray(Image.open(io.BytesIO(base64.b64decode(values["url"].partition(",")[2]))))
    assert (stored == gradient()).all()


def slices(count):
    along = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1], "Modality": "CT"}
    common = {"StudyInstanceUID": "1.2.826.5", "SeriesInstanceUID": "1.2.826.6", **along}
    return {
        f"{n}.dcm": dicom_file(
            n, pixels=np.full((16, 16), 100 * n, "uint16"), ImagePositionPatient=[0, 0, 2.0 * n],
            RescaleSlope=1, RescaleIntercept=-1000, InstanceNumber=count - n, **common,
        )
        for n in range(count)
    }  # fmt: skip


def test_of_a_scan_some_slices_are_shown_in_the_order_in_which_they_lie(bare):
    body = zipped(slices(12))
    answer = served(bare).post(
        "/v1/studies?images=3&window=-400,1200", content=body, headers={"content-type": "application/zip"}
    )
    series = answer.json()["studies"][0]["series"][0]
    assert (series["num_instances"], series["num_shown"]) == (12, 3)
    assert [int(picture(one["url"]).mean()) for one in series["images"]] == [43, 128, 212]


def test_a_scan_is_cut_in_another_plane(bare):
    body, kind = zipped(slices(12)), {"content-type": "application/zip"}
    answer = served(bare).post("/v1/studies?images=2&plane=coronal&window=-400,1200", content=body, headers=kind)
    series = answer.json()["studies"][0]["series"][0]
    assert [(one["plane"], one["height"], one["width"]) for one in series["images"]] == [("coronal", 24, 16)] * 2
    one = served(bare).post("/v1/studies?plane=coronal", content=dicom_file(), headers=DICOM)
    assert one.json()["studies"][0]["series"][0]["notes"] == [
        "no volume: the instances do not say where they lie, or leave gaps"
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"not DICOM at all", "application/dicom", 422, "no DICOM file"),
        (b"", "application/dicom", 422, "no DICOM file"),
        (dicom_file()[:-5000], "application/dicom", 422, "damaged"),
        (b"{}", "application/json", 415, "another type"),
        (traversals()[0], "application/zip", 422, "leads out"),
        (dicom_file(BitsAllocated=32), "application/dicom", 422, "another depth"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason(bare, body, kind, status, reason):
    answer = served(bare).post("/v1/studies", content=body, headers={"content-type": kind})
    assert answer.status_code == status and reason in str(answer.json()["refused"])
    assert answer.json()["error"]["code"] == "study_refused" and "DOE" not in answer.text


def test_one_bad_file_among_good_ones_is_told_by_its_number(bare):
    body = zipped({"a": dicom_file(1), "b": b"noise", "c": dicom_file(2)})
    answer = served(bare).post("/v1/studies", content=body, headers={"content-type": "application/zip"})
    assert answer.status_code == 200 and [one["part"] for one in answer.json()["refused"]] == [1]
    assert len(answer.json()["studies"]) == 2


def test_a_kept_study_is_shown_again_and_forgotten(house):
    app = served(house)
    first = app.post("/v1/studies", content=dicom_file(20, WindowCenter=2000, WindowWidth=4000), headers=DICOM)
    token = first.json()["studies"][0]["study"]
    assert first.json()["studies"][0]["kept"] is True
    assert token in [row["study"] for row in app.get("/v1/studies").json()["studies"]]
    again = app.get(f"/v1/studies/{token}")
    assert again.status_code == 200 and image(again)["sha256"] == image(first)["sha256"]
    assert image(again)["instance_uid"] == image(first)["instance_uid"]
    import asyncio

    assert asyncio.run(app.send("DELETE", f"/v1/studies/{token}")).json() == {"forgotten": True}
    assert app.get(f"/v1/studies/{token}").status_code == 404
    for path in ("s-1", "..%2f..%2fetc", "s-" + "0" * 20):
        assert app.get(f"/v1/studies/{path}").status_code in {400, 404}


def test_nothing_is_kept_where_the_recipe_does_not_say_so(bare):
    app = served(bare)
    app.post("/v1/studies", content=dicom_file(), headers=DICOM)
    assert app.get("/v1/studies").json() == {"studies": []}


def test_a_frame_beyond_the_limit_of_the_recipe_is_refused(house):
    large = dicom_file(pixels=np.zeros((1100, 1000), "uint8"))
    answer = served(house).post("/v1/studies", content=large, headers=DICOM)
    assert answer.status_code == 422 and "max_frame_megapixels" in answer.text


def test_drafts_come_as_text_fhir_and_sr(bare):
    app = served(bare)
    body = draft(app.post("/v1/studies", content=dicom_file(), headers=DICOM))
    text = app.post("/v1/reports", json=body)
    assert text.headers["content-type"].startswith("text/plain") and "NOT VERIFIED" in text.text
    fhir = app.post("/v1/reports?format=fhir", json=body)
    assert fhir.headers["content-type"].startswith("application/fhir+json") and fhir.json()["status"] == "preliminary"
    sr = app.post("/v1/reports?format=sr", json=body)
    assert pydicom.dcmread(io.BytesIO(sr.content)).VerificationFlag == "UNVERIFIED"
    for change in ({"findings": " "}, {"status": "final"}, {"study_uid": "x"}, {"seen": []}):
        refused = app.post("/v1/reports", json={**body, **change})
        assert refused.status_code == 400 and "Clear" not in refused.text


@pytest.mark.parametrize(
    "path", ["/v1/studies", "/v1/reports", "/v1/archives/search", "/v1/archives/pull", "/v1/reports/send"]
)
def test_every_route_wants_a_key_with_the_scope(bare, path):
    app = served(bare)
    assert app.post(path, key="", json={}).status_code == 401
    assert app.post(path, key="osler_chat_key", json={}).status_code == 403
    assert KEY


def test_an_archive_that_the_recipe_does_not_name_is_not_asked(bare):
    app = served(bare)
    answer = app.post("/v1/archives/search", json={"archive": "pacs", "patient_id": "1"})
    assert answer.status_code == 404 and "names no such archive" in answer.text
    for body in ({"archive": "http://evil/", "patient_id": "1"}, {"archive": "pacs", "url": "http://evil"}, {}):
        assert app.post("/v1/archives/search", json=body).status_code == 400

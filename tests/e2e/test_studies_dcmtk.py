"""Grey levels against DCMTK's dcm2pnm, file by file: at most one apart, or refused with a reason. Prints the table."""

import io
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEG2000TransferSyntaxes

from identities import dicom_file, gradient
from osler.core.settings import read_settings
from osler.media.deid import read_instance
from osler.media.deid_ocr import silent_libraries
from osler.media.deid_pixels import Unfit, decode_picture
from osler.media.presentation import presentations_of, shown_frames

pytestmark = pytest.mark.e2e
FOLDERS = ("dicom_pydicom", "dicom_phi_burned_in")
TOOLS = ("dcm2pnm", "dcmj2pnm", "dcml2pnm")
MOST_FRAMES = 3
LEAST_FILES = 50


def catalogue() -> list[Path]:
    root = read_settings().test_data
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.stat().st_size > 132 and path.open("rb").read(132)[128:] == b"DICM":
                found.append(path)
    return found


def reference(path: Path, frame: int, options: list[str], folder: Path) -> np.ndarray | None:
    """What DCMTK shows; overlays are not drawn. None where none of its tools reads the compression."""
    out = folder / "shown.pnm"
    for tool in TOOLS:
        out.unlink(missing_ok=True)
        command = [tool, "-O", "+F", str(frame + 1), *options, str(path), str(out)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0 and out.exists() and out.stat().st_size:
            return np.asarray(Image.open(io.BytesIO(out.read_bytes()))).astype(int)
    return None


def unpacked(path: Path, folder: Path) -> Path:
    """The same file without compression, for a judge that does not know it; the judge then judges all that follows."""
    dataset = pydicom.dcmread(path)
    plugin = "pylibjpeg" if dataset.file_meta.TransferSyntaxUID in JPEG2000TransferSyntaxes else "pillow"
    dataset.decompress(generate_instance_uid=False, decoding_plugin=plugin)
    for _ in dataset.iterall():
        pass  # raw elements of a file whose transfer syntax is not what it says have no type to be written with
    target = folder / "unpacked.dcm"
    dataset.save_as(target)
    return target


def judged(path: Path, folder: Path) -> tuple[str, int | None]:
    """What is printed of a file, and the largest difference; None where it is refused or has no judge."""
    try:
        with silent_libraries():
            dataset = read_instance(path.read_bytes())
            picture, presentations = decode_picture(dataset), presentations_of(dataset)
    except Unfit as unfit:
        return f"refused: {unfit}", None
    except Exception as error:  # noqa: BLE001 - as the product: any error of a parser is a refusal
        return f"refused: damaged: {type(error).__name__}", None
    worst, note = 0, ""
    for frame in range(min(len(picture.frames), MOST_FRAMES)):
        shown = presentations[min(frame, len(presentations) - 1)]
        options = ["+Wl", "1"] if shown.voi is not None else ["+Wi", "1"] if shown.windows else ["+Wm"]
        wanted = reference(path, frame, options if picture.is_gray else [], folder)
        if wanted is None:
            note = " (unpacked for DCMTK)"
            wanted = reference(unpacked(path, folder), frame, options if picture.is_gray else [], folder)
        if wanted is None:
            return "no judge: DCMTK does not read it", None
        got = shown_frames(picture, presentations, [frame])[0].astype(int)
        assert wanted.shape == got.shape, path.name
        worst = max(worst, int(np.abs(wanted - got).max()))
    return f"{worst}{note}", worst


@pytest.mark.filterwarnings("ignore")
def test_grey_levels_are_those_of_dcmtk(tmp_path):
    if shutil.which("dcm2pnm") is None:
        pytest.skip("dcm2pnm is not installed (Debian package dcmtk)")
    files = catalogue()
    if not files:
        pytest.skip("no test data")
    with warnings.catch_warnings(action="ignore"):
        rows = [(path, *judged(path, tmp_path)) for path in files]
    print()
    for path, told, _ in rows:
        print(f"{path.name:45} {told}")
    compared = [worst for _, _, worst in rows if worst is not None]
    refused = sum(told.startswith("refused") for _, told, _ in rows)
    print(f"{len(compared)} files compared, largest difference {max(compared)}; {refused} refused with a reason; "
          f"{len(rows) - len(compared) - refused} without a judge")  # fmt: skip
    assert len(compared) >= LEAST_FILES
    assert max(compared) <= 1
    assert all(told.partition(": ")[2] for _, told, worst in rows if worst is None)


def drawn() -> dict[str, bytes]:
    """What the catalogue lacks: each step of the chain from stored values to grey levels."""
    deep = gradient(top=4095)
    signed = {"PixelRepresentation": 1, "RescaleSlope": 1, "RescaleIntercept": -24, "BitsStored": 16, "HighBit": 15}
    return {
        "MONOCHROME1 with a window": dicom_file(
            PhotometricInterpretation="MONOCHROME1", WindowCenter=1500, WindowWidth=901
        ),
        "MONOCHROME1 without a window": dicom_file(PhotometricInterpretation="MONOCHROME1", pixels=deep),
        "signed 16 bits": dicom_file(
            pixels=(deep.astype("i2") * 8 - 16000), WindowCenter=40, WindowWidth=9000, **signed
        ),
        # DCMTK cuts what rescale gives to whole numbers; a window of several values a grey level does not show it.
        "rescale with a fraction": dicom_file(
            RescaleSlope=0.25, RescaleIntercept=-7.5, WindowCenter=400, WindowWidth=900
        ),
        "a window of width 1": dicom_file(WindowCenter=2000, WindowWidth=1),
        "a sigmoid window": dicom_file(WindowCenter=2000, WindowWidth=1500, VOILUTFunction="SIGMOID"),
        "the first of three windows": dicom_file(WindowCenter=[900, 2000, 3000], WindowWidth=[500, 40, 4000]),
        "VOI LUT": dicom_file(VOILUTSequence=[table(500, np.linspace(0, 4095, 2048) ** 0.5 * 63.9, 12)]),
        "Modality LUT": dicom_file(ModalityLUTSequence=[table(0, np.linspace(0, 255, 4096) ** 2, 16)]),
        "Modality LUT and a window": dicom_file(
            ModalityLUTSequence=[table(0, np.linspace(0, 255, 4096) ** 2, 16)], WindowCenter=20000, WindowWidth=30001
        ),
    }


def table(first: int, values: np.ndarray, bits: int) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.add_new(0x00283002, "US", [len(values), first, bits])
    item.add_new(0x00283006, "OW", values.astype("<u2").tobytes())
    item.ModalityLUTType = "US"
    return item


@pytest.mark.parametrize("name", drawn())
def test_each_step_is_that_of_dcmtk(name, tmp_path):
    if shutil.which("dcm2pnm") is None:
        pytest.skip("dcm2pnm is not installed (Debian package dcmtk)")
    path = tmp_path / "drawn.dcm"
    path.write_bytes(drawn()[name])
    told, worst = judged(path, tmp_path)
    print(f"{name:40} {told}")
    assert worst is not None and worst <= 1

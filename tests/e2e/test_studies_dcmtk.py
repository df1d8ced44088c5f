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
    dataset.decompress(generate_instance_uid=False)
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

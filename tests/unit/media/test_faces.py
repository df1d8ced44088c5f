import numpy as np
import pytest

from osler.core.errors import InputError
from osler.media.faces import FaceFinder
from yunet import yunet

pytest.importorskip("cv2", exc_type=ImportError)


@pytest.fixture(scope="module")
def finder(tmp_path_factory) -> FaceFinder:
    path = tmp_path_factory.mktemp("faces") / "yunet.onnx"
    path.write_bytes(yunet())
    return FaceFinder(path)


def picture(width: int, height: int) -> np.ndarray:
    pixels = np.full((height, width, 3), 60, np.uint8)
    pixels[height // 2 : height // 2 + height // 4, width // 2 : width // 2 + width // 4] = 255
    return pixels


@pytest.mark.parametrize(("width", "height"), [(320, 320), (500, 333), (1600, 1200)])
def test_a_face_is_found_where_it_is_whatever_the_size(finder, width, height):
    found = finder.find(picture(width, height))
    assert found and found[0].score > 0.8 and found == sorted(found, key=lambda face: -face.score)
    for face in found:
        x, y = (face.x0 + face.x1) / 2 / width, (face.y0 + face.y1) / 2 / height
        assert 0.45 < x < 0.8 and 0.45 < y < 0.8
    assert finder.find(np.full((height, width, 3), 60, np.uint8)) == []


def test_what_is_no_detector_is_refused(tmp_path):
    with pytest.raises(InputError, match="no face detector at"):
        FaceFinder(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_bytes(b"not a network")
    with pytest.raises(InputError, match="no face detector that OpenCV can run"):
        FaceFinder(tmp_path / "text.onnx")

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.curate.panels.onnx_detector import DetectorLayout, check_names, detect_panels, open_session

LAYOUT = DetectorLayout(input_px=64)
FIGURE = np.full((100, 200, 3), 128, np.uint8)  # shrunk to 64 x 32


class StubSession:
    def __init__(self, boxes, scores, inputs=("images",), outputs=("boxes", "scores")):
        self.found = {"boxes": boxes, "scores": scores}
        self.inputs, self.outputs = inputs, outputs
        self.fed = None

    def get_inputs(self):
        return [SimpleNamespace(name=name) for name in self.inputs]

    def get_outputs(self):
        return [SimpleNamespace(name=name) for name in self.outputs]

    def run(self, names, feed):
        self.fed = feed["images"]
        return [np.asarray(self.found[name]) for name in names]


def detect(boxes, scores, **layout):
    return detect_panels(FIGURE, StubSession(boxes, scores), layout=DetectorLayout(input_px=64, **layout))


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, value):
    """A protobuf field: a number, or bytes, text or a message with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor_info(name, shape):
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def onnx_model(boxes, scores, input_name="images"):
    """An ONNX model whose outputs are constants, whatever picture it is given."""
    graph = field(2, "constant")
    for name, values in (("boxes", boxes), ("scores", scores)):
        array = np.asarray(values, np.float32)
        dims = b"".join(field(1, size) for size in array.shape)
        graph += field(5, dims + field(2, 1) + field(8, f"{name}_value") + field(9, array.tobytes()))
        graph += field(1, field(1, f"{name}_value") + field(2, name) + field(4, "Identity"))
        graph += field(12, tensor_info(name, array.shape))
    graph += field(11, tensor_info(input_name, (1, 3, 64, 64)))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture
def model(tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "panels.onnx"
    path.write_bytes(onnx_model([[32, 0, 64, 32], [0, 0, 31.5, 32], [1, 0, 31, 32]], [0.9, 0.8, 0.7]))
    return path


def test_an_onnx_file_gives_boxes_in_pixels_of_the_figure(model):
    layout = detect_panels(FIGURE, open_session(model, LAYOUT), layout=LAYOUT)
    assert layout.boxes == ((0, 0, 98, 100), (100, 0, 200, 100)) and layout.confidence == 0.8
    assert not layout.uncertain


def test_the_figure_is_fed_as_declared():
    session = StubSession([[0, 0, 64, 32]], [0.9])
    detect_panels(FIGURE[..., 0], session, layout=LAYOUT)
    assert session.fed.shape == (1, 3, 64, 64) and session.fed.dtype == np.float32
    assert session.fed[0, :, 10, 10] == pytest.approx(128 / 255) and session.fed[0, :, 40, 10] == pytest.approx(1)


def test_boxes_may_be_fractions_and_have_a_batch_axis():
    assert detect([[[0, 0, 0.5, 0.5]]], [[0.9]], fractions=True).boxes == ((0, 0, 100, 100),)


def test_boxes_are_cut_at_the_figure_and_empty_ones_left_out():
    assert detect([[-9, -9, 99, 99], [5, 5, 5, 9]], [0.9, 0.9]).boxes == ((0, 0, 200, 100),)


@pytest.mark.parametrize(
    ("boxes", "scores", "reason"),
    [
        (np.zeros((0, 4)), np.zeros(0), "the detector saw no panel"),
        ([[0, 0, 32, 32]], [0.3], "the detector saw no panel"),
        ([[0, 0, 32, 32]], [0.6], "a panel has a low score"),
        ([[0, 0, 40, 32], [30, 0, 64, 32]], [0.9, 0.9], "panels overlap"),
    ],
)
def test_doubt_is_told(boxes, scores, reason):
    assert detect(boxes, scores).uncertain == reason


@pytest.mark.parametrize(
    ("boxes", "scores", "reason"),
    [
        ([[0, 0, 1]], [0.9], "another shape"),
        ([[0, 0, 1, 1]], [0.9, 0.8], "another shape"),
        ([[0, 0, np.nan, 1]], [0.9], "not finite"),
    ],
)
def test_outputs_that_are_none_are_refused(boxes, scores, reason):
    with pytest.raises(InputError, match=reason):
        detect(boxes, scores)


def test_names_are_checked():
    with pytest.raises(InputError, match=r"inputs differ; expected 'images'; got 'pixels'"):
        check_names(StubSession([], [], inputs=("pixels",)), LAYOUT, "x.onnx")
    with pytest.raises(InputError, match=r"no output 'scores'; got 'boxes', 'score'. Did you mean 'score'"):
        check_names(StubSession([], [], outputs=("boxes", "score")), LAYOUT, "x.onnx")


@pytest.mark.parametrize("data", [b"", b"no model at all", bytes(range(256))])
def test_a_file_that_is_no_model_is_refused(tmp_path, data):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "none.onnx"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"none\.onnx is no ONNX model|inputs differ"):
        open_session(path, LAYOUT)


def test_a_model_of_another_input_size_is_refused_by_name(model):
    wide = DetectorLayout(input_px=32)
    with pytest.raises(InputError, match=r"fails on an input of \[1, 3, 32, 32\]"):
        detect_panels(FIGURE, open_session(model, wide), layout=wide)


def test_a_missing_file_and_a_missing_package(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="absent"):
        open_session(tmp_path / "absent.onnx", LAYOUT)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="onnxruntime, which is not installed.*curate"):
        open_session(tmp_path / "absent.onnx", LAYOUT)

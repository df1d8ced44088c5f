"""A detector file in the YuNet layout that calls every bright cell a face: 12 outputs, no trained weight, 2 kB.

Written as ONNX by hand, field by field (onnx.proto), so that no package has to make it.
"""

import struct

import numpy as np

_STRIDES = (8, 16, 32)
_FLOAT, _INT64 = 1, 7


def yunet(brightness: float = 0.97) -> bytes:
    """The file's bytes. A cell counts as a face where its mean is above `brightness`, 1 being white."""
    steepness = 400.0
    constants = [
        _tensor("bright_w", np.full((1, 3, 1, 1), steepness / 765, np.float32)),
        _tensor("bright_b", np.array([-steepness * brightness], np.float32)),
        _tensor("four", np.zeros((4, 3, 1, 1), np.float32)),
        _tensor("ten", np.zeros((10, 3, 1, 1), np.float32)),
        *(_tensor(f"shape_{last}", np.array([1, -1, last], np.int64)) for last in (1, 4, 10)),
    ]
    nodes, outputs = [], []
    for s in _STRIDES:
        nodes += [
            _node("AveragePool", ["input"], f"pool_{s}", kernel_shape=[s, s], strides=[s, s]),
            _node("Conv", [f"pool_{s}", "bright_w", "bright_b"], f"logit_{s}"),
            _node("Sigmoid", [f"logit_{s}"], f"score_{s}"),
            _node("Reshape", [f"score_{s}", "shape_1"], f"cls_{s}"),
            _node("Reshape", [f"score_{s}", "shape_1"], f"obj_{s}"),
        ]
        for name, weight, last in ((f"bbox_{s}", "four", 4), (f"kps_{s}", "ten", 10)):
            nodes += [
                _node("Conv", [f"pool_{s}", weight], f"{name}_map"),
                _node("Transpose", [f"{name}_map"], f"{name}_last", perm=[0, 2, 3, 1]),
                _node("Reshape", [f"{name}_last", f"shape_{last}"], name),
            ]
    for kind, last in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        outputs += [_value(f"{kind}_{s}", (1, (320 // s) ** 2, last)) for s in _STRIDES]
    graph = (
        b"".join(_field(1, node) for node in nodes) + _field(2, b"bright") + b"".join(_field(5, c) for c in constants)
    )
    graph += _field(11, _value("input", (1, 3, 320, 320))) + b"".join(_field(12, out) for out in outputs)
    return _number(1, 8) + _field(8, _field(1, b"") + _number(2, 13)) + _field(7, graph)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    dims = b"".join(_number(1, size) for size in values.shape)
    letter = "q" if kind == _INT64 else "f"
    raw = struct.pack(f"<{values.size}{letter}", *values.ravel().tolist())
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, raw)


def _node(op: str, inputs: list[str], output: str, **attributes: list[int]) -> bytes:
    body = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    body += _field(3, output.encode()) + _field(4, op.encode())
    for name, values in attributes.items():
        ints = b"".join(_number(8, value) for value in values)
        body += _field(5, _field(1, name.encode()) + ints + _number(20, 7))
    return body


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_field(1, _number(1, size)) for size in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, dims)))

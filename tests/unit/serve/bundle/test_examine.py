import hashlib
import io
import json
import pickle
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from osler.serve.bundle.examine import examine

GOOD = save({"a": np.arange(6, dtype=np.float32), "b": np.zeros((2, 2), dtype=np.int8)}, {"format": "pt"})


def header(value, rest=b""):
    words = json.dumps(value).encode()
    return struct.pack("<Q", len(words)) + words + rest


TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
BAD = {
    "pytorch_model.bin": b"x",
    "model.pt": b"x",
    "model.pth": b"x",
    "model.ckpt": b"x",
    "weights.pkl": b"x",
    "modeling_toy.py": b"x",
    "lib.so": b"x",
    "model.safetensors.py": b"x",
    "noending": b"x",
    "model.safetensors": pickle.dumps({"a": 1}),
    "a.safetensors": b"PK\x03\x04" + b"\0" * 50,
    "b.safetensors": b"",
    "c.safetensors": GOOD[:-1],
    "d.safetensors": GOOD + b"\0",
    "e.safetensors": header({"a": {**TENSOR, "data_offsets": [4, 8]}}, b"\0" * 8),
    "f.safetensors": header({"a": TENSOR, "b": TENSOR}, b"\0" * 4),
    "g.safetensors": header({"a": {**TENSOR, "data_offsets": [0, -4]}}),
    "h.safetensors": header([1]),
    "i.safetensors": struct.pack("<Q", 2**63) + b"{}",
    "config.json": b'{"auto_map": {"AutoModel": "modeling.Toy"}}',
    "deep.json": b'{"a": [{"b": {"auto_map": {"x": "y"}}}]}',
    "trust.json": b'{"trust_remote_code": true}',
    "broken.json": b"{",
    "nested.json": b"[" * 100_000,
    "tokenizer.model": pickle.dumps([1], protocol=2),
    "vocab.txt": b"PK\x03\x04",
    "notes.md": b"\x7fELF",
    "script.txt": b"#!/bin/sh",
}


@pytest.mark.parametrize("name", BAD)
def test_what_may_hold_code_does_not_belong_into_a_model(name):
    sha256, problem = examine(f"model/{name}", io.BytesIO(BAD[name]))
    assert problem and sha256 == hashlib.sha256(BAD[name]).hexdigest()
    assert examine(f"model/sub/{name}", io.BytesIO(BAD[name]))[1]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.safetensors", GOOD),
        ("config.json", b'{"model_type": "toy", "auto_map": null}'),
        ("tokenizer.model", b"\x0a\x0e"),
        ("chat_template.jinja", b"{{ messages }}"),
        ("LICENSE", b"words"),
    ],
)
def test_what_belongs_into_a_model(name, data):
    assert examine(f"model/{name}", io.BytesIO(data)) == (hashlib.sha256(data).hexdigest(), "")


def test_other_folders_may_hold_code_and_bytes_are_copied():
    copy = io.BytesIO()
    assert examine("wheels/x.py", io.BytesIO(b"x = 1"), copy_to=copy.write)[1] == ""
    assert copy.getvalue() == b"x = 1"


def test_weights_of_several_pieces_are_read_whole():
    data = save({"a": np.zeros(700_000, dtype=np.float32)})
    assert examine("model/model.safetensors", io.BytesIO(data)) == (hashlib.sha256(data).hexdigest(), "")
    assert examine("model/model.safetensors", io.BytesIO(data[:-4]))[1]

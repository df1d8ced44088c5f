import sys

import pytest

from osler.core.errors import InputError
from osler.media.deid_ocr import TextFinder
from osler.media.ocr import load_ocr


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(InputError, match=r"reading labels needs .*, which is not installed.*osler\[curate\]"):
        load_ocr("reading labels", extra="curate")


def test_a_missing_library_of_the_system_is_named_where_identities_are_searched(monkeypatch, tmp_path):
    fault = "libGL.so.1: cannot open shared object file"
    (tmp_path / "rapidocr_onnxruntime.py").write_text(f"raise ImportError({fault!r})\n")
    monkeypatch.delitem(sys.modules, "rapidocr_onnxruntime", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"which does not load: libGL.*osler\[deid\].*apt install libgl1"):
        TextFinder()

import pytest

from osler.core.errors import InputError
from osler.serve.bundle.names import read_sums, refuse_unsafe, sums_text, why_unsafe

SUMS = {"b/x.whl": "a" * 64, "a.txt": "b" * 64}


def test_usual_names_are_safe():
    for name in ("wheels/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl", "model/config.json", "docs/a b.md", "_x/y~1"):
        assert why_unsafe(name) == ""


def test_the_list_reads_back_what_was_written():
    assert read_sums(sums_text(SUMS).encode(), "x") == SUMS


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + text,
        lambda text: text.replace("  ", " "),
        lambda text: text.upper(),
        lambda text: "\n".join(reversed(text.split("\n"))),
        lambda text: text.replace("a.txt", "../a.txt"),
        lambda text: text.replace("a.txt", "\u00e4.txt"),
        lambda text: "x" + text,
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_a_list_that_is_not_exactly_so_is_refused(change):
    with pytest.raises(InputError):
        read_sums(change(sums_text(SUMS)).encode(), "x")


def test_two_names_that_are_one_file_elsewhere():
    with pytest.raises(InputError, match="one file on some disks"):
        refuse_unsafe(["a/x", "a/X"], "x")

"""Twenty ways out of a folder, and none of them taken."""

import io
import tarfile

import pytest

from bundle_world import FINGERPRINT
from osler.core.errors import InputError
from osler.serve.bundle.archive import members, pack, unpack
from osler.serve.bundle.install import install
from osler.serve.bundle.verify import verify

NAMES = {
    "parent": "b/../../out.txt",
    "parent first": "../out.txt",
    "parent last": "b/x/..",
    "deep parents": "b/" + "../" * 12 + "tmp/out.txt",
    "absolute": "/tmp/out.txt",
    "double slash": "//tmp/out.txt",
    "current": "b/./out.txt",
    "empty part": "b//out.txt",
    "drive": "C:/out.txt",
    "drive inside": "b/C:out.txt",
    "backslashes": "b\\..\\..\\out.txt",
    "share": "\\\\host\\share\\out.txt",
    "NUL": "b/out.txt\0.whl",
    "newline": "b/out\n.txt",
    "wide dots": "b/\uff0e\uff0e/out.txt",
    "wide slash": "b/..\uff0fout.txt",
    "combining": "b/e\u0301.txt",
    "right to left": "b/\u202etxt.exe",
    "device name": "b/NUL.txt",
    "hidden": "b/.bashrc",
    "trailing dot": "b/out.txt.",
    "home": "~/out.txt",
    "not utf-8": b"b/\xff\xfe.txt".decode("utf-8", "surrogateescape"),
    "too long": "b/" + "x" * 300,
    "too deep": "b/" + "x/" * 30 + "y",
}
KINDS = {
    "symbolic link": (tarfile.SYMTYPE, "../../etc/passwd"),
    "hard link": (tarfile.LNKTYPE, "b/../../etc/passwd"),
    "character device": (tarfile.CHRTYPE, ""),
    "block device": (tarfile.BLKTYPE, ""),
    "fifo": (tarfile.FIFOTYPE, ""),
    "contiguous": (tarfile.CONTTYPE, ""),
    "sparse": (tarfile.GNUTYPE_SPARSE, ""),
}


def tar_of(path, *infos):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for info in infos:
            info.size = 4 if info.type == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"evil") if info.size else None)
    return path


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("case", [*NAMES, *KINDS])
def test_a_hostile_member_is_refused_and_nothing_is_written_outside(case, tmp_path):
    base = tmp_path / "a" / "b" / "c"
    base.mkdir(parents=True)
    info = tarfile.TarInfo(NAMES.get(case, "b/out.txt"))
    if case == "NUL":  # the header's own field ends there
        info = tarfile.TarInfo("b/out.txt")
        info.pax_headers = {"path": NAMES[case]}
    if case in KINDS:
        info.type, info.linkname = KINDS[case]
    path = tar_of(base / "toy.tar", info)
    before = everything(tmp_path)
    with pytest.raises(InputError) as raised:
        unpack(path, base / "into")
    assert "\n" not in str(raised.value)
    assert set(everything(tmp_path)) - set(before) == {"a/b/c/into"}
    with pytest.raises(InputError):
        verify(path, key=FINGERPRINT)
    with pytest.raises(InputError):
        install(path, key=FINGERPRINT, into=base / "installed", log=None)
    assert everything(base / "installed") == [".installing"]


def test_a_link_cannot_be_written_through(tmp_path):
    link = tarfile.TarInfo("b/wheels")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "outside")
    (tmp_path / "outside").mkdir()
    with pytest.raises(InputError, match="a symbolic link"):
        unpack(tar_of(tmp_path / "toy.tar", link, tarfile.TarInfo("b/wheels/x.whl")), tmp_path / "into")
    assert everything(tmp_path / "outside") == []


@pytest.mark.parametrize("names", [("b/x.txt", "b/x.txt"), ("b/x.txt", "b/X.txt"), ("x.txt",)])
def test_a_name_twice_or_beside_the_folder(names, tmp_path):
    with pytest.raises(InputError):
        unpack(tar_of(tmp_path / "toy.tar", *map(tarfile.TarInfo, names)), tmp_path / "into")


@pytest.mark.parametrize("data", [b"", b"no tar" * 500, b"\x1f\x8b" + b"x" * 5000, b"PK\x03\x04" + b"\0" * 5000])
def test_what_is_no_tar(data, tmp_path):
    (tmp_path / "toy.tar").write_bytes(data)
    with pytest.raises(InputError):
        verify(tmp_path / "toy.tar", key=FINGERPRINT)


def test_bytes_behind_the_end_are_refused(built, tmp_path):
    (tmp_path / "toy.tar").write_bytes((built[1] / "toy.tar").read_bytes() + b"\0" * 512 + b"more")
    with pytest.raises(InputError, match="bytes that are no file"):
        list(members(tmp_path / "toy.tar"))


def test_packing_twice_gives_the_same_bytes_and_unpacking_the_same_files(built, tmp_path):
    bundle, path = built[1] / "bundle", tmp_path / "toy.tar"
    pack(bundle, path)
    assert path.read_bytes() == (built[1] / "toy.tar").read_bytes()
    unpack(path, tmp_path / "into")
    files = [name for name in everything(bundle) if (bundle / name).is_file()]
    assert [name for name in everything(tmp_path / "into") if (tmp_path / "into" / name).is_file()] == files
    assert all((tmp_path / "into" / name).read_bytes() == (bundle / name).read_bytes() for name in files)

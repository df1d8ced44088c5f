import asyncio
import re
from importlib.resources import files

import pytest

from osler.evaluation.judging.reader_page import _CHOICES
from osler.media.slices import CT_WINDOWS
from osler.serve.needs import all_routes
from osler.serve.page.shell import CONTENT_POLICY, add_page, page_files
from serve_world import Saying, Served

MOST_BYTES = 300_000


@pytest.fixture
def served():
    world = Served(Saying())
    add_page(world.app)
    return world


def text(name):
    return (files("osler.serve.page") / "files" / name).read_text(encoding="utf-8")


def names(ending):
    return sorted(
        entry.name for entry in (files("osler.serve.page") / "files").iterdir() if entry.name.endswith(ending)
    )


def test_only_health_and_the_page_are_open(served):
    open_paths = {"/health", *page_files()}
    paths = {route.path for route in all_routes(served.app.routes)} | open_paths | {"/page", "/page/", "/docs"}
    for path in paths:
        status = asyncio.run(served.send("GET", path, key="")).status_code
        assert status == (200 if path in open_paths else 401), path
    for path in page_files():
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert asyncio.run(served.send(method, path, key="")).status_code == 401, (method, path)


def test_what_is_open_are_the_bytes_that_were_installed(served):
    folder = files("osler.serve.page") / "files"
    for path, file in page_files().items():
        reply = served.get(path, key="")
        assert reply.content == (folder / (path.removeprefix("/page/").strip("/") or "index.html")).read_bytes()
        assert reply.headers["content-type"] == file.media_type
    assert served.events == [] and served.lines == []


@pytest.mark.parametrize(
    "path",
    ["/page/../shell.py", "/page/..%2fshell.py", "/page/%2e%2e/shell.py", "/page/..%5cshell.py", "//etc/passwd",
     "/page//app.js", "/page/app.js/", "/page/app.js%00", "/page/__init__.py", "/page/index.html", "/page/APP.JS",
     "/page/files/app.js", "/page/%61pp.jsx", "/app.js"],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder(served, path):
    assert served.get(path, key="").status_code in {400, 401}


def test_headers(served):
    headers = served.get("/", key="").headers
    assert headers["content-security-policy"] == CONTENT_POLICY
    policy = dict(part.split(" ", 1) for part in CONTENT_POLICY.split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in CONTENT_POLICY and "http" not in CONTENT_POLICY and "*" not in CONTENT_POLICY
    wanted = {
        "cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
        "x-frame-options": "DENY", "cross-origin-opener-policy": "same-origin",
    }  # fmt: skip
    assert {name: headers[name] for name in wanted} == wanted


def test_a_copy_that_is_still_right_is_not_sent_again(served):
    etag = served.get("/page/app.js", key="").headers["etag"]
    again = served.get("/page/app.js", key="", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert served.get("/page/app.js", key="", headers={"if-none-match": '"other"'}).status_code == 200
    head = asyncio.run(served.send("HEAD", "/", key=""))
    assert (head.status_code, head.content) == (200, b"") and int(head.headers["content-length"]) > 1000


def test_the_page_is_small(capsys):
    size = sum(len(file.data) for file in page_files().values())
    with capsys.disabled():
        print(f"\nreader page: {size / 1000:.1f} kB in {len(page_files())} files (limit {MOST_BYTES // 1000} kB)")
    assert size < MOST_BYTES


def test_the_page_names_no_other_host_and_keeps_nothing():
    for name in [*names(".js"), *names(".html"), *names(".css")]:
        body = text(name)
        assert not re.search(r"https?://|//[a-z]+\.", body), name
        for word in (
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "document.cookie",
            "innerHTML",
            "eval(",
            "onclick=",
        ):
            assert word not in body.replace("onclick={", ""), (name, word)
    assert "<script>" not in text("index.html") and "style=" not in text("index.html")


def test_house_sizes_hold_for_the_scripts():
    for name in [*names(".js"), *names(".css"), *names(".html")]:
        assert len(text(name).splitlines()) <= 400, name


def test_every_import_of_a_script_is_there():
    for name in names(".js"):
        for found in re.findall(r'from "\./([\w.]+)"', text(name)):
            assert found in names(".js"), (name, found)
    assert {f"page/{name}" for name in ("app.js", "page.css", "icon.svg")} <= set(
        re.findall(r'(?:src|href)="([^"]+)"', text("index.html"))
    )


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"no use for notes\.txt"):
        page_files(tmp_path)


def test_ct_windows_are_those_of_the_product():
    found = re.findall(r'name: "(\w+)", words: "[\w ]+", center: (-?\d+), width: (\d+)', text("gray.js"))
    assert {name: (float(c), float(w)) for name, c, w in found} == {
        name: (window.center, window.width) for name, window in CT_WINDOWS.items()
    }


def test_verdicts_are_those_of_the_readers_pages():
    line = next(line for line in text("blind.js").splitlines() if line.startswith("export const VERDICTS"))
    assert tuple(re.findall(r'\["(\w+)", "([\w ]+)"\]', line)) == _CHOICES

"""Nothing leaves this machine: the system calls of whole commands, and of a service at work, as the kernel saw them.

The browser's side is held to the same by `tab` in conftest.py.
"""

import re
import shutil
import subprocess
import sys

import pytest
from chain import TINY, tiny_commands
from serving import film, running, save_model

STORY = tiny_commands()
CALLS = "connect,sendto,sendmsg,sendmmsg"
NOBODYS = "192.0.2.1"  # RFC 5737: an address for documents
# A loopback address leads nowhere; other families (unix, netlink) cannot leave the machine.
ADDRESS = re.compile(r'sa_family=AF_INET6?,.*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("strace") is None, reason="no strace (Debian: strace)"),
]


def tracer(log):
    return ["strace", "-f", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", str(log)]


def traced(command, folder, log):
    return subprocess.run([*tracer(log), *command], cwd=folder, capture_output=True, text=True, check=False)


def outside(log):
    """The addresses beyond this machine that were asked for, name servers too."""
    found = ADDRESS.findall(log.read_text(errors="replace"))
    return sorted({each for each in found if not each.startswith("127.") and each not in {"::1", "::ffff:127.0.0.1"}})


def test_a_call_to_another_machine_is_seen(tmp_path):
    letter = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('{NOBODYS}', 9))"
    traced([sys.executable, "-c", letter], tmp_path, tmp_path / "log")
    assert outside(tmp_path / "log") == [NOBODYS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("story")


@pytest.mark.parametrize("name", ("doctor", *STORY))
def test_a_command_asks_nobody(name, folder):
    command = STORY[name][1:] if name in STORY else [name]
    done = traced([sys.executable, "-m", "osler.cli.main", *command], folder, folder / f"{name}.log")
    assert done.returncode == 0, done.stderr
    assert outside(folder / f"{name}.log") == []


def test_a_service_at_work_asks_nobody(tmp_path):
    assert (TINY / "serve.yaml").is_file()
    recipe = {"embedded": {"model": str(save_model(tmp_path)), "num_slots": 2}}
    address = {"type": "image_url", "image_url": {"url": f"http://{NOBODYS}/film.png"}}
    with running(tmp_path / "service", recipe, under=tracer(tmp_path / "log")) as service:
        assert service.chat([film(1), {"type": "text", "text": "Which side?"}]).status_code == 200
        assert service.chat([address]).status_code == 400
        root = service.url.removesuffix("/v1")
        assert [service.client.get(root + path).status_code for path in ("/", "/health")] == [200, 200]
    assert outside(tmp_path / "log") == []

"""The files that put the service on a machine: no root, nothing writable but its state, no way out, bounded."""

import json
import re
import shutil
import subprocess

import pytest
from house_source import ROOT

from osler.cli.main import COMMANDS

UNIT, CONTAINER = ROOT / "deploy" / "osler.service", ROOT / "deploy" / "Containerfile"
CLOSED = {
    "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "DevicePolicy": "closed",
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes",
    "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes", "UMask": "0077",
    "IPAddressDeny": "any", "IPAddressAllow": "localhost", "SystemCallArchitectures": "native", "LimitCORE": "0",
    "RestartPreventExitStatus": "2", "StateDirectoryMode": "0700",
}  # fmt: skip


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def steps() -> list[tuple[str, str]]:
    """Instructions of the Containerfile with continued lines joined."""
    text = re.sub(r"^#.*\n", "", CONTAINER.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def serves(words: list[str]) -> bool:
    return words[0].endswith("/osler") and words[1] in COMMANDS.names() and "--out" in words


def test_the_service_is_shut_in():
    found = settings()
    assert {name: found.get(name) for name in CLOSED} == {name: [value] for name, value in CLOSED.items()}
    assert found["User"] == ["osler"] and serves(found["ExecStart"][0].split())
    assert {"MemoryMax", "TasksMax", "LimitNOFILE", "TimeoutStopSec"} <= set(found)
    assert found["SystemCallFilter"] == ["@system-service", "~@privileged"]


def test_systemd_takes_the_unit(tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "osler.service"
    text = UNIT.read_text(encoding="utf-8").replace("/opt/osler/bin/osler", "/bin/true")
    unit.write_text(text.replace("User=osler", "User=daemon").replace("Group=osler", "Group=daemon"), encoding="utf-8")
    done = subprocess.run([tool, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if str(unit) in line or "osler.service" in line]
    assert ours == []


def test_the_container_runs_without_root_from_what_lies_beside_it():
    found = steps()
    last = max(n for n, (word, _) in enumerate(found) if word == "FROM")
    users = [rest for word, rest in found[last:] if word == "USER"]
    assert users == ["10001:10001"]
    assert [word for word, _ in found[last:]].index("USER") < [word for word, _ in found[last:]].index("ENTRYPOINT")
    assert serves(json.loads(next(rest for word, rest in found if word == "ENTRYPOINT")))
    runs = [rest for word, rest in found if word == "RUN"]
    assert not [run for run in runs if re.search(r"curl|wget|git clone|https?:|--index-url|sudo|chmod 777", run)]
    assert all("--no-index" in run for run in runs if "pip install" in run)
    assert not [word for word, _ in found if word == "ADD"]


def test_how_to_run_the_container_shuts_it_in():
    text = CONTAINER.read_text(encoding="utf-8")
    flags = (
        "--read-only",
        "--cap-drop all",
        "no-new-privileges",
        "--pids-limit",
        "--memory ",
        "--ulimit core=0",
        "--internal",
    )
    assert [flag for flag in flags if flag not in text] == []

"""Launch files of engines: loopback only, no address fetched, nothing reported home.

An engine's own key covers part of its routes (vLLM's leaves `/pause` and `/update_weights` open), so it must not be
reachable at all: it listens on loopback, and the gateway is its only client.
"""

import json
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from osler.core.errors import InputError
from osler.core.files import write_text
from osler.serve.config import ExternalConfig
from osler.serve.limits import Limits

_EXECUTABLE = 0o700
_LOOPBACK = {"127.0.0.1", "localhost"}
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
_VLLM = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
    "VLLM_MAX_IMAGE_PIXELS": str(Limits.max_pixels),
    "VLLM_MAX_N_SEQUENCES": "16",
}


def write_launch_file(config: ExternalConfig, out: Path) -> Path:
    """`OUT/launch-KIND.sh`, which starts the engine that the recipe names.

    Raises:
        InputError: the engine's address is not on loopback, or its kind has no launch file.
    """
    target = urlsplit(config.url)
    if config.folder is None or config.kind == "openai":
        raise InputError("no launch file", expected="external.folder and vllm, sglang or lmdeploy")
    if target.hostname not in _LOOPBACK or target.port is None:
        raise InputError(
            f"{config.url} is not on this machine", expected="http://127.0.0.1:PORT/v1",
            fix="Leave external.folder out where the engine is started elsewhere.",
        )  # fmt: skip
    words = _command(config, config.folder.resolve(), target.port)
    exports = {**_OFFLINE, **(_VLLM if config.kind == "vllm" else {})}
    lines = [
        "#!/bin/sh",
        f"# Starts {config.kind} for the gateway, in an environment of its own. Written anew at every `osler serve`.",
        "set -eu",
        "umask 077",
        "ulimit -c 0",
        *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
        f"exec {shlex.join(words)}",
    ]
    path = out / f"launch-{config.kind}.sh"
    write_text(path, "\n".join(lines) + "\n")
    path.chmod(_EXECUTABLE)
    return path


def _command(config: ExternalConfig, folder: Path, port: int) -> list[str]:
    if config.kind == "vllm":
        # `osler export` with format vllm leaves the engine's settings beside the model; those given here count more.
        exported = folder / "vllm.yaml"
        model = ["--config", str(exported), "--model", str(folder / "model")] if exported.is_file() else [str(folder)]
        images = json.dumps({"image": Limits.max_images})
        return [
            *("vllm", "serve", *model, "--served-model-name", config.model, "--host", "127.0.0.1", "--port", str(port)),
            *("--limit-mm-per-prompt", images, "--allowed-media-domains", "none.invalid", "--max-logprobs", "20"),
            "--disable-uvicorn-access-log",
        ]
    if config.kind == "sglang":
        start = ["python", "-m", "sglang.launch_server", "--model-path", str(folder), "--served-model-name"]
        return [*start, config.model, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    start = ["lmdeploy", "serve", "api_server", str(folder), "--model-name", config.model]
    return [*start, "--server-name", "127.0.0.1", "--server-port", str(port), "--log-level", "ERROR"]

import subprocess

import pytest

from osler.core.errors import InputError
from osler.serve.config import ExternalConfig
from osler.serve.engines.launch import write_launch_file


def config(kind, folder, url="http://127.0.0.1:8001/v1"):
    return ExternalConfig(kind=kind, url=url, model="osler", folder=folder)


@pytest.mark.parametrize("kind", ["vllm", "sglang", "lmdeploy"])
def test_an_engine_is_started_on_loopback_and_offline(tmp_path, kind):
    path = write_launch_file(config(kind, tmp_path / "my model"), tmp_path)
    text = path.read_text()
    assert "127.0.0.1" in text and "0.0.0.0" not in text and "8001" in text
    assert "export HF_HUB_OFFLINE=1" in text and "trust" not in text
    assert path.stat().st_mode & 0o777 == 0o700
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0


def test_vllm_fetches_nothing(tmp_path):
    text = write_launch_file(config("vllm", tmp_path), tmp_path).read_text()
    for each in (
        "--allowed-media-domains none.invalid", "VLLM_MEDIA_URL_ALLOW_REDIRECTS=0", "VLLM_NO_USAGE_STATS=1",
        "VLLM_MAX_IMAGE_PIXELS=40000000", "VLLM_MAX_N_SEQUENCES=16", """--limit-mm-per-prompt '{"image": 8}'""",
    ):  # fmt: skip
        assert each in text
    (tmp_path / "vllm.yaml").write_text("model: model\n")
    assert "--config" in write_launch_file(config("vllm", tmp_path), tmp_path).read_text()


@pytest.mark.parametrize(
    ("kind", "url"),
    [("openai", "http://127.0.0.1:1/v1"), ("vllm", "http://10.0.0.4:1/v1"), ("vllm", "http://127.0.0.1/v1")],
)
def test_other_machines_get_no_launch_file(tmp_path, kind, url):
    with pytest.raises(InputError):
        write_launch_file(config(kind, tmp_path, url), tmp_path)

"""The only reader of environment variables."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    test_data: folder of real files in published layouts (`OSLER_TEST_DATA`).
    offline: no hub may be asked (`HF_HUB_OFFLINE`).
    """

    test_data: Path
    offline: bool


def read_settings() -> Settings:
    """Read the environment, once, at the edge of the program."""
    return Settings(
        test_data=Path(os.environ.get("OSLER_TEST_DATA", "../shared/data")),
        offline=os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"},
    )

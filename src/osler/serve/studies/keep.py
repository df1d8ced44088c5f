"""Keep: clean studies on disk for as long as the recipe says, under pseudonyms and hashes, never a sender's words."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import atomic_write, sha256_bytes

_TOKEN = re.compile(r"s-[0-9a-f]{20}")
_SUFFIX = ".dcm"
_FOLDER_MODE = 0o700
_HOUR_S = 3600.0


@dataclass(frozen=True)
class Keep:
    """A folder of clean studies.

    folder: made where it is missing, for its owner only. hours: after which a study goes. most_bytes: of all studies.
    """

    folder: Path
    hours: float
    most_bytes: int
    clock: Callable[[], float] = time.time
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Make the folder. Raises InputError where others than its owner can look in."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        mode = self.folder.stat().st_mode & 0o777
        if mode & 0o077:
            raise InputError(
                f"the folder of kept studies {self.folder} is open to others",
                expected="mode 700",
                got=f"{mode:o}",
                fix=f"chmod 700 {self.folder}",
            )

    def put(self, study: str, files: Sequence[bytes]) -> list[str]:
        """Write clean DICOM files of a study; returns their names. A file that is there already is not written again.

        Raises:
            InputError: the folder is full, or `study` is no pseudonym.
        """
        folder = self._folder(study)
        with self.lock:
            self._forget_old()
            if self._num_bytes() + sum(map(len, files)) > self.most_bytes:
                raise InputError("the folder of kept studies is full", expected=f"at most {self.most_bytes} bytes")
            folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            names = []
            for data in files:
                path = folder / f"{sha256_bytes(data)}{_SUFFIX}"
                if not path.exists():
                    with atomic_write(path) as file:
                        file.write(data)
                    path.chmod(0o600)
                names.append(path.name)
            return names

    def studies(self) -> list[dict[str, Any]]:
        """What is kept, the latest first."""
        with self.lock:
            self._forget_old()
            rows = []
            for folder in self._folders():
                files = list(folder.glob(f"*{_SUFFIX}"))
                left_s = self._born(folder) + self.hours * _HOUR_S - self.clock()
                rows.append({"study": folder.name, "num_files": len(files), "hours_left": round(left_s / _HOUR_S, 2)})
            return sorted(rows, key=lambda row: (-row["hours_left"], row["study"]))

    def files(self, study: str) -> list[bytes]:
        """The clean files of a study; none where it is not kept (any more)."""
        with self.lock:
            self._forget_old()
            folder = self._folder(study)
            return [path.read_bytes() for path in sorted(folder.glob(f"*{_SUFFIX}"))] if folder.is_dir() else []

    def forget(self, study: str) -> bool:
        """Remove a study; False where there is none."""
        with self.lock:
            folder = self._folder(study)
            if not folder.is_dir():
                return False
            shutil.rmtree(folder)
            return True

    def forget_old(self) -> int:
        """Remove what is older than `hours`; returns how many studies went."""
        with self.lock:
            return self._forget_old()

    def _forget_old(self) -> int:
        old = [folder for folder in self._folders() if self._born(folder) + self.hours * _HOUR_S <= self.clock()]
        for folder in old:
            shutil.rmtree(folder)
        return len(old)

    def _folders(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if _TOKEN.fullmatch(path.name) and path.is_dir()]

    def _num_bytes(self) -> int:
        return sum(path.stat().st_size for folder in self._folders() for path in folder.iterdir())

    def _born(self, folder: Path) -> float:
        """When the last file of a study came."""
        return max([path.stat().st_mtime for path in folder.iterdir()], default=folder.stat().st_mtime)

    def _folder(self, study: str) -> Path:
        if not _TOKEN.fullmatch(study):
            raise InputError("not the name of a kept study", expected="s- and 20 hexadecimal digits")
        return self.folder / study

"""Which image file of a folder shows a figure, told by names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from osler.core.errors import InputError
from osler.datasets.jats.figures import DRAWINGS, RASTERS
from osler.datasets.jats.types import Graphic

_ENDINGS = (*RASTERS, *DRAWINGS)


@dataclass(frozen=True)
class Found:
    """The file of a picture; or, where `path` is "", why there is none."""

    path: str
    why: str = ""


@dataclass
class ImageFiles:
    """The image files of a package, looked up by the names that articles give them.

    Args:
        paths: files that are pictures, below the package's folder.
        assets: a manifest's file for each of its names.
    """

    paths: Iterable[str]
    assets: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_path: dict[str, str] = {}
        self._by_stem: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            self._by_path[path.lower()] = path
            self._by_stem.setdefault(_stem(PurePosixPath(path).name), []).append(path)

    def find(self, graphic: Graphic, *, article: str) -> Found:
        """The file of `graphic` in the article file called `article` (without its ending).

        For each published name, the best first: the file at that path; else a file whose name is the same up to the
        ending, with or without the word `journal.` in front; else what the manifest lists under the name. A folder
        called like the article comes before others, the article's own folder before those below it, a raster that
        loses nothing before one that does.
        """
        why = "nothing is named"
        for name in graphic.names:
            found = self._named(name, article.lower())
            if found.path:
                return found
            why = found.why
        return Found("", why)

    def _named(self, name: str, article: str) -> Found:
        plain = name.split("?")[0].split("#")[0]
        exact = self._by_path.get(plain.removeprefix("./").lower())
        if exact:
            return Found(exact)
        last = plain.rstrip("/").rpartition("/")[2]
        stem = _stem(last)
        for key in (stem, stem.removeprefix("journal."), f"journal.{stem}"):
            if paths := self._by_stem.get(key):
                return _one_of(paths, last, article)
        listed = self.assets.get(plain) or self.assets.get(stem)
        if listed and listed.lower() in self._by_path:
            return Found(self._by_path[listed.lower()])
        is_drawing = last.lower().endswith(DRAWINGS)
        return Found("", f"{last} is a drawing without a picture beside it" if is_drawing else f"no {last}")


def read_assets(root: Any) -> dict[str, str]:
    """The files that a `dar` manifest lists, by name. Raises InputError where `root` is none."""
    if root.tag != "dar":
        raise InputError(f"no manifest: root element {root.tag!r}", expected="dar")
    return {one.get("id"): one.get("path") for one in root.iter("asset") if one.get("id") and one.get("path")}


def is_image(name: str) -> bool:
    """Whether a file is a picture by its name."""
    return name.lower().endswith(RASTERS)


def _one_of(paths: list[str], name: str, article: str) -> Found:
    own = [path for path in paths if article in PurePosixPath(path.lower()).parts[:-1]]
    beside = [path for path in paths if "/" not in path]
    kept = own or beside or paths
    if len({str(PurePosixPath(path).parent) for path in kept}) > 1:
        return Found("", f"several folders hold {name}")
    same = [path for path in kept if PurePosixPath(path).name.lower() == name.lower()]
    return Found((same or sorted(kept, key=_order))[0])


def _order(path: str) -> int:
    return next(n for n, ending in enumerate(RASTERS) if path.lower().endswith(ending))


def _stem(name: str) -> str:
    low = name.lower()
    return next((low.removesuffix(ending) for ending in _ENDINGS if low.endswith(ending)), low)

"""Classification sets asked as questions: pictures in class folders, class names as the answer."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from osler.datasets.dataset import Row
from osler.datasets.read import class_folders
from osler.datasets.wording import ask_choice
from osler.media.image import PNG_HEADER_BYTES, PngHeader, png_header
from osler.media.window import full_range
from osler.schema.media import MediaRef, Window
from osler.schema.sample import LETTERS, Provenance, Sample, choice, closed, image, user


@dataclass(frozen=True)
class PicturesByClass:
    """Pictures in class folders, of which each split's lie in the first of several folders that is there.

    Rows: `{"image": path below the root, "label": the class folder's name, "id": path below the split's folder,
    "group"}`.

    folders: where each split may lie; "." is the root itself.
    group: from the file's name without its ending to what a split must not cut; the picture itself where it is None.
    keep: which file names are pictures to ask about.
    """

    folders: Mapping[str, tuple[str, ...]]
    group: Callable[[str], str] | None = None
    keep: Callable[[str], bool] | None = None

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The pictures, by class and then by name."""
        folder = self._folder(root, split)
        for row in class_folders({split: folder})(root, split):
            path = Path(row["image"])
            if self.keep is None or self.keep(path.name):
                id = plain_id(path.relative_to(folder).with_suffix("").as_posix())
                yield {**row, "id": id, "group": self.group(path.stem) if self.group else plain_id(row["image"])}

    def paths(self, root: Path, split: str) -> list[Path]:
        """The folder of `split`."""
        return [root / self._folder(root, split)]

    def _folder(self, root: Path, split: str) -> str:
        return next((name for name in self.folders[split] if (root / name).is_dir()), self.folders[split][0])


def ask_class(
    picture: MediaRef,
    question: str,
    *,
    label: str,
    names: tuple[str, ...],
    modality: str = "",
    body_part: str = "",
    tags: tuple[str, ...] = (),
    provenance: Provenance | None = None,
) -> Sample:
    """Ask to which class a picture belongs: lettered options, or words to choose from where there are more than ten."""
    if len(names) <= len(LETTERS):
        words, answer = ask_choice(question, names), choice(label, names)
    else:
        words = f"{question}\nAnswer with one of: {', '.join(names)}."
        answer = closed(label, labels=tuple(name.lower() for name in names))
    return Sample(
        turns=(user(picture, words),),
        answer=answer,
        task="classification",
        modality=modality,
        body_part=body_part,
        tags=tags,
        provenance=provenance,
    )


def plain_id(path: str) -> str:
    """A path as part of an id: blanks become underscores."""
    return re.sub(r"\s+", "_", path)


def readable(name: str) -> str:
    """A folder's name as words: `no_tumor` is `no tumor`."""
    return " ".join(name.replace("_", " ").split())


def png_facts(path: Path) -> PngHeader | None:
    """Size, depth and colour out of a PNG file's first bytes; None where there is no such file."""
    try:
        with path.open("rb") as file:
            return png_header(file.read(PNG_HEADER_BYTES))
    except OSError:
        return None


def picture_at(root: Path, path: str, *, window: Window | None = None) -> MediaRef:
    """A picture below the root; gray PNG of 16 bits without a window gets one that shows all stored values."""
    facts = png_facts(root / path) if path.lower().endswith(".png") else None
    if facts is None or not facts.is_gray or facts.bits <= 8:
        return image(path, window=window)
    return image(path, bits=facts.bits, window=window or full_range(facts.bits))

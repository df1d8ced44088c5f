"""Which datasets are at hand: where their published files are looked for, and what to say of those that are not."""

from pathlib import Path

from osler.core.errors import InputError
from osler.datasets.dataset import Dataset, check_layout


def is_here(dataset: Dataset, name: str, root: Path | None, *, split: str) -> bool:
    """Whether the files that list a split's rows are below `root`."""
    if root is None:
        return False
    try:
        check_layout(dataset, name, root, split=split)
    except InputError:
        return False
    return True


def splits_here(dataset: Dataset, name: str, root: Path) -> list[str]:
    """The splits whose files are below `root`."""
    return [split for split in dataset.splits if is_here(dataset, name, root, split=split)]


def status(dataset: Dataset, name: str, data_root: Path) -> str:
    """`here` where a split is below `data_root/NAME`, else how one gets it: `on request`, `hub` or `elsewhere`."""
    if splits_here(dataset, name, data_root / name):
        return "here"
    if dataset.access != "open":
        return "on request"
    return "hub" if dataset.hub_id else "elsewhere"

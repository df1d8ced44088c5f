"""Identity: what decides an answer, as one hash, so that a later run takes no answer that it would not have got."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_folder, sha256_bytes, sha256_file, sha256_json
from osler.evaluation.conditions import Ask
from osler.evaluation.items import Item
from osler.evaluation.shots import Shot

_BOOKKEEPING = {"started.json", "manifest.json"}


def folder_sha256(folder: Path) -> str:
    """The hash of a model folder's files: weights, configuration, tokenizer and chat template.

    Names that begin with a dot and a command's own bookkeeping do not count.
    """
    root = existing_folder(folder)
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name not in _BOOKKEEPING]
    names = {path.relative_to(root).as_posix(): path for path in files}
    shown = {name: path for name, path in names.items() if not any(part.startswith(".") for part in Path(name).parts)}
    return sha256_json({name: sha256_file(path) for name, path in shown.items()})


def cache_key(ask: Ask, identity: Mapping[str, Any]) -> str:
    """The hash over the model, the words, the images' bytes, how they are shown, and the settings of the decode.

    Args:
        ask: its words hold suffixes and exemplars, its images' hashes those of the exemplars.
        identity: of the model: its name, and either the hash of its folder or what is declared of an endpoint.
    """
    shapes = [
        [ref.kind, ref.width, ref.height, ref.bits, ref.window and [ref.window.center, ref.window.width]]
        for turn in ask.turns
        for ref in turn.media
    ]
    return sha256_json(
        {
            "model": dict(identity),
            "prompt": ask.prompt_sha256,
            "images": list(ask.image_sha256s),
            "shapes": shapes,
        }
    )


def check_images(asks: Iterable[Ask], load_images: Callable[[Item | Shot], tuple[bytes, ...]]) -> None:
    """Hold the stored images to what the index says of them, each once, before anything is asked.

    Raises:
        InputError: a file is not there or its bytes are others; a question has more or fewer images than files.
    """
    seen: set[tuple[int, str, int]] = set()
    for ask in asks:
        num_places = sum(len(turn.media) for turn in ask.turns)
        if num_places != len(ask.image_sha256s):
            raise InputError(
                f"task {ask.item.task!r}: item {ask.item.id!r} does not fit its images",
                expected=f"{num_places}, as its words have places for",
                got=f"{len(ask.image_sha256s)} stored",
                fix="Curate the data again.",
            )
        for source in ask.pictured:
            places = {(source.store, source.row["shard"], offset) for offset in source.row["media_offsets"]}
            if not places <= seen:
                _check_bytes(source, load_images(source))
                seen |= places


def _check_bytes(source: Item | Shot, images: tuple[bytes, ...]) -> None:
    for number, (digest, data) in enumerate(zip(source.image_sha256s, images, strict=True)):
        found = sha256_bytes(data)
        if found != digest:
            raise InputError(
                f"image {number} of item {source.sample.id!r} is not the one that was stored",
                expected=f"the hash {digest[:16]}...",
                got=f"{found[:16]}...",
                fix="Curate the data again.",
            )

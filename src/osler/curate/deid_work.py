"""A chunk of DICOM files to clean pictures and scans; a finished chunk is never made twice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.files import atomic_write, read_json, sha256_json, write_json
from osler.media.deid import Clean, HeldBack, Ocr, Policy, deidentify, png_frames, shown_window
from osler.media.deid_header import Times
from osler.media.deid_key import Pseudonyms
from osler.media.deid_ocr import TextFinder

SCANS = frozenset({"CT", "MR", "PT"})
_MAX_FILE_BYTES = 2 << 30


@dataclass(frozen=True)
class WorkSettings:
    """What every chunk of a run shares; see `deid.DeidConfig`."""

    names: Pseudonyms
    ocr: Ocr
    times: Times
    markers: tuple[str, ...]
    dicom: str
    frames: int


@dataclass(frozen=True)
class Chunk:
    """Some of the files below `root`; `first` is the number of the first in the sorted list of all."""

    root: Path
    number: int
    files: tuple[str, ...]
    first: int


def make_chunk(chunk: Chunk, out: Path, work: WorkSettings) -> Path:
    """Clean a chunk's files. Its last act is to write `chunks/NUMBER.json`, which says that it is finished."""
    done = out / "chunks" / f"{chunk.number:05d}.json"
    fingerprint = _fingerprint(chunk, work)
    if done.is_file() and read_json(done)["job"] == fingerprint:
        return done
    policy = Policy(work.names, TextFinder(work.markers), work.ocr, work.times)
    rows, held = [], []
    for number, name in enumerate(chunk.files, start=chunk.first):
        found = _cleaned(chunk.root / name, policy)
        if isinstance(found, HeldBack):
            held.append({"file": number, "reason": found.reason})
        else:
            rows.append({"file": number, **_written(found, out, work)})
    write_json(done, {"job": fingerprint, "rows": rows, "held_back": held})
    return done


def _cleaned(path: Path, policy: Policy) -> Clean | HeldBack:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return HeldBack("file too large")
        data = path.read_bytes()
    except OSError as error:
        return HeldBack(f"cannot be read: {type(error).__name__}")
    return deidentify(data, policy)


def _written(clean: Clean, out: Path, work: WorkSettings) -> dict[str, Any]:
    """Write what a clean instance becomes; returns its row."""
    subject = clean.subject
    is_scan = clean.facts.get("Modality") in SCANS and clean.picture.is_gray
    images: list[str] = []
    if not is_scan:
        frames = _spread(len(clean.picture.frames), work.frames)
        for number, png in zip(frames, png_frames(clean, frames), strict=True):
            images.append(f"images/{subject.patient}/{subject.study}/{subject.instance}-{number:04d}.png")
            _write(out / images[-1], png)
    dicom = ""
    if is_scan or work.dicom == "all":
        dicom = f"dicom/{subject.patient}/{subject.study}/{subject.series}/{subject.instance}.dcm"
        _write(out / dicom, clean.dicom)
    shown: dict[str, Any] = {"bits": 16 if clean.picture.is_gray and clean.picture.bits > 8 else 8, "window": None}
    if clean.picture.is_gray and (clean.picture.bits > 8 or clean.window):
        shown["window"] = shown_window(clean).model_dump()
    return {
        "patient": subject.patient,
        "study": subject.study,
        "series": subject.series,
        "instance": subject.instance,
        "uid": clean.uid,
        "facts": clean.facts,
        "images": images,
        "dicom": dicom,
        "shown": shown,
        "num_masked": clean.num_masked,
    }


def _spread(total: int, count: int) -> list[int]:
    """`count` numbers evenly from 0 to `total` - 1, or all of them."""
    return sorted({int(n) for n in np.linspace(0, total - 1, min(count, total)).round()})


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path) as file:
        file.write(data)


def _fingerprint(chunk: Chunk, work: WorkSettings) -> str:
    """Names of files enter under the key only: a plain hash of a short list could be guessed."""
    options = [work.ocr, work.times, list(work.markers), work.dicom, work.frames, work.names.fingerprint()]
    return sha256_json([options, chunk.number, chunk.first, work.names.token("chunk", *chunk.files)])

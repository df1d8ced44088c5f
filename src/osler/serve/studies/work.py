"""Work on one upload, done in a sandbox: the bytes of a body in, pictures without a person and facts of them out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.core.sandbox import Work
from osler.media.deid import (
    Clean,
    HeldBack,
    Ocr,
    Policy,
    deidentify,
    png_frames,
    read_instance,
    reopen,
)
from osler.media.deid_header import Times
from osler.media.deid_key import Pseudonyms
from osler.media.deid_ocr import MARKERS, TextFinder, silent_libraries
from osler.media.deid_pixels import Limits, Unfit
from osler.media.deid_tags import MODALITIES
from osler.media.image import encode_png8
from osler.media.presentation import shown_frames
from osler.media.slices import CT_WINDOWS
from osler.schema.media import Window
from osler.serve.studies.planes import reformatted
from osler.serve.studies.refused import Refused
from osler.serve.studies.sight import Series, series_of, share_out
from osler.serve.studies.unpack import Amounts, parts_of
from osler.serve.studies.values import told_values

Plane = Literal["", "axial", "coronal", "sagittal"]
_PNG_LEVEL = 1


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is wanted of an upload.

    images: how many pictures in all. window: center and width in the values after rescale (HU for CT), or the name of a
    CT window; None for the header's. which: of several windows in a header, from 0. values: the stored gray values,
    too, for a page that sets windows itself. keep: clean DICOM files of all instances. plane: scans are cut anew in it.
    """

    images: int = 8
    window: tuple[float, float] | str | None = None
    which: int = 0
    values: bool = False
    keep: bool = False
    plane: Plane = ""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How uploads are cleaned, and what is refused of them. key: of the pseudonyms, in hexadecimal."""

    key: str = field(repr=False)
    ocr: Ocr = "all"
    times: Times = "hour"
    markers: tuple[str, ...] = MARKERS
    parts: int = 2000
    inflated_bytes: int = 512 << 20
    deflated_bytes: int = 64 << 20
    values: int = 1 << 28
    frame_pixels: int = 40_000_000


def start(options: dict[str, Any]) -> Work:
    """The work under `Rules` as JSON; the target of a `Sandbox`. Loads the text detector and warms it up."""
    rules = Rules(**{**options, "markers": tuple(options.get("markers", MARKERS))})
    finder = TextFinder(rules.markers)
    return work_under(rules, finder)


def work_under(rules: Rules, finder: Any) -> Work:
    """The same with a text detector of the caller's."""
    limits = Limits(rules.deflated_bytes, rules.values, rules.frame_pixels)
    names = Pseudonyms(bytes.fromhex(rules.key))
    policy = Policy(names, finder, rules.ocr, rules.times, limits)
    amounts = Amounts(rules.parts, rules.inflated_bytes)

    def work(value: Any, blobs: list[bytes]) -> tuple[Any, list[bytes]]:
        ask = Ask(**value["ask"])
        try:
            with silent_libraries():
                parts = parts_of(blobs[0], value["type"], amounts)
                return _Upload(parts, policy, ask, is_clean=bool(value.get("is_clean"))).told()
        except Refused as refused:
            return {"refused": [{"part": 0, **refused.told()}], "status": refused.status, "studies": []}, []

    return work


def options_of(rules: Rules) -> dict[str, Any]:
    """The rules as the JSON that `start` takes."""
    return asdict(rules)


class _Upload:
    """One upload while it is worked on. is_clean: the files were cleaned before and keep the names they have."""

    def __init__(self, parts: Sequence[bytes | Refused], policy: Policy, ask: Ask, *, is_clean: bool = False) -> None:
        self._parts, self._policy, self._ask, self._is_clean = parts, policy, ask, is_clean
        self._blobs: list[bytes] = []
        self._refused: dict[int, dict[str, str]] = {}

    def told(self) -> tuple[Any, list[bytes]]:
        """The answer; `status` where nothing of the upload could be taken."""
        headers = []
        for number, part in enumerate(self._parts):
            header = self._header(number, part)
            if header is not None:
                headers.append((number, header))
        series = series_of(headers)
        share_out(series, self._ask.images)
        studies: dict[str, dict[str, Any]] = {}
        days = [one.day for one in series if one.day]
        for one in series:
            told = self._series(one)
            if told is None:
                continue
            token = told.pop("study")
            before = (max(days) - one.day).days if one.day else None
            held = studies.setdefault(token, {"study": token, "patient": told["patient"], "days_before_latest": before})
            held.setdefault("series", []).append({k: v for k, v in told.items() if k != "patient"})
        refused = [{"part": number, **why} for number, why in sorted(self._refused.items())]
        answer: dict[str, Any] = {"studies": list(studies.values()), "refused": refused}
        if not studies:
            answer["status"] = 422
        return answer, self._blobs

    def _header(self, number: int, part: bytes | Refused) -> Any:
        if isinstance(part, Refused):
            self._refused[number] = part.told()
            return None
        try:
            header = read_instance(part, self._policy.limits, with_pixels=False)
            if "Rows" not in header:
                raise Unfit("no picture")
            series_of([(number, header)])
            return header
        except MemoryError:
            raise
        except Unfit as error:
            self._refuse(number, str(error))
        except Exception as error:  # noqa: BLE001 - a parser's words may quote the patient: only their kind is told
            self._refuse(number, f"damaged: {type(error).__name__}")
        return None

    def _refuse(self, number: int, reason: str) -> None:
        self._refused[number] = Refused(reason).told()

    def _series(self, series: Series) -> dict[str, Any] | None:
        """What is told of one series; None where none of its instances could be taken."""
        ask = self._ask
        told: dict[str, Any] = {}
        images: list[dict[str, Any]] = []
        taken: list[Clean] = []
        for part, wanted in zip(series.parts, series.wanted, strict=True):
            if not wanted and not ask.keep and not ask.plane and told:
                continue
            clean = self._clean(part, None if ask.keep or ask.plane else wanted)
            if clean is None:
                continue
            if not told:
                told = self._about(series, clean)
            notes = told["notes"]
            if clean.num_overlays and _OVERLAYS not in notes:
                notes.append(_OVERLAYS)
            taken.append(clean)
            if not ask.plane:
                images += self._images(clean, [clean.frames.index(n) for n in wanted if n in clean.frames])
        if not told:
            return None
        if ask.plane:
            images = self._cut(taken, len([n for wanted in series.wanted for n in wanted]), told["notes"])
        told |= {"images": images, "num_shown": len(images)}
        if ask.keep:
            told["files"] = [{"blob": self._put(clean.dicom), "instance": clean.subject.instance} for clean in taken]
        return told

    def _clean(self, part: int, wanted: tuple[int, ...] | None) -> Clean | None:
        data = self._parts[part]
        door = reopen if self._is_clean else deidentify
        found = door(data, self._policy, frames=wanted) if isinstance(data, bytes) else HeldBack("damaged")
        if isinstance(found, HeldBack):
            self._refuse(part, found.reason)
            return None
        return found

    def _about(self, series: Series, clean: Clean) -> dict[str, Any]:
        uid = (lambda kept: kept) if self._is_clean else self._policy.names.uid
        return {
            "study": clean.subject.study,
            "patient": clean.subject.patient,
            "series": clean.subject.series,
            "study_uid": uid(series.study),
            "series_uid": uid(series.uid),
            "modality": series.modality if series.modality in MODALITIES.split() else "",
            "body_part": clean.facts.get("BodyPartExamined", ""),
            "view": clean.facts.get("ViewPosition", ""),
            "num_instances": len(series.parts),
            "num_frames": series.num_frames,
            "notes": [],
        }

    def _images(self, clean: Clean, places: Sequence[int]) -> list[dict[str, Any]]:
        window = _window(self._ask, clean.facts.get("Modality", ""))
        grays = shown_frames(clean.picture, clean.presentations, places, window=window, which=self._ask.which)
        told = []
        for place, pixels in zip(places, grays, strict=True):
            png = encode_png8(pixels, level=_PNG_LEVEL)
            one = {
                "instance": clean.subject.instance,
                "instance_uid": clean.uid,
                "class_uid": clean.class_uid,
                "frame": clean.frames[place] + 1,
                "num_masked": clean.num_masked,
                **_picture(png, pixels.shape, self._put(png)),
            }
            values = self._values(clean, place) if self._ask.values and clean.picture.is_gray else None
            if values is not None:
                one["values"] = values
            told.append(one)
        return told

    def _values(self, clean: Clean, place: int) -> dict[str, Any] | None:
        """Stored values, turned so that the least is black, and how they are shown at first."""
        shown = clean.presentations[min(place, len(clean.presentations) - 1)]
        told = told_values(clean.picture, shown, place, which=self._ask.which)
        if told is None:
            return None
        return {"blob": self._put(png_frames(clean, [place])[0]), "bits": 16 if clean.picture.bits > 8 else 8, **told}

    def _cut(self, taken: Sequence[Clean], count: int, notes: list[str]) -> list[dict[str, Any]]:
        plane = self._ask.plane
        if not plane or not count:
            return []
        window = _window(self._ask, taken[0].facts.get("Modality", ""))
        try:
            cut = reformatted([clean.dicom for clean in taken], plane, count, window=window)
        except InputError:
            notes.append(_NO_VOLUME)
            return []
        return [
            {"plane": plane, "slice": index + 1, **_picture(png, (height, width), self._put(png))}
            for index, png, height, width in cut
        ]

    def _put(self, blob: bytes) -> int:
        self._blobs.append(blob)
        return len(self._blobs) - 1


_OVERLAYS = "overlay planes are left out"
_NO_VOLUME = "no volume: the instances do not say where they lie, or leave gaps"


def _picture(png: bytes, shape: tuple[int, ...], blob: int) -> dict[str, Any]:
    return {"height": shape[0], "width": shape[1], "sha256": sha256_bytes(png), "blob": blob}


def _window(ask: Ask, modality: str) -> Window | None:
    if ask.window is None:
        return None
    if isinstance(ask.window, str):
        return next((w for name, w in CT_WINDOWS.items() if name == ask.window and modality == "CT"), None)
    return Window(center=ask.window[0], width=ask.window[1])

"""Which part of a caption belongs to which panel."""

from collections.abc import Sequence
from dataclasses import dataclass

from osler.curate.panels.boxes import Box, order_is_clear
from osler.curate.panels.captions import CaptionParts, Part


@dataclass(frozen=True)
class Assignment:
    """What each panel is called and what is said of it, in the order of the boxes.

    names: a letter each, `ab` for the 28th panel. texts: its words, or None where no part is surely its own.
    doubt: why the words were not assigned; "" where each panel has its own.
    contradicts: the caption and the boxes cannot both be right.
    """

    names: tuple[str, ...]
    texts: tuple[str | None, ...]
    doubt: str = ""
    contradicts: bool = False


def assign_parts(caption: CaptionParts, boxes: Sequence[Box], *, read: Sequence[str] = ()) -> Assignment:
    """Parts to panels, by the letters read in the picture where they are given, else by a reading order that is clear.

    Args:
        caption: the caption taken apart.
        boxes: the panels in reading order.
        read: what is written in or beside each panel, "" for nothing; e.g. from `read_labels`.
    """
    names = [panel_name(number) for number in range(len(boxes))]
    if not caption.parts:
        return _unassigned(names, "the caption names no panel")
    if caption.kind == "places":
        return _by_place(caption, boxes, names)
    labels = caption.labels
    if len(labels) != len(boxes):
        return _unassigned(names, f"the caption names {len(labels)} panels, {len(boxes)} were found", contradicts=True)
    if not all(part.text for part in caption.parts):
        return _unassigned(names, "some labels stand before their words, some behind")
    seen = [label.strip(" ().:").lower() for label in read]
    if sorted(seen) == sorted(labels) and len(set(seen)) == len(boxes):
        return Assignment(tuple(seen), tuple(_text(caption.parts, label) for label in seen))
    known = [(name, label) for name, label in zip(labels, seen, strict=False) if label in labels]
    if any(name != label for name, label in known):
        return _unassigned(names, "the labels read in the picture are in another order and not complete")
    if not order_is_clear(list(boxes)) and 2 * len(known) < len(boxes):
        return _unassigned(names, "the panels have no one reading order")
    return Assignment(tuple(labels), tuple(_text(caption.parts, label) for label in labels))


def panel_name(number: int) -> str:
    """A to z, then aa, ab, ..."""
    return (panel_name(number // 26 - 1) if number >= 26 else "") + "abcdefghijklmnopqrstuvwxyz"[number % 26]


def _text(parts: Sequence[Part], label: str) -> str:
    return " ".join(part.text for part in parts if label in part.labels)


def _unassigned(names: list[str], doubt: str, *, contradicts: bool = False) -> Assignment:
    return Assignment(tuple(names), (None,) * len(names), doubt, contradicts)


def _by_place(caption: CaptionParts, boxes: Sequence[Box], names: list[str]) -> Assignment:
    """Each part to the panels that lie where it says; every panel must be meant by exactly one part."""
    x_middle = (min(box[0] for box in boxes) + max(box[2] for box in boxes)) / 2
    y_middle = (min(box[1] for box in boxes) + max(box[3] for box in boxes)) / 2
    texts: list[str | None] = []
    for box in boxes:
        meant = [part for part in caption.parts if _lies(box, part.labels[0], x_middle, y_middle)]
        texts.append(meant[0].text if len(meant) == 1 and meant[0].text else None)
    if None in texts or len(set(texts)) < len(caption.parts):
        return _unassigned(names, "the caption's places do not tell the panels apart")
    return Assignment(tuple(names), tuple(texts))


def _lies(box: Box, place: str, x_middle: float, y_middle: float) -> bool:
    tests = {
        "left": box[2] <= x_middle * 1.02,
        "right": box[0] >= x_middle * 0.98,
        "top": box[3] <= y_middle * 1.02,
        "bottom": box[1] >= y_middle * 0.98,
        "middle": box[0] < x_middle < box[2] and box[1] < y_middle < box[3],
    }
    return all(tests[word] for word in place.split())

"""Labels: which classes a sample of a classification set says that its picture belongs to.

a choice among options, or one of declared labels    one class of these
tags `label:NAME`, or several names in an answer     several classes (multi-label)
a checklist "nodule yes, effusion no, ..."           findings of drawn films: `target` says in which form
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from osler.core.errors import InputError, did_you_mean
from osler.schema.sample import Sample

NONE = "none"
_CHECKLIST = re.compile(r"([a-z_ ]+?) (yes|no)(?:, |\.$)")
_NOTHING = {"no finding", "no_finding", ""}


@dataclass(frozen=True)
class Labelled:
    """What a sample says. classes: the declared ones, in order; () where only all samples together tell them."""

    found: tuple[str, ...]
    classes: tuple[str, ...] = ()
    is_multi_label: bool = False


@dataclass(frozen=True)
class NotLabelled:
    """Why a sample has no label; `reason` is counted."""

    reason: str


def labels_of(sample: Sample, *, target: str = "", label_tag: str = "label") -> Labelled | NotLabelled:
    """The labels of one sample.

    Args:
        sample: of one picture.
        target: of a checklist: `findings` (several at once, the default), `one_finding` (which one, or none; films with
            several are left out), or the name of a finding (whether it is there).
        label_tag: tags that begin with this word and a colon name labels.

    Raises:
        InputError: `target` is no finding of the checklist.
    """
    if found := _CHECKLIST.findall(sample.answer.text) if sample.answer.kind == "text" else []:
        return _of_checklist({name: word == "yes" for name, word in found}, target)
    tagged = [tag.partition(":")[2] for tag in sample.tags if tag.startswith(f"{label_tag}:")]
    if tagged and label_tag != "label":
        return Labelled(tuple(tagged[:1])) if len(tagged) == 1 else NotLabelled(f"{len(tagged)} tags {label_tag}")
    if tagged:
        return Labelled(tuple(name for name in tagged if name.lower() not in _NOTHING), is_multi_label=True)
    answer = sample.answer
    if sample.task == "multi_label":
        names = (name.strip() for name in answer.text.split(","))
        return Labelled(tuple(name for name in names if name.lower() not in _NOTHING), is_multi_label=True)
    if answer.kind == "choice":
        return Labelled((answer.text,), answer.options)
    if answer.kind == "closed" and answer.labels:
        return Labelled((answer.text,), answer.labels)
    return NotLabelled(f"an answer of kind {answer.kind} names no class")


def declared_classes(name: str, found: Sequence[Labelled]) -> tuple[str, ...]:
    """The classes of a set: as its samples declare, which must agree; else all that any of them names, sorted.

    Raises:
        InputError: samples declare different classes, or there are fewer than two.
    """
    declared = {labelled.classes for labelled in found}
    if len(declared) > 1:
        lists = sorted("/".join(classes) for classes in declared)
        raise InputError(
            f"the samples of set {name!r} belong to different lists of classes",
            expected="one list",
            got=f"{len(declared)}, among them {lists[0][:80]} and {lists[1][:80]}",
            fix="Keep one of the sets in the folder with `tag`, such as tag: set:bloodmnist.",
        )
    classes = declared.pop() if declared else ()
    classes = classes or tuple(sorted({word for labelled in found for word in labelled.found}))
    present = {word for labelled in found for word in labelled.found}
    is_multi_label = any(labelled.is_multi_label for labelled in found)
    if len(classes) < 2 or (len(present) < 2 and not is_multi_label):
        raise InputError(
            f"set {name!r} has one class only, so there is nothing to tell apart",
            expected="images of at least two classes",
            got=", ".join(sorted(present)) or "no label at all",
        )
    return classes


def _of_checklist(present: dict[str, bool], target: str) -> Labelled | NotLabelled:
    names = tuple(present)
    found = tuple(name for name, is_there in present.items() if is_there)
    if target in ("", "findings"):
        return Labelled(found, names, is_multi_label=True)
    if target == "one_finding":
        if len(found) > 1:
            return NotLabelled("several findings, and the target is one_finding")
        return Labelled(found or (NONE,), (NONE, *names))
    if target not in present:
        raise InputError(
            f"no finding {target!r} in the checklist",
            expected=f"findings, one_finding or one of {', '.join(names)}",
            fix=did_you_mean(target, ["findings", "one_finding", *names]),
        )
    return Labelled((target,) if present[target] else (f"no {target}",), (f"no {target}", target))

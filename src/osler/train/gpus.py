"""Accelerators by name: how fast they multiply bfloat16 at most, and what they can hold."""

from dataclasses import dataclass

from osler.core.errors import InputError, did_you_mean

GIB = 2**30


@dataclass(frozen=True)
class Gpu:
    """One accelerator.

    Args:
        name: as a recipe says it.
        peak_flops: bfloat16 products with float32 sums per second, dense; data sheets often print the sparse figure,
            which is twice that.
        memory_bytes: what the driver reports, a little below the printed size.
        marks: words of the driver's device name, all of which it holds.
        source: the document with the peak.
    """

    name: str
    peak_flops: float
    memory_bytes: int
    marks: tuple[str, ...]
    source: str


def _gpu(name: str, tflops: float, memory_gib: float, marks: str, source: str) -> Gpu:
    return Gpu(name, tflops * 1e12, round(memory_gib * GIB), tuple(marks.split()), source)


# Of two entries that fit a device's name, the earlier is meant.
GPUS = (
    _gpu("b200", 2250, 178.3, "B200", "NVIDIA HGX B200 data sheet (36 PFLOP/s sparse for 8)"),
    _gpu("h200", 989.4, 139.8, "H200", "NVIDIA H200 data sheet"),
    _gpu("h100-pcie", 756, 79.1, "H100 PCIe", "NVIDIA H100 data sheet, PCIe"),
    _gpu("h100", 989.4, 79.1, "H100", "NVIDIA H100 data sheet, SXM"),
    _gpu("a100-80", 312, 79.1, "A100 80GB", "NVIDIA A100 data sheet"),
    _gpu("a100-40", 312, 39.4, "A100", "NVIDIA A100 data sheet"),
    _gpu("l40s", 362.1, 44.4, "L40S", "NVIDIA L40S data sheet"),
    _gpu("rtx-a6000", 154.8, 47.5, "RTX A6000", "NVIDIA Ampere GA102 white paper"),
    _gpu("rtx-4090", 165.2, 23.5, "RTX 4090", "NVIDIA Ada white paper, appendix A"),
    _gpu("rtx-3090", 71, 23.5, "RTX 3090", "NVIDIA Ampere GA102 white paper, appendix A"),
)


def gpu(name: str) -> Gpu:
    """The accelerator that a recipe calls `name`. Raises InputError with the nearest known one."""
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    known = [each.name for each in GPUS]
    if wanted not in known:
        raise InputError(
            f"unknown GPU {name!r}", expected=f"one of {', '.join(known)}", fix=did_you_mean(wanted, known)
        )
    return GPUS[known.index(wanted)]


def gpu_of_device(device_name: str) -> Gpu | None:
    """The entry that a driver's device name, such as `NVIDIA H100 80GB HBM3`, stands for; None where none does."""
    words = device_name.lower().replace("-", " ").split()
    return next((each for each in GPUS if all(mark.lower() in words for mark in each.marks)), None)

"""The commands of two stories: the recipes of recipes/tiny in order, and the lines of runs/tiny.sh."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TINY = ROOT / "recipes" / "tiny"


class Step(NamedTuple):
    """One tiny recipe: its command, its folder below out/e2e, and changes that put paths below the test's folder."""

    command: str
    out: str
    overrides: tuple[str, ...] = ()


TINY_STEPS = {
    "phantom": Step("synth", "phantom"),
    "phantom_pairs": Step("synth", "phantom_pairs"),
    "curate_phantom": Step("curate", "data"),
    "curate_vqa_rad": Step(
        "curate",
        "vqa_rad",
        (f"datasets=[{{name: vqa_rad, root: {ROOT}/tests/fixtures/datasets/vqa_rad, splits: [train, test]}}]",),
    ),
    "warm_tower": Step("train", "warm_tower"),
    "contrast": Step("train", "contrast"),
    "transfer_further": Step("transfer", "transfer_further"),
    "align": Step("train", "align"),
    "midtrain": Step("train", "midtrain"),
    "instruct": Step("train", "instruct"),
    "grpo": Step("rl", "grpo"),
    "rejection": Step("rl", "rejection"),
    "supervised": Step("rl", "supervised"),
    "transfer": Step("transfer", "transfer"),
    "export": Step("export", "export"),
    "eval": Step("eval", "eval"),
    "score": Step("score", "score"),
    "report": Step("report", "report"),
}


def tiny_commands() -> dict[str, list[str]]:
    """The commands of the tiny recipes that there are, by the recipe's name, each after what it reads."""
    return {
        name: ["osler", step.command, str(TINY / f"{name}.yaml"), *step.overrides, "--out", f"out/e2e/{step.out}"]
        for name, step in TINY_STEPS.items()
        if (TINY / f"{name}.yaml").is_file()
    }


def demo_commands() -> dict[str, list[str]]:
    """The commands of runs/tiny.sh, by their recipe's name, in order; recipe paths made absolute."""
    lines = (ROOT / "runs" / "tiny.sh").read_text(encoding="utf-8").splitlines()
    commands = [line.split() for line in lines if line.startswith("osler ")]
    return {Path(command[2]).stem: [*command[:2], str(ROOT / command[2]), *command[3:]] for command in commands}

"""The commands of a story, read from where they are written: recipe headers and runs/tiny.sh."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
TINY = ROOT / "recipes" / "tiny"
# In the order in which each makes what the next one reads.
TINY_ORDER = ("phantom", "curate", "warm_tower", "align", "midtrain", "instruct", "eval", "score", "report")


def tiny_commands() -> dict[str, list[str]]:
    """The command in each recipe's header, by the recipe's name, in order; recipe paths made absolute."""
    names = [name for name in TINY_ORDER if (TINY / f"{name}.yaml").is_file()]
    return {name: _command((TINY / f"{name}.yaml").read_text(encoding="utf-8")) for name in names}


def demo_commands() -> dict[str, list[str]]:
    """The commands of runs/tiny.sh, by their recipe's name, in order; recipe paths made absolute."""
    lines = (ROOT / "runs" / "tiny.sh").read_text(encoding="utf-8").splitlines()
    commands = [_absolute(line.split()) for line in lines if line.startswith("osler ")]
    return {Path(command[2]).stem: command for command in commands}


def _command(recipe: str) -> list[str]:
    line = next(line for line in recipe.splitlines() if line.startswith("#") and "osler " in line and "--out" in line)
    return _absolute(line.lstrip("# ").split())


def _absolute(words: list[str]) -> list[str]:
    return [str(ROOT / word) if word.startswith("recipes/") else word for word in words]

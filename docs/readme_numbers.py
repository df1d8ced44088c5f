"""Write the demo's numbers into the README, so that no number is typed by hand.

    python docs/readme_numbers.py out/tiny/report/report.json README.md

Needs nothing but Python. The text between the two markers is replaced.
"""

import json
import sys
from pathlib import Path

START = "<!-- demo-numbers:start -->"
END = "<!-- demo-numbers:end -->"
BASELINES = ("majority", "blind", "shuffled")


def main(report: str, readme: str) -> int:
    """Replace the table in `readme` by the one made from `report`."""
    found = json.loads(Path(report).read_text(encoding="utf-8"))
    table = "\n".join([numbers_table(found["headline"]), *differences(found.get("comparisons", []))])
    text = Path(readme).read_text(encoding="utf-8")
    if text.count(START) != 1 or text.count(END) != 1:
        print(f"{readme} must hold {START} and {END} once each", file=sys.stderr)
        return 2
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    Path(readme).write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")
    print(f"{readme}: numbers of {report}")
    return 0


def numbers_table(headline: list[dict]) -> str:
    """One row for the first metric of each task: score and baselines, each with its 95 % interval."""
    first = {row["task"]: row for row in reversed(headline)}
    rows = [first[name] for name in dict.fromkeys(row["task"] for row in headline)]
    lines = [
        "| task | metric | score (95 % interval) | majority | image withheld | image of another | n | unparsed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        baselines = " | ".join(_value(row["baseline"].get(name)) for name in BASELINES)
        lines.append(
            f"| {row['task']} | {row['metric']} | {_value(row)} | {baselines} | {row['n']} | {row['unparsed']} |"
        )
    return "\n".join(lines)


def differences(comparisons: list[dict]) -> list[str]:
    """One line for each metric of two models: by how much the second is above the first, on the same items."""
    said = [
        f"- {row['task']}, {row['second']} minus {row['first']}: {_signed(row['difference'])}" for row in comparisons
    ]
    return ["", *said] if said else []


def _signed(difference: dict) -> str:
    if difference["value"] is None:
        return "not measured"
    low, high = difference.get("ci_low"), difference.get("ci_high")
    interval = f" ({low:+.3f} to {high:+.3f})" if low is not None and high is not None else ""
    return f"{difference['value']:+.3f}{interval}, n {difference['n']}"


def _value(found: dict | None) -> str:
    if found is None or found["value"] is None:
        return "not measured"
    if found.get("ci_low") is None or found.get("ci_high") is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} ({found['ci_low']:.3f} to {found['ci_high']:.3f})"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} REPORT.json README.md")
    sys.exit(main(sys.argv[1], sys.argv[2]))

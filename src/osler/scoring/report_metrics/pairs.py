"""Two texts as one key, for extractors that look at a report and its reference together."""

import json


def pair_key(given: str, gold: str) -> str:
    """One text that holds both."""
    return json.dumps([given, gold], ensure_ascii=False)


def read_pair(key: str) -> tuple[str, str]:
    """The report given and the reference."""
    given, gold = json.loads(key)
    return given, gold

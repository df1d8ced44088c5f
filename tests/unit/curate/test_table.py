from collections import Counter

from osler.curate.audit import SetAudit
from osler.curate.mixture import Stated, Terms
from osler.curate.table import aligned, audit_lines

TERMS = Terms("toy", "MIT", "open")


def test_columns_are_even():
    assert aligned(("name", "n"), [("a", "1,000"), ("long name", "2")], left={"name"}) == [
        "name           n",
        "a          1,000",
        "long name      2",
    ]


def test_a_set_that_kept_nothing_is_not_drawn():
    empty = SetAudit(TERMS, "train", 5, is_here=True, read=5, dropped=Counter({"cap: x": 5}))
    full = SetAudit(Terms("other", "MIT", "open"), "train", 5, is_here=True, read=5, kept=5)
    text = list(audit_lines([empty, full], {"toy": Stated(weight=9)}, temperature=1.0, use="research"))
    assert text[1].split()[9:12] == ["0", "0.0%", "0.00"] and text[2].split()[9:12] == ["5", "100.0%", "1.00"]
    assert "toy train: dropped 5, cap: x" in text


def test_with_a_temperature_a_share_needs_every_size():
    here = SetAudit(TERMS, "train", 5, is_here=True, read=5, kept=5)
    gone = SetAudit(Terms("other", "MIT", "open"), "train", None)
    text = list(audit_lines([here, gone], {}, temperature=2.0, use="research"))
    assert text[1].split()[9:12] == ["?", "?", "?"]
    assert text[3].split()[:2] == ["all", "5"] and "+" in text[3]

"""Preferences and agreement on the page: what preference.json holds stands there, and other folders are refused."""

import pytest

from osler.core.errors import InputError
from osler.core.files import write_json
from osler.core.log import Log
from osler.report.judged import read_judged
from osler.report.judged_tables import judged_section
from osler.report.run import parse, run

RATE = {
    "first": "big <b>", "second": "small", "n": 6, "n_clusters": 3,
    "counts": {"first": 3, "second": 1, "tie": 1, "both_bad": 0, "inconsistent": 1},
    "rate": {"value": 0.667, "low": 0.4, "high": 0.9, "method": "x"},
    "decided": {"value": 0.75, "low": None, "high": None, "method": "x"},
    "p": {"p": 0.25, "method": "x"},
}  # fmt: skip
AGREEMENT = {
    "about": "presence", "raters": ["one", "label:ann"], "n": 12, "n_clusters": 3, "observed": 0.8, "kappa": 0.6,
    "kappa_quadratic": 0.7, "alpha": {"value": 0.65, "low": 0.5, "high": 0.8, "method": "x"}, "level": "ordinal",
}  # fmt: skip


@pytest.fixture
def preferred(tmp_path):
    def write(models=("big <b>", "small")):
        strengths = {model: {"value": None, "low": None, "high": None, "method": "x"} for model in models}
        rater = {
            "rater": "judge",
            "n": 6,
            "counts": {"unread": 2},
            "win_rates": [RATE],
            "log_strengths": strengths,
        }
        write_json(
            tmp_path / "preference.json",
            {
                "schema_version": 1,
                "models": list(models),
                "num_pairs": 8,
                "left_out": {"engine_failed": 2},
                "raters": [rater],
                "agreement": [],
            },
        )
        return tmp_path

    return write


def test_rates_counts_and_what_was_left_out_stand_there(preferred):
    page = judged_section(read_judged((preferred(),), ()))
    for words in ("big &lt;b&gt;", "0.667", "0.400 to 0.900", "0.2500", "2 engine failed", "8 pairs"):
        assert words in page
    assert "log strength" not in page  # of two models the win rate says it all
    assert "not measured" in judged_section(read_judged((preferred(("a", "b", "c")),), ()))


def test_agreement_of_a_judged_run_stands_there(tmp_path):
    write_json(tmp_path / "agreement.json", [AGREEMENT])
    page = judged_section(read_judged((), (tmp_path,)))
    assert "one and label:ann" in page and "0.650" in page and "0.600" in page
    write_json(tmp_path / "agreement.json", [])
    assert judged_section(read_judged((), (tmp_path,))) == ""


def test_a_report_of_preferences_alone(preferred, tmp_path):
    folder, out = preferred(), tmp_path / "out"
    found = run(parse({"preferences": [str(folder)]}), out, device="cpu", log=Log(quiet=True))
    assert found.counts["preferences"] == 1
    assert "Judges and readers" in (out / "report.html").read_text() and "Leaderboard" not in found.message


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no preferences"):
        read_judged((tmp_path,), ())

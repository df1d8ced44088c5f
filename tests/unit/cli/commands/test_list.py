from osler.cli.main import main
from osler.core.catalog import METRICS


def test_all_catalogues_that_hold_something_are_listed(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert f"metrics ({len(METRICS.names())})" in said


def test_one_catalogue_is_listed_with_summaries(capsys):
    assert main(["list", "metrics"]) == 0
    said = capsys.readouterr().out
    assert all(name in said and METRICS.summary(name) in said for name in METRICS.names())
    assert "datasets" not in said.splitlines()[0]

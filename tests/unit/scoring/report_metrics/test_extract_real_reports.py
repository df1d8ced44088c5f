"""Report metrics over the published fixture reports, read from the folder of test data."""

import csv
import json

import pytest

from osler.core.settings import read_settings
from osler.schema.sample import passage
from osler.scoring.report_metrics.chexbert import FINDINGS, positives
from osler.scoring.report_metrics.extract import Extractors
from osler.scoring.scorer import load_metric
from tiny_models import save_bertscore, save_chexbert, save_green, save_radgraph, save_ratescore

REPORTS = read_settings().test_data / "report_metric_fixtures"
SAVE = {
    "radgraph": save_radgraph,
    "chexbert": save_chexbert,
    "bertscore": save_bertscore,
    "ratescore": save_ratescore,
    "green": save_green,
}

if not REPORTS.is_dir():
    pytest.skip("the folder of test data holds no report_metric_fixtures", allow_module_level=True)


def test_the_published_label_files_name_the_findings_in_this_order():
    path = REPORTS / "CheXbert" / "src" / "labeled_reports.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0])[1:] == FINDINGS
    written = {"": 0, "1.0": 1, "0.0": 2, "-1.0": 3}
    found = [positives([written[row[name]] for name in FINDINGS], uncertain="negative") for row in rows]
    assert found[0] == {"No Finding"} and found[1] == {"Cardiomegaly", "Atelectasis", "Pleural Effusion"}


def test_every_report_metric_runs_over_the_published_pairs(tmp_path):
    for name, save in SAVE.items():
        save(tmp_path / name)
    extractors = Extractors({name: tmp_path / name for name in SAVE}, cache=tmp_path / "c.sqlite")
    path = REPORTS / "RadEval" / "docs" / "benchmarks" / "fixtures" / "divergence_examples.json"
    pairs = [(row["hyp"], passage(row["ref"])) for row in json.loads(path.read_text())][:6]
    same = [(answer.text, answer) for _, answer in pairs]
    for name in ("radgraph_f1/complete", "chexbert_f1", "radcliq", "ratescore", "bertscore", "green"):
        metric = load_metric(name).bound(extractors, [*pairs, *same])
        assert metric.reason(extractors) == ""
        low, high = metric.range
        values = [metric.score(*pair) for pair in [*pairs, *same]]
        assert all(value is None or low - 1e-6 <= value <= high + 1e-6 for value in values)
        if name == "green":
            assert values == [None] * len(values)  # a random model writes no analysis
        elif name == "radcliq":
            assert metric.aggregate(same) < metric.aggregate(pairs)
        else:
            assert metric.aggregate(same) >= metric.aggregate(pairs)

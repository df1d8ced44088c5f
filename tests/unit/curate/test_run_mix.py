"""Mixtures: weights, caps, filters, the declared use, where sets are found, and what `--dry-run` tells."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from osler.cli.main import main
from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate import run as curate_run
from osler.curate.run import dry_run_lines, inputs, parse, run
from osler.store.reader import Store

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datasets"
RECIPES = Path(__file__).parents[3] / "recipes"
QUIET = Log(quiet=True)


def entry(name: str, **fields) -> dict:
    return {"name": name, "root": str(FIXTURES / name), **fields}


def curate(out: Path, *datasets: dict, **fields) -> dict:
    run(parse({"datasets": list(datasets), **fields}), out, device="cpu", log=QUIET)
    return json.loads((out / "mixture.json").read_text())


def lines(*datasets: dict, **fields) -> str:
    return "\n".join(dry_run_lines(parse({"datasets": list(datasets), **fields}), QUIET))


def cells(text: str, name: str, split: str = "train") -> dict[str, str]:
    """A set's row of the table, by the heads of its columns."""
    table = [line.split("  ") for line in text.splitlines()]
    head, *rows = ([cell.strip() for cell in line if cell.strip()] for line in table if len(line) > 5)
    return dict(zip(head, next(row for row in rows if row[:2] == [name, split]), strict=True))


def test_weights_and_epochs_are_written_with_the_terms(tmp_path):
    sets = [entry("vqa_rad", weight=30), entry("slake", epochs=2), entry("covid_chestxray")]
    mixture = curate(tmp_path, *sets, use="research")
    train = mixture["splits"]["train"]
    kept = {name: facts["samples"] for name, facts in train.items()}
    assert kept == {"vqa_rad": 4, "slake": 3, "covid_chestxray": 4}
    assert {name: facts["weight"] for name, facts in train.items()} == {"vqa_rad": 30, "slake": 6, "covid_chestxray": 4}
    assert train["slake"]["epochs"] == 2 and train["vqa_rad"]["share"] == pytest.approx(30 / 40)
    assert train["vqa_rad"]["records"] == 2 and train["vqa_rad"]["licences"] == {"CC0-1.0": 4}
    films = train["covid_chestxray"]
    assert films["rows"] == 5 and films["dropped"] == {"use: licence NOASSERTION is not known to permit anything": 1}
    assert mixture["sets"]["slake"]["licence_id"] == "CC-BY-4.0" and mixture["use"] == "research"
    card = (tmp_path / "card.md").read_text()
    assert "| vqa_rad | train | 4 | 4 | 30 | 75.0% | 7.50 |" in card and "permits research, commercial" in card
    notice = (tmp_path / "NOTICE").read_text()
    assert "covid_chestxray" in notice and "4 samples: Creative Commons BY-NC-SA" in notice
    assert (tmp_path / "citations.bib").read_text().count("@misc{") == 3


def test_temperature_levels_the_weights(tmp_path):
    train = curate(tmp_path, entry("slake"), entry("covid_chestxray"), temperature=2)["splits"]["train"]
    assert train["covid_chestxray"]["weight"] / train["slake"]["weight"] == pytest.approx((4 / 3) ** 0.5)
    assert sum(facts["weight"] for facts in train.values()) == pytest.approx(7)


def test_a_cap_and_filters_are_counted_drops(tmp_path):
    sets = [entry("vqa_rad", cap=1), entry("slake", filters={"languages": ["en"]})]
    train = curate(tmp_path / "a", *sets, seed=1)["splits"]["train"]
    assert train["vqa_rad"]["dropped"] == {"cap: beyond the cap": 3} and train["vqa_rad"]["samples"] == 1
    assert train["slake"]["dropped"] == {"filters: language not chosen": 1}
    some = curate(tmp_path / "c", entry("vqa_rad", filters={"any_tag": ["type:PRES", "type:NONE"]}))["splits"]["train"]
    assert 0 < some["vqa_rad"]["samples"] < 4 and "filters: tag not chosen" in some["vqa_rad"]["dropped"]
    assert pq.read_table(tmp_path / "a" / "drops.parquet").num_rows == 4
    curate(tmp_path / "b", *sets, seed=1)
    assert Store(tmp_path / "a").table("train").equals(Store(tmp_path / "b").table("train"))


def test_a_split_may_be_stored_as_another(tmp_path):
    sets = [entry("vqa_rad", splits=["train", "test"], as_split="train", weight=12), entry("pubmed_qa")]
    train = curate(tmp_path, *sets)["splits"]["train"]
    store = Store(tmp_path)
    assert store.splits() == ["train"] and train["vqa_rad"]["samples"] == 6
    samples = store.samples(store.table("train", datasets=["vqa_rad"]).to_pylist())
    assert {sample.split for sample in samples} == {"train"} and "vqa_rad/test/5" in {sample.id for sample in samples}
    text = lines(*sets)
    both = [cells(text, "vqa_rad", split) for split in ("train", "test as train")]
    assert [row["weight"] for row in both] == ["8", "4"] and {row["epochs"] for row in both} == {"2.00"}
    assert [row["read"] for row in both] == ["4", "2"]


def test_drops_of_a_split_count_where_it_is_stored(tmp_path):
    sets = [entry("vqa_rad", splits=["train", "test"], as_split="test", cap=1)]
    (test,) = curate(tmp_path, *sets)["splits"].values()
    assert test["vqa_rad"]["rows"] == 6 and test["vqa_rad"]["dropped"] == {"cap: beyond the cap": 4}


def test_global_filters_hold_for_every_set_and_a_set_without_samples_is_said(tmp_path, capsys):
    sets = [entry("vqa_rad"), entry("covid_chestxray")]
    mixture = curate(tmp_path, *sets, filters={"licences": ["cc by-nc-sa"]})
    train = mixture["splits"]["train"]
    assert train["vqa_rad"]["samples"] == 0 and train["vqa_rad"]["weight"] == 0
    assert train["covid_chestxray"]["samples"] == 4
    assert "no sample of vqa_rad was kept" in capsys.readouterr().err


def test_a_choice_that_leaves_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"leaves no sample \(vqa_rad train: 4 rows, modality not chosen\).*Widen"):
        curate(tmp_path, entry("vqa_rad", filters={"modalities": ["xray"]}))


def test_stages_leave_out_whole_sets(tmp_path):
    with pytest.raises(InputError, match="no set is left to read.*phantom: used in the stages none, not in align"):
        curate(tmp_path, entry("phantom", filters={"stages": ["align"]}))
    table = lines(entry("vqa_rad"), entry("phantom", filters={"stages": ["align"]}))
    assert cells(table, "phantom")["read"] == "left out"
    assert "phantom train: left out, used in the stages none, not in align" in table
    mixture = curate(tmp_path, entry("vqa_rad"), entry("phantom", filters={"stages": ["align"]}))
    assert list(mixture["sets"]) == ["vqa_rad"] and "not in align" in mixture["left_out"]["phantom"]


def test_sets_that_are_not_at_hand_can_be_left_out_with_the_way_to_get_them(tmp_path, capsys):
    nowhere = {"name": "path_vqa", "root": str(tmp_path / "nowhere"), "splits": ["test"]}
    mixture = curate(tmp_path, entry("vqa_rad"), nowhere, absent="leave_out")
    assert list(mixture["sets"]) == ["vqa_rad"]
    assert mixture["left_out"]["path_vqa"] == "not at hand, test: hub; `osler show path_vqa` tells how to get it"
    assert "path_vqa is left out: not at hand" in capsys.readouterr().err
    with pytest.raises(InputError, match="no set is left to read.*path_vqa: not at hand"):
        curate(tmp_path / "none", nowhere, absent="leave_out")
    with pytest.raises(InputError, match="no folder .*nowhere with dataset path_vqa"):
        curate(tmp_path / "refused", entry("vqa_rad"), nowhere)


@pytest.fixture
def dark(tmp_path, monkeypatch) -> Iterator[dict]:
    """A set outside Osler, in VQA-RAD's layout, whose card states no licence."""
    (tmp_path / "dark_set.py").write_text(
        "from dataclasses import replace\nfrom osler.datasets.adapters.vqa_rad import DATASET as SOURCE\n"
        "DATASET = replace(SOURCE, licence='see card')\n"
    )
    package = tmp_path / "dark_lab"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (tmp_path / "dark_set.py").rename(package / "dark_set.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield {"name": "dark_lab.dark_set", "root": str(FIXTURES / "vqa_rad")}
    for module in [name for name in sys.modules if name.startswith("dark_lab")]:
        del sys.modules[module]


def test_an_unknown_licence_is_never_open(tmp_path, dark):
    with pytest.raises(InputError, match="1 of 1 sets.*dark_lab.dark_set .licence see card is not known"):
        inputs(parse({"datasets": [dark]}))
    with pytest.raises(InputError, match="must not be used for research"):
        curate(tmp_path / "out", dark)
    mixture = curate(tmp_path / "out", {**dark, "agreement": {"research": "the authors' letter"}})
    assert mixture["splits"]["train"]["dark_lab.dark_set"]["samples"] == 4
    assert "in the words of the recipe: the authors' letter" in (tmp_path / "out" / "NOTICE").read_text()


def test_a_forbidden_use_is_refused_and_told_after_the_table(tmp_path, dark, capsys):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(yaml.safe_dump({"datasets": [entry("vqa_rad"), dark], "use": "commercial"}))
    assert main(["curate", str(recipe), "--dry-run"]) == 2
    said = capsys.readouterr()
    assert yaml.safe_load(said.out)["use"] == "commercial"  # the table is a comment below the recipe
    row = cells(said.out.replace("# ", ""), "dark_lab.dark_set")
    assert (row["licence"], row["use"]) == ("NOASSERTION", "no")
    assert "must not be used for commercial: dark_lab.dark_set" in said.err
    assert not (tmp_path / "out").exists()


def test_the_table_counts_what_a_run_keeps(tmp_path):
    sets = [entry("vqa_rad", weight=10, splits=["train", "test"]), entry("covid_chestxray"), entry("pubmed_qa")]
    text = lines(*sets)
    mixture = curate(tmp_path, *sets)
    for split, held in mixture["splits"].items():
        for name, facts in held.items():
            row = cells(text, name, split)
            assert (int(row["read"]), int(row["kept"])) == (facts["rows"], facts["samples"])
            assert int(row["dropped"]) == sum(facts["dropped"].values())
            assert row["share"] == f"{facts['share']:.1%}" and row["epochs"] == f"{facts['epochs']:.2f}"
            table = Store(tmp_path).table(split, datasets=[name])
            assert int(row["text tokens"]) == sum(table["text_tokens"].to_pylist())
            assert int(row["tiles"]) == sum(table["tiles"].to_pylist())
    assert cells(text, "covid_chestxray")["use"] == "row by row"
    assert "covid_chestxray train: kept rows by licence: CC BY-NC-SA 4" in text
    assert "use: research, which the terms of 3 of its 3 sets allow" in text and "agreement" not in text


def test_sets_that_are_not_here_show_what_is_published(tmp_path, monkeypatch):
    monkeypatch.setenv("OSLER_DATA", str(tmp_path))
    text = lines(entry("vqa_rad"), {"name": "med_mcqa"}, {"name": "slake", "weight": 9}, entry("pubmed_qa", epochs=3))
    row = cells(text, "med_mcqa")
    assert (row["published"], row["read"], row["kept"], row["weight"], row["epochs"]) == (
        "182,822", "not here", "?", "182,822", "1.00",
    )  # fmt: skip
    assert cells(text, "slake")["weight"] == "9" and cells(text, "pubmed_qa")["epochs"] == "3.00"
    assert "2 of the 4 are not here" in text
    capped = lines(entry("vqa_rad"), {"name": "med_mcqa", "cap": 500})
    assert cells(capped, "med_mcqa")["weight"] == "500"
    filtered = lines(entry("vqa_rad"), {"name": "slake", "weight": 9, "filters": {"languages": ["en"]}})
    assert cells(filtered, "slake")["epochs"] == "?" and cells(filtered, "slake")["share"] != "?"
    unknown = lines(entry("vqa_rad"), {"name": "covid_chestxray"})
    row = cells(unknown, "covid_chestxray")
    assert (row["weight"], row["share"], row["epochs"]) == ("?", "?", "?") and cells(unknown, "vqa_rad")["share"] == "?"


def test_a_dry_run_looks_at_headers_only_where_images_are(tmp_path):
    root = tmp_path / "vqa_rad"
    shutil.copytree(FIXTURES / "vqa_rad", root)
    (root / "images" / "synpic2.jpg").unlink()
    row = cells(lines({"name": "vqa_rad", "root": str(root)}), "vqa_rad")
    assert row["tiles"] == "?" and row["images"] == "2 (1 not here)"


def test_a_set_without_a_root_is_looked_for_below_the_data_root(tmp_path, monkeypatch):
    monkeypatch.setenv("OSLER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match=r"no folder .*data.vqa_rad with dataset vqa_rad.*as published"):
        inputs(parse({"datasets": [{"name": "vqa_rad"}]}))
    shutil.copytree(FIXTURES / "vqa_rad", tmp_path / "data" / "vqa_rad")
    assert inputs(parse({"datasets": [{"name": "vqa_rad"}]})) == [tmp_path / "data" / "vqa_rad" / "trainset.json"]


def test_a_set_that_is_only_on_the_hub_is_fetched_for_a_run_and_not_for_its_table(tmp_path, monkeypatch, dark):
    source = tmp_path / "dark_lab" / "dark_set.py"
    source.write_text(source.read_text().replace("licence='see card'", "hub_id='owner/films'"))
    monkeypatch.setenv("OSLER_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    fetched = []
    monkeypatch.setattr(
        curate_run, "resolve_root", lambda root, *, offline: fetched.append(root) or FIXTURES / "vqa_rad"
    )
    dark.pop("root")
    assert "not here" in lines(dark) and fetched == []
    assert inputs(parse({"datasets": [dark]})) == [FIXTURES / "vqa_rad" / "trainset.json"]
    assert fetched == ["hub:owner/films"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets": [{"name": "slake", "weight": 3, "epochs": 1}]}, "'slake' has both weight and epochs"),
        ({"datasets": [{"name": "slake", "weight": 0}]}, "weight.*greater than 0"),
        ({"datasets": [{"name": "slake", "cap": 0}]}, "cap.*greater than 0"),
        ({"use": "profit"}, "use.*'research', 'commercial' or 'redistribute'.*got 'profit'"),
        ({"temperature": 0}, "temperature.*greater than 0"),
        ({"temperature": 2, "datasets": [{"name": "slake", "epochs": 2}]}, "has epochs, which a temperature"),
        ({"datasets": [{"name": "slake", "weight": 3}, {"name": "slake"}]}, "'slake' is named twice"),
        ({"filters": {"licences": ["CC BYE"]}}, "filters.licences: 'CC BYE' is no known licence"),
        ({"filters": {"licences": []}}, "filters.licences"),
        ({"filters": {"stages": ["alignment"]}}, "filters.stages.*'align'"),
        ({"filters": {"language": ["en"]}}, "unknown key 'filters.language'.*mean 'languages'"),
    ],
)
def test_a_wrong_mix_is_refused_before_anything_is_read(change, message):
    with pytest.raises(InputError, match=message):
        parse({"datasets": [{"name": "vqa_rad"}], **change})

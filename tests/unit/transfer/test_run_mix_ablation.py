"""The mix ablation compares what it says: one recipe for all, no test part learned from, every run measured."""

import re
from pathlib import Path

from osler.core.config import load_recipe
from osler.curate.run import parse as parse_curate
from osler.train.run import parse as parse_train
from osler.transfer.run import parse

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "recipes" / "transfer"
SCRIPT = (ROOT / "runs" / "mix_ablation.sh").read_text(encoding="utf-8")


def test_every_trained_tower_is_measured_and_the_start_too() -> None:
    config = parse(load_recipe(RECIPES / "mix_ablation.yaml"))
    mixes = re.search(r"for mix in ([a-z ]+);", SCRIPT)[1].split()
    seeds = re.search(r"for seed in ([0-9 ]+);", SCRIPT)[1].split()
    trained = {f"{mix}_{seed}" for mix in mixes for seed in seeds}
    assert {each.name for each in config.encoders} == trained | {"random", "start"}
    for each in config.encoders:
        wanted = Path(f"out/ablation/{each.name}/model")
        assert (each.encoder, each.folder) == (("tiny", None) if each.name == "random" else ("osler", wanted))


def test_no_test_picture_is_learned_from() -> None:
    config = parse_curate(load_recipe(RECIPES / "mix_ablation_real.yaml"))
    assert [source.splits for source in config.datasets] == [("train",)]
    assert re.findall(r"splits: \[([a-z, ]+)\]", SCRIPT) == ["train"]
    train = parse_train(load_recipe(RECIPES / "mix_ablation_train.yaml"))
    assert [each.split for each in train.data] == ["train"]
    learned = {each.dataset for each in parse(load_recipe(RECIPES / "mix_ablation.yaml")).sets} - {"busi", ""}
    assert learned == {"brain_tumor_mri", "wbc_blood"}


def test_runs_differ_in_data_and_seed_alone() -> None:
    calls = [line.split() for line in SCRIPT.splitlines() if line.strip().startswith("osler train")]
    _, runs = calls
    assert runs[2] == "recipes/transfer/mix_ablation_train.yaml"
    assert {word.strip('"').partition("=")[0] for word in runs if "=" in word} == {"data", "seed"}
    start = parse_train(load_recipe(RECIPES / "mix_ablation_train.yaml")).model.vision
    assert f"--out $out/{start.parts[-2]}" in SCRIPT

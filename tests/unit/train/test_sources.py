"""A mix taken apart into its datasets, each with its share of the draws."""

import json
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.schema.sample import Provenance
from osler.store.record import StoredRecord
from osler.store.shards import write_shard
from osler.train.pack import Lengths, plan_rows
from osler.train.sample_sizes import measure
from osler.train.sources import mixture_files, select_all
from osler.train.stage import DataConfig
from toy import samples


@pytest.fixture
def mix(tmp_path) -> Path:
    """20 records of set `many`, five samples each, and 20 of set `one`, one sample each; all without images."""
    records = []
    for number in range(40):
        name = "many" if number < 20 else "one"
        asked = [
            sample.model_copy(
                update={
                    "id": f"{name}/train/{number}/{place}",
                    "turns": tuple(turn.model_copy(update={"parts": turn.parts[1:]}) for turn in sample.turns),
                    "provenance": Provenance(dataset=name, record_id=str(number), licence="MIT"),
                }
            )
            for place, sample in enumerate(samples(number))
        ]
        records.append(StoredRecord(f"r{number:02d}", tuple(asked if name == "many" else asked[:1]), {}))
    write_shard(tmp_path, "train", 0, records=records, estimate=lambda sample: (20, 0))
    state(tmp_path, many=50, one=50)
    return tmp_path


def state(folder: Path, **weights: float) -> None:
    splits = {"train": {name: {"weight": weight} for name, weight in weights.items()}}
    (folder / "mixture.json").write_text(json.dumps({"splits": splits}))


def entry(folder: Path, **fields) -> DataConfig:
    return DataConfig.parse({"shards": str(folder), "by_dataset": True, **fields})


def test_each_dataset_is_a_selection_with_its_share_of_the_samples(mix):
    """Equal weights, but a drawn record of `many` brings four questions: it is drawn a quarter as often."""
    found = select_all([entry(mix, weight=3)], questions_per_image=4)
    assert [selection.table["dataset"].unique().to_pylist() for selection in found] == [["many"], ["one"]]
    assert [selection.weight for selection in found] == pytest.approx([3 * 0.2, 3 * 0.8])
    lengths = [Lengths(1.0, 4, 0, 96, 1) for _ in found]
    rows = plan_rows(
        found, lengths, num_rows=64, rows_per_step=4, row_tokens=200, questions_per_image=4, seed=0, window_shards=None
    )
    drawn = [0, 0]
    for row in rows:
        for document in row:
            drawn[document.selection] += len(document.rows)
    assert drawn[0] / sum(drawn) == pytest.approx(0.5, abs=0.02)


def test_without_it_the_store_is_one_source(mix):
    assert len(select_all([entry(mix, by_dataset=False)], questions_per_image=4)) == 1
    assert mixture_files([entry(mix), entry(mix, by_dataset=False)]) == [mix / "mixture.json"]


def test_a_set_with_no_weight_is_not_drawn_and_another_one_is_refused(mix):
    state(mix, many=1, one=1, gone=0)
    assert len(select_all([entry(mix)], questions_per_image=1)) == 2
    state(mix, many=1, other=1)
    with pytest.raises(InputError, match="name other datasets; expected many, one; got many, other"):
        select_all([entry(mix)], questions_per_image=1)


def test_a_store_without_weights_is_refused(mix):
    (mix / "mixture.json").write_text(json.dumps({"splits": {"test": {}}}))
    with pytest.raises(InputError, match="says nothing of split 'train'; expected one of test"):
        select_all([entry(mix)], questions_per_image=1)
    (mix / "mixture.json").unlink()
    with pytest.raises(InputError, match="data.by_dataset: .* does not say how.*Make the store with osler curate"):
        select_all([entry(mix)], questions_per_image=1)


def test_tasks_are_not_selected_in_a_mix(mix):
    with pytest.raises(InputError, match="by_dataset draws a mix as it was curated"):
        entry(mix, tasks={"toy_side": 1})


def test_sizes_are_measured_by_the_weights(mix):
    sizes = {"tile_px": 96, "max_tiles": 1, "max_upscale": None, "tile_tokens": 9}
    state(mix, many=1, one=1)
    even = measure([entry(mix)], questions_per_image=4, **sizes)
    state(mix, many=100, one=1)
    uneven = measure([entry(mix)], questions_per_image=4, **sizes)
    assert even.num_samples == 120 and uneven.tokens < even.tokens  # many questions share one template

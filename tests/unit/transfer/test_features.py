import numpy as np
import pytest

from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate.executor import Executor
from osler.transfer import features
from osler.transfer.features import EncoderSpec, FeatureCache, Job, encoded, extract, opened
from osler.transfer.resize import Resize
from transfer_world import class_folders, read

SPEC = EncoderSpec("tiny", None, 0, "cpu")
RESIZE = Resize("letterbox", "bicubic", 0, 96, "full_range")


def job(cache: FeatureCache, items=()) -> Job:
    return Job(SPEC, RESIZE, "float32", tuple(items), cache.folder, 4, 2)


def run(cache, items, executor=None) -> bool:
    return extract(cache, items, job(cache), executor=executor or Executor(), label="features", log=Log(quiet=True))


@pytest.fixture
def items(tmp_path):
    return read(class_folders(tmp_path / "set", per_class=4)).items


def test_features_are_those_of_the_tower_and_are_read_back(items, tmp_path):
    import torch

    cache = FeatureCache(tmp_path / "cache", "id")
    assert run(cache, items)
    kept = FeatureCache(tmp_path / "cache", "id")
    kept.refresh()
    loaded = opened(SPEC)
    pixels = torch.from_numpy(np.stack([RESIZE(item.read()) for item in items])).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (loaded.mean, loaded.std))
    with torch.inference_mode():
        expected = loaded.tower((pixels - mean) / std).numpy()
    assert kept.features(items).shape == (8, 128) and kept.features(items).dtype == np.float32
    assert np.abs(kept.features(items) - expected).max() < 1e-4


def test_what_is_kept_is_not_encoded_again_and_new_images_are(items, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path / "cache", "id")
    assert run(cache, items[:5])
    seen = []
    monkeypatch.setattr(features, "run_job", lambda job: seen.append(len(job.items)) or 0)
    assert run(cache, items[:5]) and not seen
    assert not run(cache, items) and seen == [3]


def test_ranks_share_the_work_and_only_the_last_has_all(items, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "JOB_IMAGES", 3)
    ranks = [FeatureCache(tmp_path / "cache", "id") for _ in range(2)]
    done = [run(cache, items, Executor("rank", 1, rank, 2)) for rank, cache in enumerate(ranks)]
    assert done == [False, True] and len(list(ranks[0].folder.glob("*.npz"))) == 3
    alone = FeatureCache(tmp_path / "alone", "id")
    assert run(alone, items)
    assert np.abs(alone.features(items) - ranks[1].features(items)).max() < 1e-4


def test_a_file_cut_by_a_kill_is_named(items, tmp_path):
    cache = FeatureCache(tmp_path / "cache", "id")
    run(cache, items[:2])
    path = next(cache.folder.glob("*.npz"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="is no file of features"):
        FeatureCache(tmp_path / "cache", "id").refresh()


def test_batches_come_in_order_and_the_last_may_be_smaller(items, tmp_path):
    found = list(encoded(job(FeatureCache(tmp_path, "id"), items[:6])))
    assert [(start, len(rows)) for start, rows in found] == [(0, 4), (4, 2)]

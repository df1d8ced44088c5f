import io

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from osler.datasets.adapters.vqa_rad import DATASET
from osler.datasets.dataset import read_drafts
from osler.datasets.media import read_media


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (3, 2), value).save(out, "PNG")
    return out.getvalue()


def test_the_hubs_files_are_read_with_their_pictures_inside(tmp_path):
    (tmp_path / "data").mkdir()
    for split, values in {"train": (1, 2, 1), "test": (2,)}.items():
        rows = [
            {
                "image": {"bytes": png(v), "path": None},
                "question": f"Is it {v}? ",
                "answer": "Yes" if v == 1 else "lung",
            }
            for v in values
        ]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / f"{split}-00000-of-00001-ab12.parquet")
    train = list(read_drafts(DATASET, "vqa_rad", tmp_path, split="train"))
    test = list(read_drafts(DATASET, "vqa_rad", tmp_path, split="test"))
    assert [(d.id, d.sample.answer.kind, d.sample.answer.text) for d in train[:2]] == [
        ("vqa_rad/train/hub-000000", "closed", "yes"),
        ("vqa_rad/train/hub-000001", "open", "lung"),
    ]
    assert train[0].sample.group == train[2].sample.group != train[1].sample.group == test[0].sample.group
    assert train[0].sample.media == train[2].sample.media and train[0].sample.tags == ()
    assert read_media(tmp_path, train[2].places[train[2].sample.media[0].path]) == png(1)

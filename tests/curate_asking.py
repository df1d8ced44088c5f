"""Records at level `rewrite` and endpoints for tests of operators that ask a model."""

import numpy as np
import pyarrow as pa

from osler.curate.operator import REWRITES
from osler.media.image import encode_png8
from osler.schema.sample import Mention, Sample, image, passage, user

PNG = encode_png8(np.full((40, 30), 90, np.uint8))


def sample(number: int, caption: str, **fields) -> Sample:
    turns = (user(image(f"{number}.png"), "Describe this image."),)
    return Sample(
        **{"id": f"toy/train/{number}", "turns": turns, "answer": passage(caption), "task": "caption"} | fields
    )


def table(*samples: Sample, media: bytes | None = PNG) -> pa.Table:
    rows = [
        {
            "row": row, "key": f"k{row}", "dataset": "toy", "split": "train", "sample_ids": [each.id],
            "media_paths": [ref.path for ref in each.media], "media": [media for _ in each.media],
            "samples": [each.model_dump_json(exclude_defaults=True)],
        }
        for row, each in enumerate(samples)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=REWRITES)


def samples_of(kept) -> list[Sample]:
    return [Sample.model_validate_json(text) for row in kept.table["samples"].to_pylist() for text in row]


def mentioned(number: int, *paragraphs: str) -> Sample:
    return sample(number, "A film.", mentions=tuple(Mention(text=text) for text in paragraphs))

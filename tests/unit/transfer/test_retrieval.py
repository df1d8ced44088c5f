from dataclasses import replace

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.media.image import encode_png8
from osler.schema.sample import Mention, Sample, closed, image, passage, user
from osler.store.record import Blob, stored_record
from osler.store.shards import write_shard
from osler.transfer.caption_pairs import read_pairs
from osler.transfer.ranks import ranks_both_ways
from osler.transfer.retrieval import measure_ranks, pair_notes
from toy import PROVENANCE, PX, picture

PNG = [encode_png8(picture(number)[0]) for number in range(6)]


def record(key, pngs, captions, *, group="", mentions=(), task="caption"):
    refs = [image(f"{n}.png") for n in range(len(pngs))]
    samples = [
        Sample(
            id=f"{key}/{number}",
            turns=(user(*refs, "Describe."),),
            answer=passage(words) if words is not None else closed("yes"),
            task=task,
            split="test",
            group=group or key,
            mentions=tuple(Mention(text=text) for text in mentions),
            provenance=PROVENANCE,
        )
        for number, words in enumerate(captions)
    ]
    return stored_record(key, samples, {f"{n}.png": Blob(data, "png", PX, PX, 8) for n, data in enumerate(pngs)})


def write(folder, records):
    write_shard(folder, "test", 0, records=records, estimate=lambda sample: (1, 1))
    return folder


def build(folder):
    """a and b are one image; a, c and d share a caption but for case and blanks; d has two captions."""
    return write(
        folder,
        [
            record("a", PNG[:1], ["A nodule."], group="p1"),
            record("b", PNG[:1], ["Another view."], group="p1"),
            record("c", PNG[1:2], ["a  nodule. "], group="p2"),
            record("d", PNG[2:3], ["A nodule.", "A round spot."], group="p0", mentions=["As Figure 2 shows, a spot."]),
            record("e", PNG[3:5], ["Two films."]),
            record("f", PNG[5:6], [None]),
        ],
    )


def test_repeats_of_images_and_texts_are_joined(tmp_path):
    pairs = read_pairs("toy", build(tmp_path), "test")
    assert (len(pairs.images), len(pairs.texts), pairs.num_read) == (3, 3, 5)
    assert set(pairs.texts) >= {"Another view.", "A round spot."}
    image_of = {item.sha256: number for number, item in enumerate(pairs.images)}
    words = [text.casefold() for text in pairs.texts]
    right = {(int(i), words[t]) for i, t in pairs.pairs}
    sha = {item.id: item.sha256 for item in pairs.images}
    first = image_of[sha.get("a") or sha["b"]]
    assert right == {
        (first, "a nodule."),
        (first, "another view."),
        (image_of[sha["c"]], "a nodule."),
        (image_of[sha["d"]], "a nodule."),
        (image_of[sha["d"]], "a round spot."),
    }
    assert pairs.text_groups[words.index("a nodule.")] == "p0"
    assert {(drop.id, drop.reason) for drop in pairs.drops} == {
        ("e", "several images"),
        ("f", "no text of the kind asked for"),
    }
    assert pairs.images[0].read() in PNG


def test_mentions_and_tasks_choose_the_texts(tmp_path):
    folder = build(tmp_path)
    both = read_pairs("toy", folder, "test", texts=("caption", "mention"))
    assert len(both.texts) == 4
    assert "As Figure 2 shows, a spot." in both.texts
    with pytest.raises(InputError, match="no image with a text.*expected captions of report"):
        read_pairs("toy", folder, "test", tasks=("report",))
    with pytest.raises(InputError, match="share one image"):
        read_pairs("toy", folder, "test", texts=("mention",))


def test_the_chosen_records_do_not_depend_on_how_many_there_are(tmp_path):
    few = [record(f"k{n}", PNG[n : n + 1], [f"Number {n}."]) for n in range(5)]
    first = read_pairs("toy", write(tmp_path / "a", few), "test", max_images=3)
    again = read_pairs("toy", write(tmp_path / "b", few[::-1]), "test", max_images=3)
    assert [item.id for item in first.images] == [item.id for item in again.images]
    assert first.sha256 == again.sha256
    assert first.sha256 != replace(first, texts=(*first.texts[:-1], "Else.")).sha256


def test_captions_all_the_same_and_a_single_image_are_refused(tmp_path):
    same = [record(f"k{n}", PNG[n : n + 1], ["Chest film."]) for n in range(3)]
    with pytest.raises(InputError, match="all records of split 'test'.*share one text, so every answer is right"):
        read_pairs("toy", write(tmp_path / "a", same), "test")
    with pytest.raises(InputError, match="share one image.*expected at least two different images; got 1"):
        read_pairs("toy", write(tmp_path / "b", [record("k", PNG[:1], ["One.", "Two."])]), "test")


def test_measures_by_hand(tmp_path):
    """Three images, three texts: images 0 and 1 share text 0; image 2 has texts 1 and 2."""
    pairs = replace(
        read_pairs("toy", build(tmp_path), "test"),
        pairs=np.array([[0, 0], [1, 0], [2, 1], [2, 2]]),
        image_groups=("p", "q", "r"),
        text_groups=("p", "r", "r"),
    )
    scores = np.array([[0.9, 0.1, 0.2], [0.3, 0.8, 0.4], [0.7, 0.2, 0.6]], dtype=np.float32)
    ranks = ranks_both_ways(np.eye(3, dtype=np.float32), scores.T.copy(), pairs.pairs)
    groups, num_right = (pairs.image_groups, pairs.text_groups), (pairs.num_right(0), pairs.num_right(1))
    found = measure_ranks(ranks, groups=groups, num_right=num_right, ks=(1, 2), notes=pair_notes(pairs))
    table = {(m.task, m.metric): m for m in found}
    # image 0: rank 1; image 1: texts 1 and 2 before its own, rank 3; image 2: text 0 before, rank 2
    to_text = [
        table["retrieval/image_to_text", name].estimate.value for name in ("recall_at_1", "recall_at_2", "median_rank")
    ]
    assert to_text == pytest.approx([1 / 3, 2 / 3, 2])
    # text 0: rank 1 by image 0; text 1: image 1 before image 2, rank 2; text 2: rank 1
    to_image = [
        table["retrieval/text_to_image", name].estimate.value for name in ("recall_at_1", "recall_at_2", "median_rank")
    ]
    assert to_image == pytest.approx([2 / 3, 1, 1])
    # by chance: one, one and two right of three texts
    assert table["retrieval/image_to_text", "recall_at_1"].baseline["chance"].value == pytest.approx(
        (1 / 3 + 1 / 3 + 2 / 3) / 3
    )
    assert table["retrieval/text_to_image", "recall_at_1"].n_clusters == 2
    low, high = table["retrieval/image_to_text", "recall_at_1"].estimate[1:3]
    assert 0 <= low < 1 / 3 < high <= 1
    assert (
        "3 different images and 3 different texts out of 5 pairs"
        in table["retrieval/image_to_text", "recall_at_1"].notes[0]
    )

"""Which words a picture gets, which records take part, and that both follow from the row number alone."""

from collections import Counter

import numpy as np
import pytest
import torch

from osler.core.errors import InputError
from osler.media.image import encode_png8
from osler.schema.sample import Mention, Provenance, Sample, closed, image, passage, user
from osler.store.reader import Store
from osler.store.record import Blob, stored_record
from osler.store.shards import write_shard
from osler.train.pack import Selection, select
from osler.train.pairs import PairCollator, corpus, pair_rows, share_cut, with_words, words_of

PROVENANCE = Provenance(dataset="toy", record_id="0", licence="CC0-1.0")


def sample(number: int, task: str = "caption", **fields) -> Sample:
    answer = passage(f"Caption {number}.") if task == "caption" else closed("yes")
    return Sample(
        id=f"{task}{number}", turns=(user(image("a.png"), "Is it?"),), answer=answer, task=task, split="train",
        group=f"g{number}", provenance=PROVENANCE, **fields,
    )  # fmt: skip


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Six records with a caption and two mentions, three with a question alone, two without a picture."""
    folder = tmp_path_factory.mktemp("figures")
    mentions = (Mention(text="As figure 1 shows."), Mention(text="See figure 1."))
    records = []
    for number in range(9):
        wide = np.full((40, 60), 20 * number, dtype=np.uint8)
        wide[:, 30:] = 255
        asked = [sample(number, "vqa")] if number >= 6 else [sample(number, mentions=mentions), sample(number, "vqa")]
        records.append(stored_record(f"r{number}", asked, {"a.png": Blob(encode_png8(wide), "png", 60, 40, 8)}))
    words = [Sample(id=f"w{n}", turns=(user("Words?"),), answer=passage("Words."), task="text", split="train",
                    group="w", provenance=PROVENANCE) for n in range(2)]  # fmt: skip
    records += [stored_record(f"w{n}", [each], {}) for n, each in enumerate(words)]
    write_shard(folder, "train", 0, records=records, estimate=lambda sample: (8, 1))
    return Store(folder)


def chosen(store: Store) -> Selection:
    return select(store, split="train", tasks=None, licences=None, weight=1.0)


def tokens(texts) -> dict[str, torch.Tensor]:
    return {"input_ids": torch.zeros(len(texts), 2, dtype=torch.int64)}


def collator(store: Store, texts=("caption", "mention"), **options) -> PairCollator:
    selection, _ = with_words(chosen(store), texts)
    rows = pair_rows([selection], num_rows=600, seed=0)
    return PairCollator([selection], rows, **{"image_size": 32, "tokens": tokens, "texts": texts, "seed": 0, **options})


def test_records_without_words_or_pictures_are_left_out_and_counted(figures: Store) -> None:
    selection, dropped = with_words(chosen(figures), ("caption",))
    assert dropped == {"no_picture": 2, "no_words": 3}
    assert (selection.table.num_rows, len(selection.task_weights)) == (6, 6)
    selection, dropped = with_words(chosen(figures), ("caption", "answer"))
    assert dropped == {"no_picture": 2, "no_words": 0}
    assert selection.table.num_rows == 15


def test_nothing_to_train_on_is_an_error(figures: Store) -> None:
    only = select(figures, split="train", tasks={"text": 1}, licences=None, weight=1.0)
    with pytest.raises(InputError, match="no record of .* has a picture with words; expected samples with caption"):
        with_words(only, ("caption",))


def test_each_showing_draws_a_text_of_its_own(figures: Store) -> None:
    read = collator(figures)
    drawn = Counter(read.read(number)[0] for number in range(300))
    assert drawn.keys() == {"As figure 1 shows.", "See figure 1.", *(f"Caption {n}." for n in range(6))}
    captions = sum(count for text, count in drawn.items() if text.startswith("Caption"))
    assert 70 < captions < 130  # a third of 300
    assert [read.read(n)[0] for n in range(50)] == [collator(figures).read(n)[0] for n in range(50)]
    assert [read.read(n)[0] for n in range(50)] != [collator(figures, seed=1).read(n)[0] for n in range(50)]


def test_every_record_is_shown_equally_often(figures: Store) -> None:
    read = collator(figures, texts=("caption",))
    # Rows are shuffled among sixteen, so that passes over the data end together after sixteen passes at the latest.
    assert Counter(read.read(number)[0] for number in range(96)) == {f"Caption {n}.": 16 for n in range(6)}


def test_words_of_a_short_answer_hold_its_question() -> None:
    assert words_of(sample(1, "vqa"), ("answer",)) == ["Is it? yes"]
    assert words_of(sample(1, mentions=(Mention(text="m"),)), ("mention",)) == ["m"]
    assert words_of(sample(1), ("mention",)) == ["Caption 1."]


def test_pictures_are_whole_unless_crops_are_asked_for(figures: Store) -> None:
    whole = collator(figures)([{"row": 0}])["pixel_values"]
    assert (whole.shape, whole.dtype) == ((1, 3, 32, 32), torch.uint8)
    assert torch.equal(whole[0, 0], whole[0, 1])
    assert (whole[0, 0, :, -8:] == 255).all()
    assert (whole[0, 0, :, :8] == whole[0, 0, 0, 0]).all()
    cropped = [collator(figures, min_crop=0.2)([{"row": n}])["pixel_values"] for n in range(4)]
    edges = [int((each[0, 0, 0] < 255).sum()) for each in cropped]
    assert len(set(edges)) > 1


def test_ids_tell_equal_words_and_equal_pictures(figures: Store) -> None:
    read = collator(figures)
    rows = list(range(60))
    made = read([{"row": n} for n in rows])["pair_ids"]
    texts, pictures = zip(*[read.read(n)[:2] for n in rows], strict=True)
    for column, values in ((0, texts), (1, pictures)):
        for n in rows:
            assert [(made[n, column] == made[m, column]).item() for m in rows] == [values[n] == values[m] for m in rows]


def test_corpus_and_the_share_that_is_cut(figures: Store) -> None:
    words = list(corpus([with_words(chosen(figures), ("caption",))[0]], ("caption",)))
    assert len(words) == 6
    assert share_cut(words, lambda texts: {"input_ids": [[0] * len(t.split()) for t in texts]}, 1) == 1.0
    assert share_cut([], lambda texts: {"input_ids": []}, 1) == 0.0

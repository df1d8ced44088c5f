"""Image-text retrieval: how often a right partner is among the first k, both ways, and its median rank.

R@k is the share of queries whose best right candidate has a rank of at most k; `ranks.py` says what a rank is and what
ties do. Queries are the different images, and the different texts; each weighs the same. A text that several images
have is right for each of them, and an image with several texts is right with any of them. Beside each R@k stands what a
random order of the candidates has on average.
"""

from collections.abc import Sequence

import numpy as np

from osler.transfer.caption_pairs import Pairs
from osler.transfer.measure import Measure, mean_measure, median_measure
from osler.transfer.ranks import chance_median, chance_recall, ranks_both_ways

DEFAULT_KS = (1, 5, 10)
_SIGNATURE = "right:any-partner|repeats:joined|ties:against|v:1"


def measure_retrieval(
    pairs: Pairs, images_IE: np.ndarray, texts_TE: np.ndarray, *, ks: Sequence[int] = DEFAULT_KS, seed: int = 0
) -> list[Measure]:
    """R@k and median rank of both directions, with intervals that draw whole groups.

    Args:
        pairs: images and texts that belong together.
        images_IE: their images in the joint space, of length 1.
        texts_TE: their texts in the joint space, of length 1.
        ks: depths.
        seed: of the bootstrap.
    """
    ranks = ranks_both_ways(images_IE, texts_TE, pairs.pairs)
    num_images, num_texts = len(pairs.images), len(pairs.texts)
    ways = (
        (
            "image_to_text",
            ranks.images,
            pairs.image_groups,
            np.bincount(pairs.pairs[:, 0], minlength=num_images),
            num_texts,
        ),
        (
            "text_to_image",
            ranks.texts,
            pairs.text_groups,
            np.bincount(pairs.pairs[:, 1], minlength=num_texts),
            num_images,
        ),
    )
    notes = _notes(pairs)
    found: list[Measure] = []
    for way, of_way, groups, num_right, num_candidates in ways:
        task = f"retrieval/{way}"
        for k in ks:
            found.append(
                mean_measure(
                    task,
                    f"recall_at_{k}",
                    f"recall_at_{k}|{_SIGNATURE}",
                    values=(of_way <= k).astype(float),
                    groups=groups,
                    chance=float(chance_recall(num_right, num_candidates, k).mean()),
                    seed=seed,
                    notes=notes if k == ks[0] else (),
                )
            )
        found.append(
            median_measure(
                task,
                "median_rank",
                f"median_rank|{_SIGNATURE}",
                values=of_way.astype(float),
                groups=groups,
                chance=float(chance_median(num_right, num_candidates)),
                seed=seed,
            )
        )
    return found


def _notes(pairs: Pairs) -> tuple[str, ...]:
    shared = int((np.bincount(pairs.pairs[:, 1]) > 1).sum())
    several = int((np.bincount(pairs.pairs[:, 0]) > 1).sum())
    notes = [
        f"{len(pairs.images)} different images and {len(pairs.texts)} different texts out of {pairs.num_read} pairs; "
        f"{shared} texts have several images, {several} images several texts"
    ]
    reasons: dict[str, int] = {}
    for drop in pairs.drops:
        reasons[drop.reason] = reasons.get(drop.reason, 0) + 1
    notes += [f"{count} records left out: {reason}" for reason, count in sorted(reasons.items())]
    return tuple(notes)

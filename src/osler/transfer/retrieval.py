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
from osler.transfer.ranks import Ranks, chance_median, chance_recall

DEFAULT_KS = (1, 5, 10)
_SIGNATURE = "right:any-partner|repeats:joined|ties:against|v:1"


def measure_ranks(
    ranks: Ranks,
    *,
    groups: tuple[Sequence[str], Sequence[str]],
    num_right: tuple[np.ndarray, np.ndarray],
    ks: Sequence[int] = DEFAULT_KS,
    notes: tuple[str, ...] = (),
    seed: int = 0,
) -> list[Measure]:
    """R@k and median rank of both directions, with intervals that draw whole groups.

    Args:
        ranks: of images and of texts.
        groups: of the images, and of the texts.
        num_right: how many right partners each image has, and each text.
        ks: depths.
        notes: said with the first measure of either direction.
        seed: of the bootstrap.
    """
    num_images, num_texts = len(ranks.images), len(ranks.texts)
    ways = (
        ("image_to_text", ranks.images, tuple(groups[0]), num_right[0], num_texts),
        ("text_to_image", ranks.texts, tuple(groups[1]), num_right[1], num_images),
    )
    found: list[Measure] = []
    for way, of_way, of_groups, right, num_candidates in ways:
        task = f"retrieval/{way}"
        for k in ks:
            found.append(
                mean_measure(
                    task,
                    f"recall_at_{k}",
                    f"recall_at_{k}|{_SIGNATURE}",
                    values=(of_way <= k).astype(float),
                    groups=of_groups,
                    chance=float(chance_recall(right, num_candidates, k).mean()),
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
                groups=of_groups,
                chance=float(chance_median(right, num_candidates)),
                seed=seed,
            )
        )
    return found


def pair_notes(pairs: Pairs) -> tuple[str, ...]:
    """What a set of pairs holds, and what was left out."""
    shared = int((pairs.num_right(1) > 1).sum())
    several = int((pairs.num_right(0) > 1).sum())
    notes = [
        f"{len(pairs.images)} different images and {len(pairs.texts)} different texts out of {pairs.num_read} pairs; "
        f"{shared} texts have several images, {several} images several texts"
    ]
    reasons: dict[str, int] = {}
    for drop in pairs.drops:
        reasons[drop.reason] = reasons.get(drop.reason, 0) + 1
    notes += [f"{count} records left out: {reason}" for reason, count in sorted(reasons.items())]
    return tuple(notes)

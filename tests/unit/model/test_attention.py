"""Who sees whom in a packed row."""

import torch

from osler.model.attention import PADDING, packed_masks

# Two documents: the first with a prefix of 2 and two branches of 2, the second a bare branch of 2, then padding.
DOCUMENTS = torch.tensor([[0, 0, 0, 0, 0, 0, 1, 1, PADDING]])
BRANCHES = torch.tensor([[0, 0, 1, 1, 2, 2, 1, 1, 0]])
POSITIONS = torch.tensor([[0, 1, 2, 3, 2, 3, 0, 1, 0]])


def visible(sliding_window: int | None, kind: str) -> list[set[int]]:
    masks = packed_masks(DOCUMENTS, BRANCHES, POSITIONS, dtype=torch.float32, sliding_window=sliding_window)
    return [set(torch.nonzero(row == 0).flatten().tolist()) for row in masks[kind][0, 0]]


def test_a_branch_sees_its_prefix_and_itself_only() -> None:
    assert visible(None, "full_attention") == [
        {0},
        {0, 1},
        {0, 1, 2},
        {0, 1, 2, 3},
        {0, 1, 4},
        {0, 1, 4, 5},
        {6},
        {6, 7},
        {8},
    ]


def test_the_window_counts_positions_not_places_in_the_row() -> None:
    # Token 4 stands at place 4 but position 2: a window of 2 reaches position 1, which is place 1.
    assert visible(2, "sliding_attention")[4] == {1, 4}
    assert visible(2, "sliding_attention")[5] == {4, 5}


def test_no_sliding_mask_without_a_window() -> None:
    masks = packed_masks(DOCUMENTS, BRANCHES, POSITIONS, dtype=torch.float32, sliding_window=None)
    assert set(masks) == {"full_attention"}


def test_softmax_of_padding_stays_finite() -> None:
    mask = packed_masks(DOCUMENTS, BRANCHES, POSITIONS, dtype=torch.float32, sliding_window=2)["sliding_attention"]
    assert torch.isfinite(mask.softmax(-1)).all()

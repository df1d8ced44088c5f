"""Who sees whom in a packed row."""

import pytest
import torch

from osler.model.attention import PADDING, packed_attention, packed_mask_mod, packed_masks, packed_segments

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


@pytest.mark.parametrize("sliding_window", [None, 2])
def test_the_flex_rule_equals_the_dense_masks(sliding_window: int | None) -> None:
    dense = packed_masks(DOCUMENTS, BRANCHES, POSITIONS, dtype=torch.float32, sliding_window=sliding_window)
    rule = packed_mask_mod(DOCUMENTS, BRANCHES, POSITIONS, sliding_window=sliding_window)
    places = torch.arange(DOCUMENTS.shape[1])
    seen = rule(torch.tensor(0), torch.tensor(0), places[:, None], places[None, :])
    kind = "full_attention" if sliding_window is None else "sliding_attention"
    assert torch.equal(seen, dense[kind][0, 0] == 0)


def test_block_masks_are_made_from_the_rule() -> None:
    masks, beside = packed_attention(
        DOCUMENTS, BRANCHES, POSITIONS, implementation="flex_attention", dtype=torch.float32, sliding_window=2
    )
    assert set(masks) == {"full_attention", "sliding_attention"}
    assert beside == {}
    assert masks["full_attention"].shape == (1, 1, 9, 9)


def test_flash_kernels_get_the_documents_boundaries() -> None:
    documents = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, PADDING, PADDING]])
    branches = torch.tensor([[0, 1, 1, 1, 1], [0, 0, 1, 0, 0]])
    segments = packed_segments(documents, branches)
    assert segments["cu_seq_lens_q"].tolist() == [0, 2, 5, 8, 10]
    assert segments["cu_seq_lens_q"].dtype == torch.int32
    assert segments["max_length_k"] == 3


def test_flash_kernels_cannot_share_a_prefix() -> None:
    with pytest.raises(ValueError, match="questions_per_image to 1"):
        packed_segments(DOCUMENTS, BRANCHES)


def test_an_implementation_that_would_leak_is_refused() -> None:
    with pytest.raises(ValueError, match="'paged' cannot keep"):
        packed_attention(
            DOCUMENTS, BRANCHES, POSITIONS, implementation="paged", dtype=torch.float32, sliding_window=None
        )

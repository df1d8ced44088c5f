"""Which tokens of a packed row may see which.

A row holds several documents. A document is a shared prefix (branch 0: system words and images) and any
number of branches (questions with their answers) that see the prefix and themselves, not each other.

Axes: B rows, T tokens (Q as query, K as key).
"""

from collections.abc import Callable
from typing import Any

import torch

PADDING = -1

# (row, head, query place, key place), each a 0-d tensor -> may it be seen?
MaskMod = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def packed_attention(
    documents_BT: torch.Tensor,
    branches_BT: torch.Tensor,
    position_ids_BT: torch.Tensor,
    *,
    implementation: str,
    dtype: torch.dtype,
    sliding_window: int | None,
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What an attention implementation needs to keep packed documents apart: masks, and arguments beside them.

    `eager` and `sdpa` take dense masks, `flex_attention` block masks made on the device without the dense ones,
    flash kernels the documents' boundaries.

    Raises:
        ValueError: the implementation cannot keep these rows apart.
    """
    coordinates = documents_BT, branches_BT, position_ids_BT
    if implementation in {"eager", "sdpa"}:
        return packed_masks(*coordinates, dtype=dtype, sliding_window=sliding_window), {}
    if implementation == "flex_attention":
        return packed_block_masks(*coordinates, sliding_window=sliding_window), {}
    if implementation.startswith("flash_attention"):
        return None, packed_segments(documents_BT, branches_BT)
    raise ValueError(f"attention {implementation!r} cannot keep the documents of a packed row apart")


def packed_masks(
    documents_BT: torch.Tensor,
    branches_BT: torch.Tensor,
    position_ids_BT: torch.Tensor,
    *,
    dtype: torch.dtype,
    sliding_window: int | None,
) -> dict[str, torch.Tensor]:
    """Additive masks [B, 1, Q, K] for full and for sliding attention.

    The window is measured in positions, not in row order: a branch starts where its prefix ended, however
    far away the prefix lies in the row. Padding (`documents == PADDING`) sees only itself, which keeps the
    softmax finite.

    Args:
        documents_BT: number of the document a token belongs to, or PADDING.
        branches_BT: 0 for the shared prefix, 1, 2, ... for its branches.
        position_ids_BT: position of a token within its own document and branch.
        dtype: of the masks; forbidden pairs hold its lowest finite value.
        sliding_window: positions a sliding layer looks back, itself included. None: no sliding mask is made.
    """
    query, key = documents_BT[:, :, None], documents_BT[:, None, :]
    branch_query, branch_key = branches_BT[:, :, None], branches_BT[:, None, :]
    length = documents_BT.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=documents_BT.device).tril()
    itself = torch.eye(length, dtype=torch.bool, device=documents_BT.device)
    visible = causal & (query == key) & (query != PADDING) & ((branch_key == 0) | (branch_key == branch_query))
    masks = {"full_attention": _additive(visible | itself, dtype)}
    if sliding_window is not None:
        distance = position_ids_BT[:, :, None] - position_ids_BT[:, None, :]
        masks["sliding_attention"] = _additive(visible & (distance < sliding_window) | itself, dtype)
    return masks


def packed_block_masks(
    documents_BT: torch.Tensor,
    branches_BT: torch.Tensor,
    position_ids_BT: torch.Tensor,
    *,
    sliding_window: int | None,
) -> dict[str, Any]:
    """The rules of `packed_masks` as flex attention's BlockMasks, which skip blocks in which nothing is seen."""
    # Imported here: it brings the compiler, which eager training has no use for.
    from torch.nn.attention.flex_attention import create_block_mask

    num_rows, length = documents_BT.shape
    windows = {"full_attention": None} | ({} if sliding_window is None else {"sliding_attention": sliding_window})
    return {
        kind: create_block_mask(
            packed_mask_mod(documents_BT, branches_BT, position_ids_BT, sliding_window=window),
            B=num_rows,
            H=None,
            Q_LEN=length,
            KV_LEN=length,
            device=documents_BT.device,
        )
        for kind, window in windows.items()
    }


def packed_mask_mod(
    documents_BT: torch.Tensor,
    branches_BT: torch.Tensor,
    position_ids_BT: torch.Tensor,
    *,
    sliding_window: int | None,
) -> MaskMod:
    """The rules of `packed_masks` for one pair of places; no Python branch in it depends on a tensor."""

    def _visible(row: torch.Tensor, head: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        document, branch = documents_BT[row, query], branches_BT[row, key]
        seen = (key <= query) & (document == documents_BT[row, key]) & (document != PADDING)
        seen = seen & ((branch == 0) | (branch == branches_BT[row, query]))
        if sliding_window is not None:
            seen = seen & (position_ids_BT[row, query] - position_ids_BT[row, key] < sliding_window)
        return seen | (query == key)

    return _visible


def packed_segments(documents_BT: torch.Tensor, branches_BT: torch.Tensor) -> dict[str, Any]:
    """Boundaries of the documents in the rows laid end to end, by the names that flash kernels take them under.

    Raises:
        ValueError: a document has several branches: they share a prefix, which boundaries cannot say.
    """
    if int(branches_BT.max()) > 1:
        raise ValueError("flash attention cannot share a prefix; set pack.questions_per_image to 1")
    flat = documents_BT.reshape(-1)
    begins = torch.ones_like(flat, dtype=torch.bool)
    begins[1:] = flat[1:] != flat[:-1]
    begins[:: documents_BT.shape[1]] = True  # a row's last document is not the next row's first of the same number
    ends = torch.tensor([len(flat)], device=flat.device)
    bounds = torch.cat([begins.nonzero().flatten(), ends]).to(torch.int32)
    longest = int((bounds[1:] - bounds[:-1]).max())
    return {"cu_seq_lens_q": bounds, "cu_seq_lens_k": bounds, "max_length_q": longest, "max_length_k": longest}


def _additive(visible_BQK: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    mask = torch.zeros(visible_BQK.shape, dtype=dtype, device=visible_BQK.device)
    return mask.masked_fill_(~visible_BQK, torch.finfo(dtype).min)[:, None]

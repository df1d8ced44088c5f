"""Which tokens of a packed row may see which.

A row holds several documents. A document is a shared prefix (branch 0: system words and images) and any
number of branches (questions with their answers) that see the prefix and themselves, not each other.

Axes: B rows, T tokens (Q as query, K as key).
"""

import torch

PADDING = -1


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


def _additive(visible_BQK: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    mask = torch.zeros(visible_BQK.shape, dtype=dtype, device=visible_BQK.device)
    return mask.masked_fill_(~visible_BQK, torch.finfo(dtype).min)[:, None]

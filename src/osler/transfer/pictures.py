"""Pictures ahead of a model: files read, decoded and resized by threads while the model works.

Axes: B images, H and W pixels.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from osler.transfer.image_set import Item
from osler.transfer.resize import Shows

_BATCHES_AHEAD = 3


def batches(
    items: Sequence[Item], resize: Shows, *, batch_size: int, num_threads: int
) -> Iterator[tuple[int, np.ndarray]]:
    """The place of each batch's first item, and its pixels: uint8 [B, image_px, image_px, 3].

    Args:
        items: in order.
        resize: how each is shown.
        batch_size: of all batches but the last.
        num_threads: that decode; pillow lets them work side by side.
    """
    starts = list(range(0, len(items), batch_size))
    with ThreadPoolExecutor(max(1, num_threads)) as pool:
        waiting: list[tuple[int, list[Future[np.ndarray]]]] = []
        try:
            for start in [*starts, *[-1] * _BATCHES_AHEAD]:
                if start >= 0:
                    part = items[start : start + batch_size]
                    waiting.append((start, [pool.submit(_shown, item, resize) for item in part]))
                if waiting and (start < 0 or len(waiting) > _BATCHES_AHEAD):
                    first, futures = waiting.pop(0)
                    yield first, np.stack([future.result() for future in futures])
        finally:
            for _, futures in waiting:
                for future in futures:
                    future.cancel()


def _shown(item: Item, resize: Shows) -> np.ndarray:
    return resize(item.read(), item.window)

"""Embeddings of pictures that were seen before, so that the next question about them costs no tower."""

from collections import OrderedDict
from dataclasses import dataclass

import torch

from osler.serve.engine import Shown


@dataclass(frozen=True)
class Seen:
    """What must be the same for two pictures to share an entry.

    owner: whose request it was; what one key has shown, another can neither get nor notice by the time it takes.
    identity: bytes, shape, mode and preprocessing. model: whose tower it was.
    """

    owner: str
    identity: str
    model: str


class FeatureCache:
    """Keeps the embeddings used last, up to a number of bytes; used by one thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self.num_bytes, self.num_hits = max_bytes, 0, 0
        self._kept: OrderedDict[Seen, torch.Tensor] = OrderedDict()

    def get(self, key: Seen) -> torch.Tensor | None:
        """The embeddings [tiles, tokens, D]; None where they are not kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            self.num_hits += 1
        return found

    def put(self, key: Seen, features: torch.Tensor) -> None:
        """Keep embeddings; the ones that were not used for longest go."""
        features = features.clone()  # a slice would keep the whole batch alive
        if key not in self._kept:
            self._kept[key] = features
            self.num_bytes += features.nbytes
        while self.num_bytes > self._max_bytes:
            _, old = self._kept.popitem(last=False)
            self.num_bytes -= old.nbytes


def seen(shown: Shown, owner: str, model: str) -> Seen:
    """The key of a picture."""
    return Seen(owner, shown.identity, model)

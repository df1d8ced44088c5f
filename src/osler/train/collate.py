"""Planned rows to tensors: token ids, packed-row coordinates, labels and uint8 tiles.

Axes: B rows, T tokens, N tiles, C H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

import torch

from osler.core.errors import InputError
from osler.model.attention import PADDING
from osler.model.compose import IGNORED_LABEL
from osler.model.processor import OslerImageProcessor
from osler.model.prompt import Encoded, Prompter
from osler.schema.media import MediaRef
from osler.schema.sample import Sample, without_images
from osler.train.cut import cut_words
from osler.train.fill_report import source_names
from osler.train.pack import Selection
from osler.train.rows import Document, Row

LossWeight = Literal["token", "sqrt", "sample"]

# A sample of n label tokens weighs n ** (1 + exponent) in all: as its tokens, as their root, or as one.
_EXPONENTS: dict[LossWeight, float] = {"token": 0.0, "sqrt": -0.5, "sample": -1.0}


@dataclass
class _Row:
    """One row while it is being written."""

    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    num_documents: int = 0

    def write(self, encoded: Encoded, part: slice, *, branch: int, source: int, weight: float) -> None:
        """Append a part of a conversation to the last document; its positions continue from the part's start."""
        ids, learned = encoded.ids[part], encoded.learned[part]
        start = part.start or 0
        self.ids += ids
        self.positions += range(start, start + len(ids))
        self.documents += [self.num_documents - 1] * len(ids)
        self.branches += [branch] * len(ids)
        self.sources += [source] * len(ids)
        self.labels += [token if on else IGNORED_LABEL for token, on in zip(ids, learned, strict=True)]
        self.weights += [weight if on else 0.0 for on in learned]


class PackCollator:
    """Turns row numbers into a batch; a pure function of the row number, so a resumed run sees the same bytes.

    Args:
        selections: what the rows' documents point into.
        rows: the plan.
        prompter: the tokenizer's side.
        pictures: the image processor's side.
        loss_weight: `token` weighs every label token alike; `sqrt` a sample's by the inverse root of their number, as
            InternVL does (arXiv:2412.05271); `sample` by the inverse of their number, so that every answer weighs the
            same. The last two add `label_weights`.
        max_document_tokens: the words of a sample that is longer are cut, never its images; None cuts nothing.
        always_tiles: a batch without a picture gets one black tile that no image token stands for, so that every rank
            runs the vision tower; `num_dummy_tiles` says how many of the last tiles are of that kind.

    Attributes:
        sources: a name for each selection; `source_ids` of a batch counts through it.
    """

    def __init__(
        self,
        selections: list[Selection],
        rows: Sequence[Row],
        *,
        prompter: Prompter,
        pictures: OslerImageProcessor,
        loss_weight: LossWeight = "token",
        max_document_tokens: int | None = None,
        always_tiles: bool = False,
    ) -> None:
        self.selections = selections
        self.rows = rows
        self.prompter = prompter
        self.pictures = pictures
        self.loss_weight = loss_weight
        self.max_document_tokens = max_document_tokens
        self.always_tiles = always_tiles
        self.sources = source_names(selections)
        added = prompter.tokenizer.added_tokens_decoder
        self._mark_ids = frozenset(number for number, token in added.items() if token.special)

    def __call__(self, features: Sequence[dict[str, int]]) -> dict[str, torch.Tensor]:
        """Batch of the rows that `features` name.

        `input_ids`, `position_ids`, `document_ids`, `branch_ids`, `source_ids` and `labels`, int64 [B, T], padded on
        the right; `label_weights` float32 [B, T], 0 where there is no label, unless `loss_weight` is `token`;
        `pixel_values` uint8 [N, C, H, W] only if there is a tile; `num_dummy_tiles` [] with `always_tiles`.
        """
        tiles: list[torch.Tensor] = []
        rows = [self._row(self.rows[feature["row"]], tiles) for feature in features]
        length = max(len(row.ids) for row in rows)
        batch = {
            "input_ids": _padded([row.ids for row in rows], length, int(self.prompter.tokenizer.pad_token_id)),
            "position_ids": _padded([row.positions for row in rows], length, 0),
            "document_ids": _padded([row.documents for row in rows], length, PADDING),
            "branch_ids": _padded([row.branches for row in rows], length, 0),
            "source_ids": _padded([row.sources for row in rows], length, PADDING),
            "labels": _padded([row.labels for row in rows], length, IGNORED_LABEL),
        }
        if self.loss_weight != "token":
            weights = [row.weights + [0.0] * (length - len(row.weights)) for row in rows]
            batch["label_weights"] = torch.tensor(weights, dtype=torch.float32)
        if self.always_tiles:
            batch["num_dummy_tiles"] = torch.tensor(0 if tiles else 1)
            side = self.pictures.tile_px
            tiles = tiles or [torch.zeros(1, 3, side, side, dtype=torch.uint8)]
        if tiles:
            batch["pixel_values"] = torch.cat(tiles)
        return batch

    def _row(self, documents: Row, tiles: list[torch.Tensor]) -> _Row:
        row = _Row()
        read = [self._read(document) for document in documents]
        cut = iter(self.pictures.read_tiles([file for _, files in read for file in files]))
        for document, (samples, files) in zip(documents, read, strict=True):
            pictures = list(islice(cut, len(files)))
            counts = [len(each) for each in pictures]
            conversations = [self._encoded(sample, counts) for sample in samples]
            for group in _same_prefix(conversations, self.prompter):
                self._write(row, group, document.selection)
                tiles += pictures
        return row

    def _encoded(self, sample: Sample, counts: list[int]) -> Encoded:
        encoded = self.prompter.training(sample, counts)
        limit = self.max_document_tokens
        if limit is None or len(encoded.ids) <= limit:
            return encoded
        prefix = self.prompter.prefix_length(encoded.ids)
        cut = cut_words(encoded, limit, prefix=prefix, mark_ids=self._mark_ids)
        if cut is None:
            raise InputError(
                f"sample {sample.id!r} has {len(encoded.ids)} tokens and no words to cut",
                expected=f"at most {limit} tokens",
                fix="Raise pack.row_tokens, or set pack.overlong to drop.",
            )
        return cut

    def _write(self, row: _Row, group: list[Encoded], source: int) -> None:
        prefix = self.prompter.prefix_length(group[0].ids)
        row.num_documents += 1
        row.write(group[0], slice(0, prefix), branch=0, source=source, weight=0.0)
        for branch, encoded in enumerate(group, start=1):
            weight = max(1, sum(encoded.learned[prefix:])) ** _EXPONENTS[self.loss_weight]
            row.write(encoded, slice(prefix, None), branch=branch, source=source, weight=weight)

    def _read(self, document: Document) -> tuple[list[Sample], list[tuple[bytes, MediaRef]]]:
        """The samples of a document and the files of the images that they share."""
        selection = self.selections[document.selection]
        index_rows = selection.store.rows(selection.table, document.rows)
        samples = selection.store.samples(index_rows)
        if selection.withhold_images:
            return [each.model_copy(update={"turns": without_images(each.turns)}) for each in samples], []
        media = selection.store.media(index_rows[0])
        return samples, list(zip(media, samples[0].media, strict=True))


def _same_prefix(conversations: list[Encoded], prompter: Prompter) -> list[list[Encoded]]:
    """Group conversations whose tokens agree up to the last image; only those can share it."""
    groups: dict[tuple[int, ...], list[Encoded]] = {}
    for encoded in conversations:
        groups.setdefault(tuple(encoded.ids[: prompter.prefix_length(encoded.ids)]), []).append(encoded)
    return list(groups.values())


def _padded(rows: list[list[int]], length: int, value: int) -> torch.Tensor:
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])

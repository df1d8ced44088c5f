"""Planned rows to tensors: token ids, packed-row coordinates, labels and uint8 tiles.

Axes: B rows, T tokens, N tiles, C H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from osler.media.image import decode_image
from osler.model.attention import PADDING
from osler.model.compose import IGNORED_LABEL
from osler.model.processor import OslerImageProcessor
from osler.model.prompt import Encoded, Prompter
from osler.schema.sample import Sample, without_images
from osler.train.pack import Document, Row, Selection


@dataclass
class _Row:
    """One row while it is being written."""

    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)

    def write(self, encoded: Encoded, part: slice, *, document: int, branch: int) -> None:
        """Append a part of a conversation; its positions continue from the part's start."""
        ids = encoded.ids[part]
        start = part.start or 0
        self.ids += ids
        self.positions += range(start, start + len(ids))
        self.documents += [document] * len(ids)
        self.branches += [branch] * len(ids)
        self.labels += [
            token if learned else IGNORED_LABEL for token, learned in zip(ids, encoded.learned[part], strict=True)
        ]


class PackCollator:
    """Turns row numbers into a batch; a pure function of the row number, so a resumed run sees the same bytes.

    Args:
        selections: what the rows' documents point into.
        rows: the plan.
        prompter: the tokenizer's side.
        pictures: the image processor's side.
    """

    def __init__(
        self, selections: list[Selection], rows: list[Row], *, prompter: Prompter, pictures: OslerImageProcessor
    ) -> None:
        self.selections = selections
        self.rows = rows
        self.prompter = prompter
        self.pictures = pictures

    def __call__(self, features: Sequence[dict[str, int]]) -> dict[str, torch.Tensor]:
        """Batch [B, T] of the rows that `features` name; `pixel_values` only if there is a picture."""
        tiles: list[torch.Tensor] = []
        rows = [self._row(self.rows[feature["row"]], tiles) for feature in features]
        length = max(len(row.ids) for row in rows)
        batch = {
            "input_ids": _padded([row.ids for row in rows], length, int(self.prompter.tokenizer.pad_token_id)),
            "position_ids": _padded([row.positions for row in rows], length, 0),
            "document_ids": _padded([row.documents for row in rows], length, PADDING),
            "branch_ids": _padded([row.branches for row in rows], length, 0),
            "labels": _padded([row.labels for row in rows], length, IGNORED_LABEL),
        }
        if tiles:
            batch["pixel_values"] = torch.cat(tiles)
        return batch

    def _row(self, documents: Row, tiles: list[torch.Tensor]) -> _Row:
        row = _Row()
        number = 0
        for document in documents:
            samples, pictures = self._read(document)
            counts = [len(each) for each in pictures]
            for group in _same_prefix([self.prompter.training(sample, counts) for sample in samples], self.prompter):
                self._write(row, group, number)
                tiles += pictures
                number += 1
        return row

    def _write(self, row: _Row, group: list[Encoded], document: int) -> None:
        prefix = self.prompter.prefix_length(group[0].ids)
        row.write(group[0], slice(0, prefix), document=document, branch=0)
        for branch, encoded in enumerate(group, start=1):
            row.write(encoded, slice(prefix, None), document=document, branch=branch)

    def _read(self, document: Document) -> tuple[list[Sample], list[torch.Tensor]]:
        selection = self.selections[document.selection]
        index_rows = selection.store.rows(selection.table, document.rows)
        samples = selection.store.samples(index_rows)
        if selection.withhold_images:
            return [each.model_copy(update={"turns": without_images(each.turns)}) for each in samples], []
        media = selection.store.media(index_rows[0])
        pictures = [
            self.pictures.tiles(decode_image(data, ref)) for data, ref in zip(media, samples[0].media, strict=True)
        ]
        return samples, pictures


def _same_prefix(conversations: list[Encoded], prompter: Prompter) -> list[list[Encoded]]:
    """Group conversations whose tokens agree up to the last image; only those can share it."""
    groups: dict[tuple[int, ...], list[Encoded]] = {}
    for encoded in conversations:
        groups.setdefault(tuple(encoded.ids[: prompter.prefix_length(encoded.ids)]), []).append(encoded)
    return list(groups.values())


def _padded(rows: list[list[int]], length: int, value: int) -> torch.Tensor:
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])

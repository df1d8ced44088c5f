"""Understanding units: one encoder each; the margin of every film's choice is kept, by captions and by a probe."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osler.core.catalog import PROBES
from osler.core.errors import InputError
from osler.core.files import sha256_json
from osler.core.log import Log
from osler.transfer.features import opened
from osler.transfer.image_set import Item
from osler.transfer.joint import image_vectors, text_vectors
from osler.transfer.kept import Kept, is_kept, write_kept
from osler.transfer.measure import Measure
from osler.transfer.probe import Draw, Part
from osler.transfer.protocol import Protocol
from osler.transfer.section_hash import section_sha256
from osler.transfer.sections import UnderstandingConfig
from osler.transfer.understanding import PairFilm, caption_margins, measure_choices, read_pair_films
from osler.transfer.units import Bench

SECTION = "understanding"
NAME = "phantom_pairs"
_PROBE = "linear"
_VALIDATION_PARTS = 5


@dataclass(frozen=True)
class Films:
    """The films that are asked about, and those that probes learn from (none where no probe is asked for)."""

    asked: tuple[PairFilm, ...]
    learned: tuple[PairFilm, ...] = ()

    @property
    def items(self) -> list[Item]:
        """All films as items."""
        return [film.item for film in (*self.asked, *self.learned)]

    @property
    def sha256(self) -> str:
        """Of the films asked about, with what is asked."""
        return _films_sha256(self.asked)


def read_films(config: UnderstandingConfig) -> Films:
    """The films of the recipe's store."""
    asked = read_pair_films(config.shards, config.split)
    return Films(asked, read_pair_films(config.shards, config.probe_split) if "probe" in config.by else ())


def run_understanding(
    bench: Bench, films: Films, *, config: UnderstandingConfig, protocol: Protocol, out: Path, log: Log
) -> None:
    """Let an encoder choose, by captions where it reads words and by a probe, unless it was done."""
    loaded = opened(bench.spec)
    ways = [way for way in config.by if way == "probe" or loaded.text is not None]
    settings = {"version": config.version, "learned": _films_sha256(films.learned)}
    digest = section_sha256(protocol, SECTION, settings)
    key = sha256_json([digest, bench.weights_sha256, films.sha256, ways])
    if not ways or is_kept(out, SECTION, NAME, encoder=bench.name, key=key):
        return
    columns: dict[str, list[object]] = {name: [] for name in ("how", "film", "pair", "factor", "subject", "margin")}
    for way in ways:
        log.info(f"understanding {bench.name}: {len(films.asked)} films by {way}")
        margins = _by_captions(bench, films) if way == "captions" else _by_probe(bench, films, protocol)
        columns["how"] += [way] * len(margins)
        columns["film"] += [film.item.id for film in films.asked]
        columns["pair"] += [film.pair for film in films.asked]
        columns["factor"] += [film.factor for film in films.asked]
        columns["subject"] += [film.subject for film in films.asked]
        columns["margin"] += margins.tolist()
    write_kept(out, Kept(SECTION, NAME, bench.name, key, digest, films.sha256, columns))


def understanding_measures(kept: Kept) -> list[Measure]:
    """Shares of right choices of a kept table."""
    columns = kept.columns
    found: list[Measure] = []
    for how in dict.fromkeys(columns["how"]):
        rows = [row for row, name in enumerate(columns["how"]) if name == how]
        chosen = {name: [values[row] for row in rows] for name, values in columns.items()}
        found += measure_choices(
            chosen["factor"], chosen["subject"], pairs=chosen["pair"], margins=np.asarray(chosen["margin"]), how=how
        )
    return found


def _by_captions(bench: Bench, films: Films) -> np.ndarray:
    loaded = opened(bench.spec)
    words = list(dict.fromkeys(text for film in films.asked for text in (film.caption, film.other_caption)))
    images = image_vectors(loaded, bench.cache.features([film.item for film in films.asked]))
    return caption_margins(films.asked, images, dict(zip(words, text_vectors(loaded, words), strict=True)))


def _by_probe(bench: Bench, films: Films, protocol: Protocol) -> np.ndarray:
    """The probability of the own value minus that of the other film's, for each film."""
    margins = np.zeros(len(films.asked))
    for factor, subject in dict.fromkeys((film.factor, film.subject) for film in films.asked):
        asked = [n for n, film in enumerate(films.asked) if (film.factor, film.subject) == (factor, subject)]
        learned = [film for film in films.learned if (film.factor, film.subject) == (factor, subject)]
        values = sorted({film.value for film in learned})
        unknown = sorted({films.asked[n].value for n in asked} - set(values))
        if unknown:
            raise InputError(
                f"the films that the probe learns from show no {factor} of {subject} with value {', '.join(unknown)}",
                expected="each value that is asked about",
                got=", ".join(values) or "none",
                fix="Draw more pairs, or give the probe's split a larger share.",
            )
        draw = _draw(bench, [films.asked[n] for n in asked], learned, values)
        table = PROBES.load(_PROBE).run(draw, protocol.options(_PROBE))[""].probabilities
        for row, n in zip(table, asked, strict=True):
            margins[n] = row[values.index(films.asked[n].value)] - row[values.index(films.asked[n].other)]
    return margins


def _draw(bench: Bench, asked: Sequence[PairFilm], learned: Sequence[PairFilm], values: list[str]) -> Draw:
    """Whole pairs for training and for validation, by a hash of their names."""
    held = [int.from_bytes(hashlib.sha256(f.pair.encode()).digest()[:4]) % _VALIDATION_PARTS == 0 for f in learned]

    def part(films: Sequence[PairFilm], *, shown: bool = True) -> Part:
        width = bench.cache.features([asked[0].item]).shape[1]
        features = bench.cache.features([film.item for film in films]) if films else np.zeros((0, width), np.float32)
        targets = np.asarray([values.index(film.value) for film in films] if shown else [], dtype=np.int64)
        return Part(features, targets, np.arange(len(films)))

    return Draw(
        set_name=NAME,
        num_classes=len(values),
        is_multi_label=False,
        seed=0,
        train=part([film for film, out in zip(learned, held, strict=True) if not out]),
        validation=part([film for film, out in zip(learned, held, strict=True) if out]),
        test=part(asked, shown=False),
    )


def _films_sha256(films: Sequence[PairFilm]) -> str:
    return sha256_json([[f.item.id, f.item.key, f.factor, f.subject, f.value, f.caption] for f in films])

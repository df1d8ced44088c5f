"""The runner: asks in, predictions on disk out; what is already there is not asked again."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from osler.core.errors import OslerError
from osler.core.log import Log
from osler.evaluation.conditions import Ask
from osler.evaluation.items import Item
from osler.evaluation.journal import Journal
from osler.evaluation.shots import Shot
from osler.infer.generator import Backend, Reply, Request, Streaming
from osler.schema.prediction import Prediction
from osler.scoring.extract import read_reply

_FAILURES = (OslerError, RuntimeError, ValueError, OSError, MemoryError)
_SYNC_EVERY_S = 1.0
LoadImages = Callable[[Item | Shot], tuple[bytes, ...]]
Answered = tuple[Ask, Reply]


class LoadBackend(Protocol):
    """Opens the engine that is to answer `asks`, once; a later call gives the same one."""

    def __call__(self, asks: Sequence[Ask]) -> Backend:
        """The engine, after it was checked that it can be asked all of them."""
        ...


def ask_all(
    asks: Sequence[Ask],
    journal: Journal,
    *,
    keys: Sequence[str],
    known: Mapping[str, Reply],
    load_backend: LoadBackend,
    load_images: LoadImages,
    batch_size: int,
    log: Log,
) -> list[Prediction]:
    """Ask what the journal does not hold; returns all predictions in the order of `asks`.

    An engine that streams is asked the single questions that lack an answer, failed ones last, and each answer is
    written as it comes; questions with one cache key (blind, many items may ask the same words) are asked once. Any
    other is asked in batches: runs of up to `batch_size` asks of one task and condition, cut
    from the whole list, so that which ones sit together does not depend on where an earlier run ended; a batch that
    lacks one answer is asked whole. The engine is opened only if there is something to ask.

    Args:
        asks: the questions.
        journal: where predictions are kept.
        keys: the cache key of each ask; an answer in the journal that has another is not taken.
        known: answers of earlier runs by cache key, taken in place of asking.
        load_backend: opens the engine.
        load_images: reads the images of an item or an exemplar.
        batch_size: of an engine that does not stream.
        log: shows the progress.
    """
    key_of = {ask.key: key for ask, key in zip(asks, keys, strict=True)}
    _take_known(asks, journal, key_of, known)
    wanted = [ask for ask in asks if not _is_held(ask, journal, key_of)]
    if wanted:
        backend = load_backend(wanted)
        wanted.sort(key=lambda ask: journal.get(ask.key) is not None)
        if isinstance(backend, Streaming):
            same: dict[str, list[Ask]] = {}
            for ask in wanted:
                same.setdefault(key_of[ask.key], []).append(ask)
            num_parts, unit = len(same), "questions"
            single = ask_streaming([twins[0] for twins in same.values()], backend, load_images)
            answered = ([(twin, r) for ask, r in part for twin in same[key_of[ask.key]]] for part in single)
        else:
            lacking = {ask.key for ask in wanted}
            batches = [b for b in cut_batches(asks, batch_size) if any(ask.key in lacking for ask in b)]
            num_parts, unit = len(batches), "batches"
            answered = (ask_batch(batch, backend, load_images) for batch in batches)
        _write(log.progress(answered, "asking", total=num_parts, unit=unit), journal, key_of)
    return journal.settle([ask.key for ask in asks])


def cut_batches(asks: Sequence[Ask], batch_size: int) -> list[list[Ask]]:
    """Runs of at most `batch_size` neighbours of one task and condition."""
    batches: list[list[Ask]] = []
    for ask in asks:
        last = batches[-1] if batches else []
        if last and len(last) < batch_size and last[0].key[:2] == ask.key[:2]:
            last.append(ask)
        else:
            batches.append([ask])
    return batches


def ask_batch(batch: Sequence[Ask], backend: Backend, load_images: LoadImages) -> list[Answered]:
    """The replies to one batch. If the engine fails, each is an error with its message, to be asked anew."""
    requests = [_request(ask, load_images) for ask in batch]
    try:
        replies = backend.generate(requests)
        if len(replies) != len(requests):
            raise OslerError(f"backend {backend.name!r} gave {len(replies)} replies to {len(requests)} requests")
    except _FAILURES as error:
        replies = [_failed(f"{type(error).__name__}: {error}") for _ in requests]
    return list(zip(batch, replies, strict=True))


def ask_streaming(asks: Sequence[Ask], backend: Streaming, load_images: LoadImages) -> Iterator[list[Answered]]:
    """The replies, one by one, as they come. A question that the engine passes over is an error.

    Raises:
        OslerError: the engine answers one question twice or one that was not asked, or can go on no longer.
    """
    open_places = set(range(len(asks)))
    with closing(backend.stream(_request(ask, load_images) for ask in asks)) as replies:  # type: ignore[type-var]
        for place, reply in replies:
            if place not in open_places:
                raise OslerError(f"the engine answered question number {place} twice, or it was never asked")
            open_places.remove(place)
            yield [(asks[place], reply)]
    for place in sorted(open_places):
        yield [(asks[place], _failed("the engine gave no reply"))]


def ask_again(asks: Sequence[Ask], backend: Backend, load_images: LoadImages, *, batch_size: int) -> list[Answered]:
    """The replies to questions that were answered before; nothing is written."""
    if isinstance(backend, Streaming):
        return [answer for part in ask_streaming(asks, backend, load_images) for answer in part]
    return [answer for batch in cut_batches(asks, batch_size) for answer in ask_batch(batch, backend, load_images)]


def read_prediction(ask: Ask, reply: Reply, *, cache_key: str) -> Prediction:
    """What is kept of a reply."""
    answer = ask.item.sample.answer
    extraction = None if reply.error else read_reply(reply.raw, answer, finished=reply.finished)
    return Prediction(
        item_id=ask.item.id,
        task=ask.item.task,
        condition=ask.condition,
        cluster=ask.item.cluster,
        prompt_sha256=ask.prompt_sha256,
        image_sha256s=ask.image_sha256s,
        raw=reply.raw,
        final=extraction.final if extraction else "",
        status=extraction.status if extraction else "error",
        parsed=extraction.parsed if extraction else None,
        gold=answer,
        latency_ms=round(reply.latency_ms, 3),
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        error=reply.error,
        cache_key="" if reply.error else cache_key,
    )


def _write(answered: Iterator[list[Answered]], journal: Journal, key_of: Mapping[tuple[str, str, str], str]) -> None:
    """Write answers as they come. A killed process loses none; a machine that stops, those of the last second."""
    synced = -_SYNC_EVERY_S
    try:
        for part in answered:
            is_due = time.monotonic() - synced >= _SYNC_EVERY_S
            journal.append([read_prediction(ask, reply, cache_key=key_of[ask.key]) for ask, reply in part], sync=is_due)
            synced = time.monotonic() if is_due else synced
    finally:
        journal.sync()


def _take_known(
    asks: Sequence[Ask], journal: Journal, key_of: Mapping[tuple[str, str, str], str], known: Mapping[str, Reply]
) -> None:
    """Enter the answers of earlier runs; each is read by the form of this question's own answer."""
    taken = [ask for ask in asks if key_of[ask.key] in known and not _is_held(ask, journal, key_of)]
    if taken:
        journal.append([read_prediction(a, known[key_of[a.key]], cache_key=key_of[a.key]) for a in taken])


def _request(ask: Ask, load_images: LoadImages) -> Request:
    return Request(
        item_id=ask.item.id,
        turns=ask.turns,
        images=tuple(data for source in ask.pictured for data in load_images(source)),
        max_new_tokens=ask.sampling.max_new_tokens,
        reasoning=ask.reasoning,
    )


def _failed(message: str) -> Reply:
    return Reply("", 0, 0, 0.0, finished=False, error=message)


def _is_held(ask: Ask, journal: Journal, key_of: Mapping[tuple[str, str, str], str]) -> bool:
    """Whether the journal has this model's answer to this very question with these very images and settings."""
    held = journal.get(ask.key)
    return held is not None and held.status != "error" and held.cache_key == key_of[ask.key]

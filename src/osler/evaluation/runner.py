"""The runner: asks in, predictions on disk out; what is already there is not asked again."""

from collections.abc import Callable, Sequence

from osler.core.errors import OslerError
from osler.core.log import Log
from osler.evaluation.conditions import Ask
from osler.evaluation.items import Item
from osler.evaluation.journal import Journal
from osler.infer.generator import Backend, Reply, Request
from osler.schema.prediction import Prediction
from osler.scoring.extract import read_reply

_FAILURES = (OslerError, RuntimeError, ValueError, OSError, MemoryError)


def ask_all(
    asks: Sequence[Ask],
    journal: Journal,
    *,
    load_backend: Callable[[], Backend],
    load_images: Callable[[Item], tuple[bytes, ...]],
    batch_size: int,
    log: Log,
) -> list[Prediction]:
    """Ask what the journal does not hold; returns all predictions in the order of `asks`.

    A batch is a run of up to `batch_size` asks of one task and condition, cut from the whole list: which ones
    sit together does not depend on where an earlier run ended. A batch that lacks one answer is asked whole.
    The model is loaded only if there is something to ask.
    """
    batches = [batch for batch in cut_batches(asks, batch_size) if not all(_is_held(ask, journal) for ask in batch)]
    if batches:
        backend = load_backend()
        for batch in log.progress(batches, "asking", unit="batches"):
            journal.append(ask_batch(batch, backend, load_images))
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


def ask_batch(
    batch: Sequence[Ask], backend: Backend, load_images: Callable[[Item], tuple[bytes, ...]]
) -> list[Prediction]:
    """The predictions of one batch. If the engine fails, each is an `error` with its message, to be asked anew."""
    requests = [_request(ask, load_images) for ask in batch]
    try:
        replies = backend.generate(requests)
        if len(replies) != len(requests):
            raise OslerError(f"backend {backend.name!r} gave {len(replies)} replies to {len(requests)} requests")
    except _FAILURES as error:
        message = f"{type(error).__name__}: {error}"
        replies = [Reply("", 0, 0, 0.0, finished=False, error=message) for _ in requests]
    return [_prediction(ask, reply) for ask, reply in zip(batch, replies, strict=True)]


def _request(ask: Ask, load_images: Callable[[Item], tuple[bytes, ...]]) -> Request:
    return Request(
        item_id=ask.item.id,
        turns=ask.turns,
        images=load_images(ask.shown) if ask.shown else (),
        max_new_tokens=ask.sampling.max_new_tokens,
        reasoning=ask.reasoning,
    )


def _prediction(ask: Ask, reply: Reply) -> Prediction:
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
    )


def _is_held(ask: Ask, journal: Journal) -> bool:
    """Whether the journal has an answer to this very question with these very images."""
    held = journal.get(ask.key)
    return (
        held is not None
        and held.status != "error"
        and held.prompt_sha256 == ask.prompt_sha256
        and held.image_sha256s == ask.image_sha256s
    )

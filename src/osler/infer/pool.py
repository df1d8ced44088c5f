"""Pool: work shared by several workers that may fail or die; each piece is done once or told why not."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from osler.core.errors import OslerError
from osler.endpoint.chat import EndpointError

A = TypeVar("A")
B = TypeVar("B")

# Statuses that speak of the endpoint, not of the question: the key is refused, the model is gone.
_GONE_STATUSES = {401, 403, 404}


@dataclass(eq=False)
class Worker(Generic[A, B]):
    """One endpoint.

    ask: does one piece; raises EndpointError after it has tried as often as it may.
    probe: asks for as little as it can; raises EndpointError where even that fails.
    """

    name: str
    ask: Callable[[A], B]
    probe: Callable[[], object]
    failures: int = 0
    gone: str = ""


@dataclass(eq=False)
class _Piece(Generic[A]):
    number: int
    item: A
    failed_at: set[str] = field(default_factory=set)


class Pool(Generic[A, B]):
    """Shares pieces of work among workers, each with `num_threads` threads.

    A piece that fails at one worker goes to another. A worker that cannot be reached, or refuses the key or the model,
    is set aside for good; one that fails on `patience` pieces in a row is probed and set aside if the probe fails, too.

    Args:
        workers: the endpoints.
        num_threads: of each.
        warn: is told of a worker that is set aside.
        patience: see above.
    """

    def __init__(
        self, workers: Iterable[Worker[A, B]], *, num_threads: int, warn: Callable[[str], None], patience: int = 8
    ) -> None:
        self.workers = tuple(workers)
        self._num_threads, self._warn, self._patience = num_threads, warn, patience

    def set_aside(self, worker: Worker[A, B], reason: str) -> None:
        """Give `worker` no further piece."""
        if not worker.gone:
            worker.gone = reason
            others = sum(not other.gone for other in self.workers)
            self._warn(f"{worker.name} is set aside: {reason}; {others} of {len(self.workers)} endpoints left")

    def run(self, items: Iterable[A]) -> Iterator[tuple[int, B | EndpointError]]:
        """Each item's number with what came of it, as each is done; items are taken only as workers get free.

        Raises:
            OslerError: no worker is left; what was done before has been yielded.
        """
        work = _Work(self, iter(items))
        threads = [
            threading.Thread(target=work.serve, args=(worker,), daemon=True)
            for worker in self.workers
            if not worker.gone
            for _ in range(self._num_threads)
        ]
        for thread in threads:
            thread.start()
        num_serving = len(threads)
        try:
            while num_serving:
                entry = work.done.get()
                if isinstance(entry, BaseException):
                    raise entry
                if entry is None:
                    num_serving -= 1
                else:
                    yield entry
        finally:
            work.stop()
        if not work.is_finished():
            reasons = "; ".join(f"{worker.name}: {worker.gone}" for worker in self.workers)
            raise OslerError(f"no endpoint is left to ask ({reasons}); what was answered is kept, run again to go on")

    def failed(self, worker: Worker[A, B], error: EndpointError) -> None:
        """Take note of a failure; sets the worker aside if it is the worker's own."""
        if error.kind == "unreachable" or error.status in _GONE_STATUSES:
            self.set_aside(worker, str(error))
        elif error.may_pass:
            worker.failures += 1
            if worker.failures >= self._patience:
                self._probe(worker, error)

    def _probe(self, worker: Worker[A, B], error: EndpointError) -> None:
        worker.failures = 0
        try:
            worker.probe()
        except EndpointError:
            self.set_aside(worker, f"failed {self._patience} times in a row, the last with: {error}")


class _Work(Generic[A, B]):
    """The state of one `Pool.run`: what is still to be taken, what came back, what is under way."""

    def __init__(self, pool: Pool[A, B], items: Iterator[A]) -> None:
        self.done: queue.SimpleQueue[tuple[int, B | EndpointError] | BaseException | None] = queue.SimpleQueue()
        self._pool, self._items = pool, items
        self._changed = threading.Condition()
        self._back: list[_Piece[A]] = []
        self._num_taken = self._under_way = 0
        self._exhausted = self._stopped = False

    def serve(self, worker: Worker[A, B]) -> None:
        """Do pieces until there are none left for `worker`."""
        try:
            while (piece := self._take(worker)) is not None:
                self._do(worker, piece)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called `run`, which raises it
            self.done.put(error)
        finally:
            self.done.put(None)

    def stop(self) -> None:
        """Let the threads end after the piece that each is at."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def is_finished(self) -> bool:
        """Whether every item was taken and has an outcome."""
        with self._changed:
            return not self._back and (self._exhausted or self._next() is None)

    def _take(self, worker: Worker[A, B]) -> _Piece[A] | None:
        with self._changed:
            while not (self._stopped or worker.gone):
                piece = next((piece for piece in self._back if worker.name not in piece.failed_at), None)
                if piece is not None:
                    self._back.remove(piece)
                else:
                    piece = self._next()
                if piece is not None:
                    self._under_way += 1
                    return piece
                if not self._under_way:
                    self._changed.notify_all()
                    return None
                self._changed.wait()
        return None

    def _next(self) -> _Piece[A] | None:
        if self._exhausted:
            return None
        try:
            piece = _Piece(self._num_taken, next(self._items))
        except StopIteration:
            self._exhausted = True
            return None
        self._num_taken += 1
        return piece

    def _do(self, worker: Worker[A, B], piece: _Piece[A]) -> None:
        error: EndpointError | None = None
        try:
            outcome = worker.ask(piece.item)
            worker.failures = 0
        except EndpointError as caught:
            error = caught
            if not self._stopped:
                self._pool.failed(worker, caught)
        with self._changed:
            self._under_way -= 1
            if error is None:
                self.done.put((piece.number, outcome))
            else:
                self._failed(worker, piece, error)
            self._changed.notify_all()

    def _failed(self, worker: Worker[A, B], piece: _Piece[A], error: EndpointError) -> None:
        """Give a piece back for another worker, or its error as what came of it."""
        is_workers_own = bool(worker.gone)
        if not (error.may_pass or is_workers_own):
            self.done.put((piece.number, error))
            return
        piece.failed_at.add(worker.name)
        self._back.append(piece)
        self._close_hopeless(error)

    def _close_hopeless(self, error: EndpointError) -> None:
        """Pieces on which every worker that is left has failed end with an error; with none left they stay undone."""
        left = {worker.name for worker in self._pool.workers if not worker.gone}
        hopeless = [piece for piece in self._back if left and left <= piece.failed_at]
        for piece in hopeless:
            self._back.remove(piece)
            self.done.put((piece.number, error))

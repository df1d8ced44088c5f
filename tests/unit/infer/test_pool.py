"""Work shared by workers that fail: each piece once, dead workers set aside, nothing lost."""

import threading
from collections import Counter

import pytest

from osler.core.errors import OslerError
from osler.endpoint.chat import EndpointError
from osler.infer.pool import Pool, Worker


class Desk:
    """A worker that answers `n * n`, fails as `fault(n)` says and counts what it finished."""

    def __init__(self, name: str, fault=lambda n: None, *, probe=lambda: None) -> None:
        self.fault, self.finished, self.lock = fault, [], threading.Lock()
        self.worker = Worker(name, self.ask, probe)

    def ask(self, n: int) -> int:
        error = self.fault(n)
        if error is not None:
            raise error
        with self.lock:
            self.finished.append(n)
        return n * n


def failing(kind: str, **fields):
    return EndpointError(f"{kind} failure", kind=kind, **fields)


def run(desks, items, *, patience=8, num_threads=3):
    warnings: list[str] = []
    pool = Pool([desk.worker for desk in desks], num_threads=num_threads, warn=warnings.append, patience=patience)
    return list(pool.run(items)), warnings


def test_every_piece_is_done_once_whoever_does_it():
    desks = [Desk("a"), Desk("b")]
    outcomes, warnings = run(desks, range(200))
    assert dict(outcomes) == {n: n * n for n in range(200)} and len(outcomes) == 200
    assert sorted(desks[0].finished + desks[1].finished) == list(range(200)) and not warnings


@pytest.mark.parametrize(
    "error", [failing("unreachable"), failing("refused", status=401), failing("refused", status=404)]
)
def test_a_dead_worker_is_set_aside_and_its_pieces_go_elsewhere(error):
    dead, alive = Desk("dead", lambda n: error if n >= 3 else None), Desk("alive")
    outcomes, warnings = run([dead, alive], range(100))
    assert dict(outcomes) == {n: n * n for n in range(100)} and len(outcomes) == 100
    assert max(Counter(dead.finished + alive.finished).values()) == 1
    assert warnings in ([], [f"dead is set aside: {error}; 1 of 2 endpoints left"])


def test_a_piece_that_fails_here_is_asked_there_and_is_an_error_only_if_it_fails_everywhere():
    first = Desk("first", lambda n: failing("server") if n % 5 == 0 else None)
    second = Desk("second", lambda n: failing("timeout") if n in {10, 20} else None)
    outcomes, warnings = run([first, second], range(50))
    assert len(outcomes) == 50 and not warnings
    assert {n for n, outcome in outcomes if isinstance(outcome, EndpointError)} == {10, 20}


def test_a_refused_piece_is_not_asked_elsewhere():
    asked: list[int] = []

    def refuse(n: int) -> EndpointError | None:
        asked.append(n)
        return failing("refused", status=400) if n == 7 else None

    outcomes, _ = run([Desk("a", refuse), Desk("b", refuse)], range(20))
    assert asked.count(7) == 1 and isinstance(dict(outcomes)[7], EndpointError)


def test_failures_in_a_row_lead_to_a_probe():
    probes: list[str] = []
    ill = Desk("ill", lambda n: failing("server") if n < 12 else None, probe=lambda: probes.append("asked"))
    outcomes, warnings = run([ill], range(20), patience=4, num_threads=1)
    assert len(outcomes) == 20 and len(probes) == 3 and not warnings


def test_a_worker_whose_probe_fails_is_set_aside_and_with_none_left_the_run_ends():
    def probe() -> None:
        raise failing("timeout")

    dead = Desk("dead", lambda n: failing("timeout") if n >= 5 else None, probe=probe)
    pool = Pool([dead.worker], num_threads=1, warn=lambda message: None, patience=3)
    outcomes = []
    with pytest.raises(OslerError, match="no endpoint is left.*dead: failed 3 times in a row"):
        outcomes.extend(pool.run(range(50)))
    with pytest.raises(OslerError, match="no endpoint is left"):
        list(pool.run([1]))


def test_what_was_done_before_the_last_worker_died_has_been_given():
    dead = Desk("dead", lambda n: failing("unreachable") if n == 5 else None)
    pool = Pool([dead.worker], num_threads=1, warn=lambda message: None)
    seen = []
    with pytest.raises(OslerError, match="what was answered is kept"):
        for number, outcome in pool.run(range(9)):
            seen.append((number, outcome))
    assert seen == [(n, n * n) for n in range(5)]


def test_an_error_of_the_work_itself_is_raised_where_it_was_started():
    def items():
        yield 1
        raise OSError("cannot read")

    with pytest.raises(OSError, match="cannot read"):
        run([Desk("a")], items())

    def bug(n: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([Desk("a", bug)], range(3))


def test_items_are_taken_as_workers_get_free_and_leaving_ends_it():
    taken: list[int] = []
    gate = threading.Semaphore(0)

    def items():
        for n in range(1000):
            taken.append(n)
            yield n

    def wait(n: int) -> None:
        gate.acquire(timeout=5)

    pool = Pool([Desk("a", wait).worker], num_threads=2, warn=lambda message: None)
    outcomes = pool.run(items())
    gate.release()
    next(outcomes)
    outcomes.close()
    gate.release(10)
    assert len(taken) <= 4


def test_no_piece_is_lost_whatever_fails():
    """Many small runs with random failures and deaths: an outcome for each piece, or a run that says it ended."""
    import random

    for seed in range(60):
        draw = random.Random(seed)
        desks = []
        for name in "abc":
            faults = {n: draw.choice([None, None, "server", "timeout", "refused"]) for n in range(30)}
            if draw.random() < 0.4:
                faults[draw.randrange(30)] = "unreachable"
            desks.append(Desk(name, lambda n, faults=faults: failing(faults[n]) if faults[n] else None))
        pool = Pool([d.worker for d in desks], num_threads=2, warn=lambda message: None, patience=3)
        outcomes: list = []
        try:
            outcomes.extend(pool.run(range(30)))
        except OslerError:
            assert all(d.worker.gone for d in desks)
        else:
            assert sorted(n for n, _ in outcomes) == list(range(30))
        assert max(Counter(n for d in desks for n in d.finished).values(), default=1) == 1

"""Ledger: what was asked of endpoints, what it cost, and where it has to stop."""

from dataclasses import asdict, dataclass
from pathlib import Path

from osler.endpoint.chat import ChatReply, EndpointError
from osler.endpoint.shared import SharedFile

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS accounts (
        role TEXT PRIMARY KEY, requests INTEGER NOT NULL DEFAULT 0, cached INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0, tokens_in INTEGER NOT NULL DEFAULT 0, tokens_out INTEGER NOT NULL DEFAULT 0,
        cost REAL NOT NULL DEFAULT 0
    )
"""
_ADD = """
    INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (role) DO UPDATE SET
        requests = requests + excluded.requests, cached = cached + excluded.cached, failed = failed + excluded.failed,
        tokens_in = tokens_in + excluded.tokens_in, tokens_out = tokens_out + excluded.tokens_out,
        cost = cost + excluded.cost
"""


@dataclass(frozen=True)
class Price:
    """Of a million tokens, in any currency."""

    million_in: float = 0.0
    million_out: float = 0.0


@dataclass(frozen=True)
class Account:
    """What one role (a model with a purpose) used. `cached`: answers that were already at hand, and free."""

    requests: int = 0
    cached: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


class Ledger:
    """Accounts by role. Threads may share it, and through its file processes, too.

    A request that is under way when a limit is reached is still paid for, so each thread may go one request beyond it.

    Args:
        max_cost: spend no more than this in all; None sets no limit.
        max_tokens: use no more than this many tokens in all; None sets no limit.
        path: of the file that processes share; None keeps the accounts in memory.
    """

    def __init__(
        self, *, max_cost: float | None = None, max_tokens: int | None = None, path: Path | None = None
    ) -> None:
        self._max_cost, self._max_tokens = max_cost, max_tokens
        self._file = SharedFile(path, _SCHEMA, noun="ledger")

    def check(self, role: str) -> None:
        """Raise EndpointError of kind `budget` where the next request would begin beyond a limit."""
        cost, tokens = self._file.rows("SELECT TOTAL(cost), TOTAL(tokens_in + tokens_out) FROM accounts")[0]
        if self._max_cost is not None and cost >= self._max_cost:
            raise EndpointError(f"role {role!r}: the budget of {self._max_cost:g} is spent ({cost:.4g})", kind="budget")
        if self._max_tokens is not None and tokens >= self._max_tokens:
            raise EndpointError(f"role {role!r}: the budget of {self._max_tokens:,} tokens is used up", kind="budget")

    def record(self, role: str, reply: ChatReply, *, price: Price, cached: bool) -> None:
        """Enter an answer."""
        if cached:
            self._add(role, Account(cached=1))
            return
        cost = (reply.tokens_in * price.million_in + reply.tokens_out * price.million_out) / 1e6
        self._add(role, Account(requests=1, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out, cost=cost))

    def record_failure(self, role: str) -> None:
        """Enter a request without an answer."""
        self._add(role, Account(failed=1))

    def summary(self) -> dict[str, dict[str, float]]:
        """The accounts by role, as plain values."""
        rows = self._file.rows("SELECT * FROM accounts ORDER BY role")
        return {role: asdict(Account(*values)) for role, *values in rows}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, role: str, used: Account) -> None:
        self._file.rows(_ADD, role, *asdict(used).values())

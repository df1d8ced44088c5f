"""Ledger: what was asked of endpoints, what it cost, and where it has to stop."""

import threading
from dataclasses import asdict, dataclass

from osler.endpoint.chat import ChatReply, EndpointError


@dataclass(frozen=True)
class Price:
    """Of a million tokens, in any currency."""

    million_in: float = 0.0
    million_out: float = 0.0


@dataclass
class Account:
    """What one role (a model with a purpose) used. `cached`: answers that were already at hand, and free."""

    requests: int = 0
    cached: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


class Ledger:
    """Accounts by role. Threads may share it.

    Args:
        max_cost: spend no more than this in all; None sets no limit.
        max_tokens: use no more than this many tokens in all; None sets no limit.
    """

    def __init__(self, *, max_cost: float | None = None, max_tokens: int | None = None) -> None:
        self._max_cost, self._max_tokens = max_cost, max_tokens
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()

    def check(self, role: str) -> None:
        """Raise EndpointError of kind `budget` where the next request would begin beyond a limit."""
        with self._lock:
            cost = sum(account.cost for account in self._accounts.values())
            tokens = sum(account.tokens_in + account.tokens_out for account in self._accounts.values())
        if self._max_cost is not None and cost >= self._max_cost:
            raise EndpointError(f"role {role!r}: the budget of {self._max_cost:g} is spent ({cost:.4g})", kind="budget")
        if self._max_tokens is not None and tokens >= self._max_tokens:
            raise EndpointError(f"role {role!r}: the budget of {self._max_tokens:,} tokens is used up", kind="budget")

    def record(self, role: str, reply: ChatReply, *, price: Price, cached: bool) -> None:
        """Enter an answer."""
        with self._lock:
            account = self._accounts.setdefault(role, Account())
            if cached:
                account.cached += 1
                return
            account.requests += 1
            account.tokens_in += reply.tokens_in
            account.tokens_out += reply.tokens_out
            account.cost += (reply.tokens_in * price.million_in + reply.tokens_out * price.million_out) / 1e6

    def record_failure(self, role: str) -> None:
        """Enter a request without an answer."""
        with self._lock:
            self._accounts.setdefault(role, Account()).failed += 1

    def summary(self) -> dict[str, dict[str, float]]:
        """The accounts by role, as plain values."""
        with self._lock:
            return {role: asdict(account) for role, account in sorted(self._accounts.items())}

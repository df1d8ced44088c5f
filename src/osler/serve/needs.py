"""Needs: which scope of a key a route wants."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from fastapi import Request

from osler.serve.keys import SCOPES, Visitor
from osler.serve.refusal import Refusal


def needs(*scopes: str) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency that lets in keys with any of the scopes; with none named, every valid key."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise ValueError(f"unknown scopes {unknown}; there are {SCOPES}")

    async def check(request: Request) -> Visitor:  # a plain function would be sent to another thread
        visitor: Visitor = request.state.visitor
        if scopes and not visitor.scopes & set(scopes):
            raise Refusal(403, f"this key lacks the scope {' or '.join(scopes)}", code="missing_scope")
        return visitor

    check.scopes = scopes  # type: ignore[attr-defined]
    return check


def scopes_of(route: Any) -> tuple[str, ...] | None:
    """The scopes that a route's `needs` names; None where it has none."""
    found = getattr(getattr(route, "dependant", None), "dependencies", [])
    marked = [dependency.call.scopes for dependency in found if hasattr(dependency.call, "scopes")]
    return marked[0] if marked else None


def all_routes(routes: Iterable[Any]) -> Iterator[Any]:
    """Every route, those of included routers too, which FastAPI keeps folded up."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from all_routes(inner.routes)

"""Meters: what /metrics shows. Labels are routes, statuses and reasons, never a word that a client sent."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Meters:
    """The numbers of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter("osler_requests", "Answered requests", ["route", "status"], registry=registry)
        self.seconds = Histogram(
            "osler_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=registry
        )
        self.refused = Counter("osler_refused", "Refused requests", ["code"], registry=registry)
        self.tokens = Counter("osler_tokens", "Tokens read and written", ["direction"], registry=registry)
        self.images = Counter("osler_images", "Images shown to the model", registry=registry)
        self.inside = Gauge("osler_chats_admitted", "Chats being answered or waiting", registry=registry)
        self.cancelled = Counter("osler_cancelled", "Chats whose client went away", registry=registry)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

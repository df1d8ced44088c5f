"""The application: routes, and the gate around all of them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from osler.serve.chat.route import chat_routes
from osler.serve.decode.pool import Decoders
from osler.serve.engine import Engine
from osler.serve.event import Audit
from osler.serve.gate import OPEN_PATH, Doors, Gate
from osler.serve.keys import Visitor
from osler.serve.limits import Admission, Limits
from osler.serve.meters import Meters
from osler.serve.needs import all_routes, needs, scopes_of
from osler.serve.refusal import Refusal
from osler.serve.trail import Recorder

_CODES = {404: "not_found", 405: "method_not_allowed"}


def make_app(
    engine: Engine | Sequence[Engine],
    *,
    who: Callable[[str], Visitor | None],
    limits: Limits,
    audit: Audit,
    digest_key: bytes,
    bundle_sha256: str = "",
    routers: Sequence[APIRouter] = (),
    say: Callable[[str], None] = lambda line: None,
) -> FastAPI:
    """The gateway as an ASGI application.

    Args:
        engine: what answers; several are asked for by name, and the first is the one of a request that is refused.
        who: the visitor of a key, such as `Keys(path).visitor`.
        limits: what is refused.
        audit: writes events; a request whose event it cannot write is refused with 503.
        digest_key: the site's key for digests in events.
        bundle_sha256: entered in events.
        routers: further routes. Each route declares `Depends(needs("scope"))`; auth, limits, audit and the form of
            errors are the gate's. A handler finds `visitor`, `trail` and `request_id` in `request.state`, and raises
            Refusal. `app.state` has `engine`, `engines` by name, `limits`, `admission`, `decoders`, `meters`, `doors`.
        say: takes lines for the log.

    Raises:
        ValueError: a route but /health declares no scope, or two engines have one name.
    """
    engines = _by_name(tuple(engine) if isinstance(engine, Sequence) else (engine,))
    engine = next(iter(engines.values()))
    meters = Meters()
    recorder = Recorder(audit, digest_key=digest_key, model=engine.model, bundle_sha256=bundle_sha256)
    doors = Doors(who, limits, recorder, meters, say)
    decoders = Decoders(
        num_workers=limits.num_decoders, max_pixels=limits.max_pixels, timeout_s=limits.decode_timeout_s
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for each in engines.values():
            await each.start()
        await decoders.start()
        try:
            yield
        finally:
            for each in engines.values():
                await each.close()
            await decoders.close()
            await recorder.close()

    app = FastAPI(title="osler", openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    app.state.engine, app.state.limits, app.state.meters, app.state.doors = engine, limits, meters, doors
    app.state.engines, app.state.decoders, app.state.admission = engines, decoders, Admission(limits.max_admitted)
    app.add_middleware(Gate, doors=doors)
    app.add_exception_handler(HTTPException, _in_our_form)
    app.add_exception_handler(RequestValidationError, _invalid)
    for router in (_status_routes(), chat_routes(), *routers):
        app.include_router(router)
    _refuse_open_routes(app)
    return app


def _by_name(engines: Sequence[Engine]) -> dict[str, Engine]:
    found = {engine.model: engine for engine in engines}
    if len(found) < len(engines):
        raise ValueError("each engine needs a name of its own")
    return found


def _status_routes() -> APIRouter:
    router = APIRouter()

    @router.get(OPEN_PATH)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready", dependencies=[Depends(needs())])
    async def ready(request: Request) -> dict[str, str]:
        if request.app.state.doors.recorder.is_broken:
            raise Refusal(503, "the audit trail cannot be written", code="audit_unavailable", retry_after_s=5)
        for engine in request.app.state.engines.values():
            problem = await engine.problem()
            if problem:
                raise Refusal(503, problem, code="engine_unavailable", retry_after_s=5)
        return {"status": "ready"}

    @router.get("/metrics", dependencies=[Depends(needs("metrics"))])
    async def metrics(request: Request) -> PlainTextResponse:
        request.app.state.meters.inside.set(request.app.state.admission.num_inside)
        return PlainTextResponse(request.app.state.meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @router.get("/v1/models", dependencies=[Depends(needs("chat", "study"))])
    async def models(request: Request) -> dict[str, Any]:
        engines: dict[str, Engine] = request.app.state.engines
        limits: Limits = request.app.state.limits
        about: dict[str, Any] = {"object": "model", "created": 0, "owned_by": "osler"}
        about |= {"max_images": limits.max_images, "max_tokens": limits.max_tokens}
        entries = [{"id": name, **about, "sha256": engine.model_sha256} for name, engine in engines.items()]
        return {"object": "list", "data": entries}

    return router


def _refuse_open_routes(app: FastAPI) -> None:
    for route in all_routes(app.routes):
        path = getattr(route, "path", "?")
        if path != OPEN_PATH and scopes_of(route) is None:
            raise ValueError(f"route {path} declares no scope: dependencies=[Depends(needs(...))]")


async def _in_our_form(request: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 500)
    message = {404: "there is no such route", 405: "this route does not take that method"}.get(status, "bad request")
    refusal = Refusal(status, message, code=_CODES.get(status, "bad_request"))
    return JSONResponse(refusal.body(), status_code=status)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """FastAPI would send back what it was sent."""
    refusal = Refusal(400, "the request does not have the form that this route takes", code="invalid_request")
    return JSONResponse(refusal.body(), status_code=400)

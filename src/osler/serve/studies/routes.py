"""Routes: studies in, drafts out. Every one wants the scope `study`; the gate around them does the rest."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from osler.core.config import Config
from osler.core.errors import InputError
from osler.media.slices import CT_WINDOWS
from osler.serve.needs import needs
from osler.serve.refusal import Refusal
from osler.serve.studies.config import Opened
from osler.serve.studies.dicomweb import ArchiveError
from osler.serve.studies.draft import Draft, Uid, as_text, now
from osler.serve.studies.fhir import MEDIA_TYPE, as_fhir
from osler.serve.studies.filing import Handles, filed, told_studies
from osler.serve.studies.receiver import SendError, send
from osler.serve.studies.service import Taken, with_urls
from osler.serve.studies.structured import as_sr
from osler.serve.studies.work import Ask, Plane

_Made = TypeVar("_Made")
_PAIR = re.compile(r"(-?\d{1,6}(?:\.\d{1,6})?),(\d{1,6}(?:\.\d{1,6})?)")
_MOST_IMAGES = 64
_Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
_Token = Annotated[str, Field(pattern=r"^s-[0-9a-f]{20}$")]


class Search(Config):
    """Studies of an archive; one of the keys at least."""

    archive: _Name
    patient_id: Annotated[str, Field(max_length=64)] = ""
    accession: Annotated[str, Field(max_length=16)] = ""
    study_uid: Uid | Literal[""] = ""


class Pull(Config):
    """One study of an archive, by the pseudonym that a search gave."""

    archive: _Name
    study: _Token


class Send(Config):
    """A draft into the patient's study. to: an archive (STOW-RS) or a destination (C-STORE); "" is whence it came."""

    archive: _Name
    study: _Token
    draft: Draft
    to: _Name | Literal[""] = ""


def asked(
    images: Annotated[int, Query(ge=1, le=_MOST_IMAGES)] = 8,
    window: Annotated[str, Query(max_length=40)] = "",
    which: Annotated[int, Query(ge=0, le=15)] = 0,
    values: bool = False,
    plane: Plane = "",
) -> Ask:
    """What is wanted of a study, from the query. Raises Refusal (400) for a window that is none."""
    pair = _PAIR.fullmatch(window)
    if window and window not in CT_WINDOWS and not (pair and float(pair[2]) > 0):
        names = ", ".join(CT_WINDOWS)
        raise Refusal(400, f"window is CENTER,WIDTH or one of {names}", code="invalid_window", param="window")
    chosen = (float(pair[1]), float(pair[2])) if pair else window or None
    return Ask(images=images, window=chosen, which=which, values=values, plane=plane)


_Asked = Annotated[Ask, Depends(asked)]


def studies_router(opened: Opened) -> APIRouter:
    """The routes over what the recipe opened."""
    router = APIRouter(dependencies=[])
    handles = Handles(opened.names)
    _add_studies(router, opened)
    _add_archives(router, opened, handles)
    _add_reports(router, opened, handles)
    return router


def _add_studies(router: APIRouter, opened: Opened) -> None:
    allowed = [Depends(needs("study"))]
    studies = opened.studies

    @router.post("/v1/studies", dependencies=allowed)
    async def take(request: Request, ask: _Asked) -> JSONResponse:
        body = await request.body()
        request.state.trail.image(body)
        request.state.trail.count("bytes_in", len(body))
        await request.state.trail.asked()
        kind = request.headers.get("content-type", "")
        return _answer(await _away(lambda: studies.take(body, kind, ask)))

    @router.get("/v1/studies", dependencies=allowed)
    async def kept() -> dict[str, Any]:
        return {"studies": [] if studies.keep is None else await _away(studies.keep.studies)}

    @router.get("/v1/studies/{study}", dependencies=allowed)
    async def again(study: _Token, ask: _Asked) -> JSONResponse:
        taken = await _away(lambda: studies.again(study, ask))
        if taken is None:
            raise Refusal(404, "that study is not kept", code="not_found")
        return _answer(taken)

    @router.delete("/v1/studies/{study}", dependencies=allowed)
    async def forget(study: _Token) -> dict[str, bool]:
        if studies.keep is None or not await _away(lambda: studies.keep is not None and studies.keep.forget(study)):
            raise Refusal(404, "that study is not kept", code="not_found")
        return {"forgotten": True}


def _add_archives(router: APIRouter, opened: Opened, handles: Handles) -> None:
    allowed = [Depends(needs("study"))]

    @router.post("/v1/archives/search", dependencies=allowed)
    async def search(wanted: Search) -> dict[str, Any]:
        archive = _named(opened.archives, wanted.archive, "archive")
        pairs = (("PatientID", wanted.patient_id), ("AccessionNumber", wanted.accession))
        query = {key: value for key, value in (*pairs, ("StudyInstanceUID", wanted.study_uid)) if value}
        found = await _away(lambda: archive.studies(query))
        return {"studies": told_studies(found, wanted.archive, handles)}

    @router.post("/v1/archives/pull", dependencies=allowed)
    async def pull(request: Request, wanted: Pull, ask: _Asked) -> JSONResponse:
        archive = _named(opened.archives, wanted.archive, "archive")
        uid = await _away(lambda: handles.study_uid(wanted.archive, wanted.study))
        body, kind = await _away(lambda: archive.study(uid))
        request.state.trail.image(body)
        await request.state.trail.asked()
        return _answer(await _away(lambda: opened.studies.take(body, kind, ask)))


def _add_reports(router: APIRouter, opened: Opened, handles: Handles) -> None:
    allowed = [Depends(needs("study"))]

    @router.post("/v1/reports", dependencies=allowed)
    async def report(draft: Draft, format: Literal["text", "fhir", "sr"] = "text") -> Response:
        _check_words(draft)
        made = now()
        if format == "text":
            return Response(as_text(draft, made), media_type="text/plain; charset=utf-8")
        if format == "fhir":
            return JSONResponse(as_fhir(draft, made), media_type=MEDIA_TYPE)
        return Response(await _away(lambda: as_sr(draft, made)), media_type="application/dicom")

    @router.post("/v1/reports/send", dependencies=allowed)
    async def file(request: Request, wanted: Send) -> dict[str, Any]:
        _check_words(wanted.draft)
        archive = _named(opened.archives, wanted.archive, "archive")
        to = wanted.to or wanted.archive
        if to not in opened.archives:
            _named(opened.destinations, to, "destination")
        uid = await _away(lambda: handles.study_uid(wanted.archive, wanted.study))
        await request.state.trail.asked()

        def work() -> None:
            document = as_sr(filed(wanted.draft, archive, uid, opened.names), now())
            if to in opened.archives:
                opened.archives[to].store([document])
            else:
                send([document], opened.destinations[to])

        await _away(work)
        return {"sent": True, "to": to}


def _answer(taken: Taken) -> JSONResponse:
    if taken.status >= 400:
        refusal = Refusal(taken.status, "nothing of the upload could be taken", code="study_refused")
        return JSONResponse({**refusal.body(), "refused": taken.answer["refused"]}, status_code=taken.status)
    return JSONResponse(with_urls(taken))


async def _away(work: Callable[[], _Made]) -> _Made:
    """`work` in a thread; what the caller got wrong is 400, what an archive did not do is 502."""
    try:
        return await run_in_threadpool(work)
    except InputError as error:
        raise Refusal(400, str(error), code="invalid_request") from error
    except (ArchiveError, SendError) as error:
        raise Refusal(502, str(error), code="archive_failed") from error


def _named(found: dict[str, _Made], name: str, kind: str) -> _Made:
    if name not in found:
        raise Refusal(404, f"the recipe names no such {kind}; it has {', '.join(found) or 'none'}", code="not_found")
    return found[name]


def _check_words(draft: Draft) -> None:
    if not draft.sections():
        raise Refusal(400, "a draft needs findings or an impression", code="invalid_request", param="findings")

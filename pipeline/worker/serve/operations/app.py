"""The ASGI app of the operations listener. The queue is asked in threads, for a bounded time.

Every answer but the status page and the metrics is JSON; every error is ``{"error": "one sentence"}``.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import CommandError, ForbiddenError, RecpipeError
from pipeline.job.spec_json import MOST_BYTES
from pipeline.journal.here import utc_ms
from pipeline.worker.queue.jobs import ENDED, State
from pipeline.worker.queue.orders import key_of
from pipeline.worker.queue.telling import job_document, note_documents
from pipeline.worker.serve.allowed import WHAT, permitted
from pipeline.worker.serve.operations import asking
from pipeline.worker.serve.operations.guard import Guard
from pipeline.worker.serve.operations.heard import Silence
from pipeline.worker.serve.operations.metrics import TEXT, Told, metrics_text
from pipeline.worker.serve.operations.openapi import DOCUMENT
from pipeline.worker.serve.operations.page import SECURITY, Seen, away, page
from pipeline.worker.serve.operations.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Standing
    from pipeline.worker.serve.allowed import Allowed
    from pipeline.worker.serve.operations.heard import Counters, Inbox

T = TypeVar("T")

READY_S = 3.0
"""Within which a queue answers that is ready."""
METRICS_S = 5.0
"""For the queue's part of the metrics: Prometheus waits 10 s for all of them."""
ANSWER_S = 20.0
"""For everything else: an engine waits 10 s for what is locked or away."""
BODY_S = 10.0
"""For all of a posted job."""
THREADS = 8
SHOWN = 25
"""Jobs in each table of the page."""
LATER_S = "5"
NO_ANSWER = "the queue does not answer: again later."
_JSON = "application/json"


def operations_app(
    engine: Engine,
    allowed: Allowed,
    token: bytes | None,
    counters: Counters | None = None,
    inbox: Inbox | None = None,
    *,
    hosts: frozenset[str] = frozenset(),
) -> Guarded:
    """The app: ``/``, ``/metrics``, ``/health``, ``/ready``, ``/jobs``, ``/jobs/{id}``, ``/openapi.json``.

    Where it is bound to something else than the loopback it must have a token; see
    `pipeline.worker.serve.operations.guard.check_binding`.

    Args:
        engine: the queue.
        allowed: what a posted job may name.
        token: that is asked for; None for none.
        counters: of the public listener.
        inbox: of the public listener.
        hosts: names by which the listener is reached, in lower case; without a token only these and those of
            the loopback are answered.
    """
    return Guarded(Operations(engine, allowed, counters or Silence(), inbox), Guard(token, hosts))


class Operations:
    """The routes.

    Args:
        engine: the queue.
        allowed: what a posted job may name.
        counters: of the public listener.
        inbox: of the public listener.
    """

    def __init__(self, engine: Engine, allowed: Allowed, counters: Counters, inbox: Inbox | None) -> None:
        self._engine = engine
        self._allowed = allowed
        self._counters = counters
        self._inbox = inbox
        self._watched = Watched(engine, utc_ms())
        self._threads = ThreadPoolExecutor(THREADS, "operations")
        self.asgi = Starlette(
            routes=[
                Route("/", self._page),
                Route("/metrics", self._metrics),
                Route("/health", self._health),
                Route("/ready", self._ready),
                Route("/openapi.json", self._openapi),
                Route("/jobs", self._jobs, methods=["GET", "POST"]),
                Route("/jobs/{number}", self._job),
            ],
            exception_handlers={
                HTTPException: _refused,
                RecpipeError: _failed,
                TimeoutError: _late,
                Exception: _broken,
            },
        )
        self.asgi.router.redirect_slashes = False

    def close(self) -> None:
        """Wait for what queue and inbox are being asked; what was to be asked yet is not."""
        self._threads.shutdown(cancel_futures=True)

    async def _ask(self, ask: Callable[[], T], seconds: float = ANSWER_S) -> T:
        """Raises TimeoutError where the queue does not answer; the thread may end later."""
        answer = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return await asyncio.wait_for(answer, seconds)

    async def _page(self, _: Request) -> Response:
        try:
            return Response(page(await self._ask(self._seen)), media_type="text/html")
        except (RecpipeError, TimeoutError) as error:
            tasks = await self._ask(partial(self._inbox.latest, SHOWN)) if self._inbox else ()
            text = away(str(error) or NO_ANSWER, self._counters.numbers(), tasks, utc_ms())
            return Response(text, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": LATER_S}, "text/html")

    def _seen(self) -> Seen:
        ended = self._engine.jobs(ENDED, most=SHOWN)
        return Seen(
            standing=self._engine.standing(),
            running=self._engine.jobs({State.RUNNING}, most=asking.PAGE),
            waiting=self._engine.jobs({State.WAITING}, most=SHOWN),
            results=sorted(ended, key=lambda job: (job.ended_ms, job.id), reverse=True),
            callbacks=self._counters.numbers(),
            tasks=self._inbox.latest(SHOWN) if self._inbox else (),
            now_ms=utc_ms(),
        )

    async def _metrics(self, _: Request) -> Response:
        standing: Standing | None
        try:
            standing, sums = await self._ask(
                lambda: (self._engine.standing(), self._watched.sums()), METRICS_S
            )
        except (RecpipeError, TimeoutError):
            standing, sums = None, self._watched.last
        inbox = await self._ask(self._inbox.counts) if self._inbox else None
        text = metrics_text(Told(standing, sums, self._counters.numbers(), inbox, utc_ms()))
        return Response(text, headers={"Content-Type": TEXT})

    async def _health(self, _: Request) -> Response:
        return _json({"status": "alive"})

    async def _ready(self, _: Request) -> Response:
        await self._ask(self._engine.counts, READY_S)
        return _json({"status": "ready"})

    async def _openapi(self, _: Request) -> Response:
        return _json(DOCUMENT)

    async def _jobs(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._post(request)
        wanted = asking.listing(request.query_params.multi_items())
        jobs, counts = await self._ask(
            lambda: (
                self._engine.jobs(wanted.states, key=wanted.key, most=wanted.most, before=wanted.before),
                self._engine.counts(),
            )
        )
        return _json(
            {
                "counts": {str(state): number for state, number in counts.items()},
                "jobs": [job_document(job) for job in jobs],
                "before": jobs[-1].id if len(jobs) == wanted.most else None,
            }
        )

    async def _job(self, request: Request) -> Response:
        number = asking.number_of(request.path_params["number"])
        found = None if number is None else await self._ask(lambda: self._engine.job(number))
        if found is None:
            return _error(HTTPStatus.NOT_FOUND, "there is no such job in this queue.")
        notes = await self._ask(lambda: self._engine.said(found.id))
        return _json({**job_document(found), "log": note_documents(notes)})

    async def _post(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _JSON:
            return _error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a job is posted as {_JSON}.")
        try:
            text = (await asyncio.wait_for(_body(request), BODY_S)).decode("utf-8")
        except TimeoutError:
            return _error(HTTPStatus.REQUEST_TIMEOUT, f"the job did not arrive within {BODY_S:.0f} s.")
        except UnicodeDecodeError:
            return _error(HTTPStatus.BAD_REQUEST, "what was posted is no JSON: expected UTF-8.")
        query = request.query_params.multi_items()
        said, job = await self._ask(lambda: self._submit(text, query))
        return _json(
            {"id": said.id, "new": said.new, "job": job_document(job) if job else None},
            HTTPStatus.CREATED if said.new else HTTPStatus.OK,
            {"Location": f"/jobs/{said.id}"},
        )

    def _submit(self, text: str, query: list[tuple[str, str]]) -> Any:
        document = permitted(text, self._allowed)
        said = self._engine.submit(asking.posted(query, document, key_of(document, WHAT), utc_ms()))
        return said, self._engine.job(said.id)


class Guarded:
    """Asks the guard before the app sees a request, and puts the headers of security on every answer."""

    def __init__(self, inside: Operations, guard: Guard) -> None:
        self._inside = inside
        self._app: ASGIApp = inside.asgi
        self._guard = guard

    def close(self) -> None:
        """As `Operations.close`."""
        self._inside.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self._guard.refusal(request.method, scope["path"], request.headers)
        app = self._app
        if refusal is not None:
            app = _error(refusal.status, refusal.sentence)

        async def secured(message: Any) -> None:
            if message["type"] == "http.response.start":
                more = [(name.lower().encode(), value.encode()) for name, value in SECURITY.items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await app(scope, receive, secured)


async def _body(request: Request) -> bytes:
    """All of it; raises HTTPException where it is too large, however it comes."""
    data = bytearray()
    try:
        async for part in request.stream():
            data += part
            if len(data) > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except ClientDisconnect:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    return bytes(data)


def _json(
    document: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    return Response(json.dumps(document), status, headers, _JSON)


def _error(status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> Response:
    if status is HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": 'Bearer realm="recpipe", Basic realm="recpipe", charset="UTF-8"'}
    return _json({"error": sentence}, status, headers)


_SENTENCES = {
    HTTPStatus.NOT_FOUND: "there is no such page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "this page is not asked in this way.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"a job has at most {MOST_BYTES} bytes.",
    HTTPStatus.BAD_REQUEST: "the request ended before it was whole.",
}


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - starlette hands over what it was asked to
    status = HTTPStatus(error.status_code)
    return _error(status, _SENTENCES.get(status, f"{status.phrase.lower()}."), dict(error.headers or {}))


async def _failed(_: Request, error: Exception) -> Response:
    """An error of ours: the caller's, or the queue's."""
    if isinstance(error, ForbiddenError):
        return _error(HTTPStatus.FORBIDDEN, str(error))
    if isinstance(error, CommandError):
        return _error(HTTPStatus.BAD_REQUEST, str(error))
    return _error(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": LATER_S})


async def _late(_: Request, __: Exception) -> Response:
    return _error(HTTPStatus.SERVICE_UNAVAILABLE, NO_ANSWER, {"Retry-After": LATER_S})


async def _broken(_: Request, __: Exception) -> Response:
    """A bug: the listener's log gets the traceback, and who asked gets none of it."""
    return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a bug in recpipe.")

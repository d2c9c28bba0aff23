"""The ASGI app of the public listener: bodies are read within bounds, everything else is the intake's.

Bodies are read and kept in threads, so that nothing that a sender does keeps the loop from answering others:
of some vendors a body has to be read before anybody knows who signed it.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from pipeline.journal.here import utc_ms
from pipeline.vendors.events import delivery
from pipeline.worker.serve.public.intake import GOOD, UNAVAILABLE, Answer

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipeline.worker.serve.public.intake import Intake

MOST_BODY = 1 << 20
BODY_S = 10.0
"""For all of a body."""
KEEP_S = 3.0
"""For the disk, with those who wait before: the quickest vendor gives up after 5 s."""
MOST_AT_ONCE = 64
"""Requests, each with a body of `MOST_BODY` at most."""
THREADS = 8
LATE, LARGE, BUG = 408, 413, 500
_JSON = "application/json"
_CLOSE = frozenset({LATE, UNAVAILABLE})
_SENTENCES = {
    404: "there is no such route, or it is off.",
    405: "callbacks are sent by POST.",
}


class PublicApp:
    """The app, and the threads that read and write.

    Args:
        intake: takes what has come.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._threads = ThreadPoolExecutor(THREADS, "inbox")
        self._inside = 0
        self.asgi = Starlette(
            routes=[Route(f"/{route}", self._post, methods=["POST"], name=route) for route in intake.secrets],
            exception_handlers={HTTPException: _refused},
        )
        self.asgi.router.redirect_slashes = False

    def close(self) -> None:
        """Wait for what is being written."""
        self._threads.shutdown()

    async def _post(self, request: Request) -> Response:
        route = request.url.path.strip("/")
        if self._inside >= MOST_AT_ONCE:
            answer = Answer(UNAVAILABLE, sentence="there is too much at once: send it again.")
        else:
            self._inside += 1
            try:
                answer = await self._answer(route, request)
            finally:
                self._inside -= 1
        if answer.status != GOOD:
            self._intake.counts.add(route, str(int(answer.status)))
        return _response(answer)

    async def _answer(self, route: str, request: Request) -> Answer:
        try:
            async with asyncio.timeout(BODY_S):
                body = await _body(request)
        except TimeoutError:
            return Answer(LATE, sentence=f"the body did not come within {BODY_S:.0f} s.")
        except ClientDisconnect:
            return Answer(LATE, sentence="the body was cut off.")
        if body is None:
            return Answer(LARGE, sentence=f"the body has over {MOST_BODY} bytes.")
        came = delivery(body, request.headers.raw, request.scope["query_string"], utc_ms())
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._intake.take, route, came)
        try:
            return await asyncio.wait_for(work, KEEP_S)
        except TimeoutError:  # where it is written later, the next delivery is a duplicate
            return Answer(UNAVAILABLE, sentence="this could not be kept in time: send it again.")
        except Exception as error:  # noqa: BLE001 - the border: whatever a body does, the server goes on
            self._intake.tell(f"a delivery to {route} could not be read: {type(error).__name__}: {error}.")
            return Answer(BUG, sentence="this is a bug in recpipe.")


async def _body(request: Request) -> bytes | None:
    """All of the body; None where it is too large, as soon as that is known."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > MOST_BODY:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            return None
    return bytes(body)


def _response(answer: Answer) -> Response:
    headers = {"connection": "close"} if answer.status in _CLOSE else {}
    if answer.status == UNAVAILABLE:
        headers["retry-after"] = "5"
    body = answer.body if answer.status == GOOD else json.dumps({"error": answer.sentence}).encode("ascii")
    return Response(body, answer.status, headers, _JSON)


async def _refused(_request: Request, error: Exception) -> Response:
    """What starlette refuses: other routes and other methods."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for that
    sentence = _SENTENCES.get(error.status_code, error.detail)
    return Response(json.dumps({"error": sentence}), error.status_code, error.headers, _JSON)

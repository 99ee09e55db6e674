"""Failures: from the error tree to an HTTP status and one sentence; never a traceback."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullfocus.errors import (
    CannotWriteError,
    MissingModelError,
    PullfocusError,
    TooLargeError,
    UnreadableInputError,
    UsageError,
)
from pullfocus.web.queue import BusyError
from pullfocus.web.schema import Failure
from pullfocus.web.steps import CancelledJobError
from pullfocus.web.store import GoneError
from pullfocus.web.worker import (
    DeadlineError,
    TooMuchMemoryError,
    UnexpectedError,
    WorkerEndedError,
)

_STATUS: tuple[tuple[type[BaseException], int, str], ...] = (
    (BusyError, 503, "busy"),
    (GoneError, 410, "gone"),
    (DeadlineError, 504, "deadline"),
    (TooMuchMemoryError, 507, "memory"),
    (WorkerEndedError, 500, "crashed"),
    (TooLargeError, 413, "too_large"),
    (UnreadableInputError, 415, "unreadable"),
    (UsageError, 422, "usage"),
    (MissingModelError, 424, "missing_model"),
    (CannotWriteError, 507, "cannot_write"),
    (PullfocusError, 400, "pullfocus"),
    (CancelledJobError, 409, "cancelled"),
    (MemoryError, 507, "memory"),
    (UnexpectedError, 500, "internal"),
)
_WORDS: dict[type[BaseException], str] = {
    CancelledJobError: "The work was cancelled.",
    MemoryError: "There is not enough memory for this photo; close others or choose a smaller one.",
    UnexpectedError: "Something went wrong inside pullfocus; the terminal it runs in says more.",
}
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_LOG = logging.getLogger("pullfocus.web")


def describe(error: BaseException) -> tuple[int, Failure]:
    """Return the status and the sentence for any error."""
    for kind, status, word in _STATUS:
        if isinstance(error, kind):
            return status, Failure(kind=word, message=_WORDS.get(kind) or str(error))
    if isinstance(error, OSError) and error.errno in _FULL:
        words = "The disk of the temporary folder is full; free some space and try again."
        return 507, Failure(kind="cannot_write", message=words)
    return 500, Failure(kind="internal", message=_WORDS[UnexpectedError])


def log_unexpected(error: BaseException) -> None:
    """Write an error that nobody foresaw to the terminal, once; people get a sentence instead."""
    if describe(error)[1].kind == "internal" and not hasattr(error, "is_logged"):
        error.is_logged = True  # type: ignore[attr-defined]
        if isinstance(error, UnexpectedError):
            _LOG.error("unexpected error in the worker\n%s", error)
        else:
            _LOG.error("unexpected error", exc_info=error)


def answer(status: int, failure: Failure) -> JSONResponse:
    """Make the answer of a failure."""
    headers = {"retry-after": "2"} if status == 503 else None
    return JSONResponse({"error": failure.model_dump()}, status, headers)


def install(app: FastAPI) -> None:
    """Give the app one shape for all its failures."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, Failure(kind="usage", message=_sentence(error.errors()[0])))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, OSError):  # a multipart body that found no room
            return answer(*describe(error.__cause__))
        return answer(
            error.status_code, Failure(kind="http", message=f"{str(error.detail).rstrip('.')}.")
        )

    async def _known(_: Request, error: Exception) -> JSONResponse:
        return answer(*describe(error))

    for kind, _, _ in _STATUS:
        if issubclass(kind, Exception):
            app.add_exception_handler(kind, _known)


def _sentence(problem: dict[str, Any]) -> str:
    """Say what is wrong with a field of a request, in words of this program where it can."""
    if problem["type"] == "json_invalid":
        return "The body of the request is not JSON."
    where = ".".join(str(part) for part in problem["loc"] if part != "body")
    if "UploadFile" in problem["msg"]:
        return f"{where} must be a file in a multipart form (curl -F {where}=@FILE)."
    return f"{where}: {problem['msg']}."


class LastResort:
    """ASGI middleware outside the app: what nobody foresaw is logged once, and answered.

    What Starlette refuses in plain text (a Range that makes no sense) gets the shape of all others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        plain: Message | None = None

        async def watched(message: Message) -> None:
            nonlocal started, plain
            started = True
            if message["type"] == "http.response.start" and _is_plain_failure(message):
                plain = message
            elif plain is None:
                await send(message)
            elif not message.get("more_body", False):
                await _reshaped(plain, message.get("body", b""))(scope, receive, send)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            _LOG.warning("%s %s: the client hung up", scope["method"], scope["path"])
        except Exception as error:  # noqa: BLE001 - the last one who could answer
            log_unexpected(error)
            if not started:
                await answer(*describe(error))(scope, receive, send)


def _is_plain_failure(start: Message) -> bool:
    kind = Headers(raw=start.get("headers", [])).get("content-type", "")
    return start["status"] >= 400 and kind.startswith("text/plain")


def _reshaped(start: Message, body: bytes) -> JSONResponse:
    words = (
        body.decode("utf-8", "replace").strip().rstrip(".") or HTTPStatus(start["status"]).phrase
    )
    reshaped = answer(start["status"], Failure(kind="http", message=f"{words}."))
    told = Headers(raw=start["headers"]).get("content-range")
    if told is not None:
        reshaped.headers["content-range"] = told
    return reshaped

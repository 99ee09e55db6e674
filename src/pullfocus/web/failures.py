"""Failures: from the error tree to an HTTP status and one sentence; never a traceback."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pullfocus.errors import (
    CannotWriteError,
    MissingModelError,
    PullfocusError,
    TooLargeError,
    UnreadableInputError,
    UsageError,
)
from pullfocus.web.queue import BusyError, CancelledJobError
from pullfocus.web.schema import Failure
from pullfocus.web.store import GoneError

_STATUS: tuple[tuple[type[BaseException], int, str], ...] = (
    (BusyError, 503, "busy"),
    (GoneError, 410, "gone"),
    (TooLargeError, 413, "too_large"),
    (UnreadableInputError, 415, "unreadable"),
    (UsageError, 422, "usage"),
    (MissingModelError, 424, "missing_model"),
    (CannotWriteError, 507, "cannot_write"),
    (PullfocusError, 400, "pullfocus"),
    (CancelledJobError, 409, "cancelled"),
    (MemoryError, 507, "memory"),
)
_WORDS = {
    "cancelled": "The work was cancelled.",
    "memory": "There is not enough memory for this photo; close others or choose a smaller one.",
}
_LOG = logging.getLogger("pullfocus.web")


def describe(error: BaseException) -> tuple[int, Failure]:
    """Return the status and the sentence for any error; unknown ones are logged, not shown."""
    for kind, status, word in _STATUS:
        if isinstance(error, kind):
            return status, Failure(kind=word, message=_WORDS.get(word) or str(error))
    _LOG.error("unexpected error", exc_info=error)
    words = "Something went wrong inside pullfocus; the terminal it runs in says more."
    return 500, Failure(kind="internal", message=words)


def answer(status: int, failure: Failure) -> JSONResponse:
    """Make the answer of a failure."""
    headers = {"retry-after": "2"} if status == 503 else None
    return JSONResponse({"error": failure.model_dump()}, status, headers)


def install(app: FastAPI) -> None:
    """Give the app one shape for all its failures."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return answer(422, Failure(kind="usage", message=f"{where}: {first['msg']}."))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, Failure(kind="http", message=f"{error.detail}."))

    async def _known(_: Request, error: Exception) -> JSONResponse:
        return answer(*describe(error))

    for kind, _, _ in _STATUS:
        if issubclass(kind, Exception):
            app.add_exception_handler(kind, _known)

"""BodyLimit: refuses uploads that are too large, too slow or stand still, before anything decodes.

The length a client announces is checked first; what it really sends is counted as it arrives.
"""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullfocus.web.config import MEGABYTE, ServerConfig

OVERHEAD_BYTES = 1 << 20
"""Room for multipart boundaries and settings beside the photo."""


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BodyLimit:
    """ASGI middleware that bounds the size and duration of request bodies."""

    def __init__(self, app: ASGIApp, config: ServerConfig) -> None:
        self.app = app
        self.config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on with a counting, timed `receive`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.config.max_upload_bytes + OVERHEAD_BYTES
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > limit:
            await _answer(_too_large(self.config), scope, receive, send)
            return
        meter = _Meter(self.config, limit, receive)
        watched = _Watched(meter, send)
        try:
            await self.app(scope, meter, watched)
        except Exception:
            if meter.refused is None:
                raise
        if meter.refused is not None and not watched.started:
            await _answer(meter.refused, scope, receive, send)


class _Meter:
    """`receive` that counts bytes and seconds while the body is on its way."""

    def __init__(self, config: ServerConfig, limit: int, receive: Receive) -> None:
        self.config, self.limit, self.receive = config, limit, receive
        self.count = 0
        self.begun = time.monotonic()
        self.whole = False
        self.refused: _RefusedError | None = None

    async def __call__(self) -> Message:
        if self.whole:
            return await self.receive()
        left = self.config.transfer_s - (time.monotonic() - self.begun)
        try:
            message = await asyncio.wait_for(self.receive(), min(self.config.idle_s, max(left, 0)))
        except TimeoutError:
            self.refused = _RefusedError(408, "The upload stood still for too long; try again.")
            raise self.refused from None
        self.count += len(message.get("body", b""))
        if self.count > self.limit:
            self.refused = _too_large(self.config)
            raise self.refused
        self.whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message


class _Watched:
    """`send` that holds back an answer made of a body which the meter has refused."""

    def __init__(self, meter: _Meter, send: Send) -> None:
        self.meter, self.send = meter, send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if self.meter.refused is not None and not self.started:
            return
        self.started = self.started or message["type"] == "http.response.start"
        await self.send(message)


def _too_large(config: ServerConfig) -> _RefusedError:
    cap = config.max_upload_bytes / MEGABYTE
    return _RefusedError(
        413, f"The file is larger than {cap:g} MB; start pullfocus web with --max-upload-mb."
    )


async def _answer(refused: _RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
    body = {"error": {"kind": "upload", "message": str(refused)}}
    response = JSONResponse(body, refused.status, headers={"connection": "close"})
    await response(scope, receive, send)

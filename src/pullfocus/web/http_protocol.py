"""HTTP/1.1 as uvicorn speaks it, with an end to headers that never do: they would hold a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def protocol_within(header_s: float) -> type[H11Protocol]:
    """Return uvicorn's protocol, closing connections whose headers take longer than `header_s`.

    The time runs from the connection, or from the first byte of a further request.
    """

    class HeadersWithin(H11Protocol):
        """One connection."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._headers_due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """Begin to wait for the first request."""
            super().connection_made(transport)
            self._wait_for_headers()

        def data_received(self, data: bytes) -> None:
            """Take bytes, and see whether they end the headers."""
            super().data_received(data)
            if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
                self._wait_for_headers()
            else:
                self._stop_waiting()

        def connection_lost(self, exc: Exception | None) -> None:
            """Stop waiting."""
            self._stop_waiting()
            super().connection_lost(exc)

        def _wait_for_headers(self) -> None:
            if self._headers_due is None:
                self._headers_due = self.loop.call_later(header_s, self._give_up)

        def _stop_waiting(self) -> None:
            if self._headers_due is not None:
                self._headers_due.cancel()
                self._headers_due = None

        def _give_up(self) -> None:
            self._headers_due = None
            if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
                self.transport.write(_TOO_LATE)
                self.transport.close()

    return HeadersWithin

"""Guard: the first thing a request meets; checks Host, Origin and token, and sets strict headers.

Host not ours            -> 421   (DNS rebinding)
Origin not ours          -> 403   (a post from another site)
/api without the token   -> 401
/ without the token      -> 401   (a page that says which address lets in)
/?token=...              -> 303 to / with the token in an HttpOnly, SameSite=Strict cookie
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullfocus.web.config import ServerConfig

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self'; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HOST = re.compile(r"(?:(?P<name>[a-z0-9._-]+)|\[(?P<six>[0-9a-f]*:[0-9a-f:.]*)\])(?::[0-9]{1,5})?")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
OPEN_API = {"/api/health"}
NO_TOKEN = (
    "This page belongs to another run of pullfocus, or its address is not whole: open the address "
    "that `pullfocus web` printed in its terminal, from http to the end of the token."
)


class Guard:
    """ASGI middleware that lets only this run's own page and scripts through.

    entered: called when a browser shows the token.
    """

    def __init__(
        self, app: ASGIApp, config: ServerConfig, entered: Callable[[], None] | None = None
    ) -> None:
        self.app = app
        self.config = config
        self.entered = entered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then pass it on or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        guarded = _with_security_headers(scope, send)
        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _host_name(host) not in self.config.hosts:
            return _refuse(421, "host", "This server does not answer to that name.")
        if not self._origin_ok(scope, headers, host):
            return _refuse(403, "origin", "This request came from another site.")
        path: str = scope["path"]
        given = _first(parse_qs(scope["query_string"].decode("latin-1")).get("token"))
        if path == "/" and given is not None:
            return self._enter(given, scope)
        if self._has_token(scope, headers):
            return None
        if path.startswith("/api") and path not in OPEN_API:
            return _refuse(401, "token", NO_TOKEN)
        # A strict cookie does not come with the first page after a link from elsewhere, such as
        # the file that opens the browser: its script asks again, and says so if it has none.
        linked = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        return _no_token_page() if path == "/" and not linked else None

    def _origin_ok(self, scope: Scope, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin is not None:
            return origin.lower() == f"{scope.get('scheme', 'http')}://{host.lower()}"
        if scope["method"] in SAFE_METHODS:
            api = scope["path"].startswith("/api")
            return not (api and headers.get("sec-fetch-site") in ("cross-site", "same-site"))
        return headers.get("sec-fetch-site") in (None, "same-origin", "none")

    def _enter(self, given: str, scope: Scope) -> Response:
        if not self._matches(given):
            return _no_token_page()
        if self.entered is not None:
            self.entered()
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            cookie_name(scope), self.config.token, httponly=True, samesite="strict", path="/"
        )
        return response

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        bearer = headers.get("authorization", "")
        if bearer.lower().startswith("bearer "):
            return self._matches(bearer[7:].strip())
        shown = headers.get("x-pullfocus-token")
        if shown is not None:
            return self._matches(shown)
        # http.cookies stops at the first cookie of another program on this host that it dislikes
        kept = cookie_parser(headers.get("cookie", "")).get(cookie_name(scope))
        return kept is not None and self._matches(kept)

    def _matches(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.config.token.encode())


def cookie_name(scope: Scope) -> str:
    """Name the cookie after the port: cookies of one host are shared by all its ports."""
    server = scope.get("server") or ("", 0)
    return f"pullfocus_{server[1]}"


def _host_name(host: str) -> str:
    """Return the name in a Host header; empty unless it is a name or address, and a port.

    Source: RFC 9110, section 7.2; no user name before it, nothing after it.
    """
    found = _HOST.fullmatch(host.lower())
    return (found["name"] or found["six"]) if found else ""


def _first(values: list[str] | None) -> str | None:
    return values[0] if values else None


def _no_token_page() -> Response:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pullfocus</title>'
        '<meta name="viewport" content="width=device-width"></head><body><main>'
        f"<h1>This address lacks the token</h1><p>{NO_TOKEN}</p></main></body></html>"
    )
    return HTMLResponse(page, 401)


def _refuse(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"kind": kind, "message": message}}, status)


def _with_security_headers(scope: Scope, send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            private: Any = scope["path"].startswith("/api") or scope["path"] == "/"
            headers.setdefault("cache-control", "no-store" if private else "no-cache")
        await send(message)

    return guarded

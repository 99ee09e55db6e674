"""serve: bind, print the address with this run's token, open the browser, run until Ctrl-C."""

from __future__ import annotations

import errno
import socket
import threading
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.web.config import ServerConfig, is_loopback

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI


def page_url(config: ServerConfig, port: int) -> str:
    """Return the address that lets a browser in: it carries the token once."""
    wild = config.host in ("0.0.0.0", "::")
    host = socket.gethostname() if wild else config.host.strip("[]")
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/?token={quote(config.token, safe='')}"


def bind(config: ServerConfig) -> socket.socket:
    """Open the listening socket; who comes before the server runs waits for it.

    Raises:
        UsageError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host.strip("[]"), config.port))
        listener.listen()
    except OSError as problem:
        listener.close()
        taken = problem.errno == errno.EADDRINUSE
        reason = "is taken; choose another, or --port 0" if taken else "cannot be used here"
        raise UsageError(f"{config.host}, port {config.port}, {reason}.") from None
    return listener


def _check_temporary_folder() -> None:
    """Refuse to start where nothing can be kept; later, uvicorn would tell it as a traceback."""
    from pullfocus.web.store import OwnFolder

    try:
        OwnFolder().close()
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise CannotWriteError(
            f"No temporary folder can be made ({reason}); free some space, or name another folder "
            "in TMPDIR."
        ) from None


def server_settings(app: FastAPI, config: ServerConfig) -> uvicorn.Config:
    """Return how uvicorn serves the application."""
    import uvicorn

    from pullfocus.web.http_protocol import protocol_within

    return uvicorn.Config(
        app,
        http=protocol_within(config.header_s),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=1 << 16,
    )


def serve(
    config: ServerConfig,
    *,
    open_browser: bool = True,
    announce: Callable[[str], None] | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Run the server in this thread until it is interrupted.

    Args:
        announce: called with the address once the socket listens.

    Raises:
        UsageError: the address cannot be bound.
        CannotWriteError: there is no folder for temporary files.
    """
    import uvicorn

    from pullfocus.web.app import create_app
    from pullfocus.web.redirect_file import RedirectFile

    with listener or bind(config) as listening:
        _check_temporary_folder()
        url = page_url(config, listening.getsockname()[1])
        if announce is not None:
            announce(url)
        opened = RedirectFile(url) if open_browser and is_loopback(config.host) else None
        app = create_app(config, warm=True, entered=opened.remove if opened else None)
        if opened is not None:
            threading.Timer(0.4, webbrowser.open, (opened.address,)).start()
        try:
            uvicorn.Server(server_settings(app, config)).run(sockets=[listening])
        finally:
            if opened is not None:
                opened.remove()

"""serve: bind, print the address with this run's token, open the browser, run until Ctrl-C."""

from __future__ import annotations

import errno
import socket
import threading
import webbrowser
from collections.abc import Callable
from urllib.parse import quote

from pullfocus.errors import UsageError
from pullfocus.web.config import ServerConfig, is_loopback


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
    """
    import uvicorn

    from pullfocus.web.app import create_app

    listener = listener or bind(config)
    url = page_url(config, listener.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config, warm=True),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=1 << 16,
        )
    )
    if announce is not None:
        announce(url)
    if open_browser and is_loopback(config.host):
        threading.Timer(0.4, webbrowser.open, (url,)).start()
    with listener:
        server.run(sockets=[listener])

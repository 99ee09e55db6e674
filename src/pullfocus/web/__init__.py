"""The web room: a local page and HTTP API over the same straight line, for one person's computer.

    upload -> store -> queue -> workbench (load, depth, render, save) -> result -> browser

`create_app` makes the ASGI application, `serve` runs it. Pictures never leave the machine: the
server listens on loopback, fetches no URL and forgets everything at exit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullfocus.web.app import create_app
    from pullfocus.web.config import ServerConfig
    from pullfocus.web.serve import serve

__all__ = ["ServerConfig", "create_app", "serve"]

_HOME = {
    "create_app": "pullfocus.web.app",
    "ServerConfig": "pullfocus.web.config",
    "serve": "pullfocus.web.serve",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pullfocus.web' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)

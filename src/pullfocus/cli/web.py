"""`pullfocus web`: open the local page, or serve the HTTP API to scripts on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

TOKEN_VARIABLE = "PULLFOCUS_TOKEN"


def command(
    host: Annotated[
        str, typer.Option(help="Address to bind; others than loopback need a token.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(help="Port to bind; 0 takes a free one.")] = 8321,
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN_VARIABLE, help="The secret that lets a browser or script in."),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the browser.")
    ] = True,
    max_upload_mb: Annotated[float, typer.Option(min=1, help="Largest file to accept.")] = 200.0,
    max_megapixels: Annotated[float, typer.Option(min=0.1, help="Largest photo to open.")] = 200.0,
    max_memory_mb: Annotated[
        float | None,
        typer.Option(min=500, help="Memory for the work; default: most of the machine's."),
    ] = None,
    max_open_s: Annotated[float, typer.Option(min=1, help="Longest time to read a file.")] = 60.0,
    max_step_s: Annotated[
        float, typer.Option(min=1, help="Longest time for a step of any other work.")
    ] = 300.0,
    preview_px: Annotated[int, typer.Option(help="Longer side of the picture on screen.")] = 1600,
) -> None:
    """Open the web app: drop a photo, click, pull focus. Pictures never leave this computer."""
    import secrets

    from pullfocus.errors import UsageError
    from pullfocus.web.config import ServerConfig, is_loopback
    from pullfocus.web.serve import bind, serve

    if not is_loopback(host) and token is None:
        raise UsageError(
            f"--host {host} can be reached by others: give a secret of 16 characters or more with "
            f"--token or {TOKEN_VARIABLE}."
        )
    config = ServerConfig(
        host=host,
        port=port,
        token=token or secrets.token_urlsafe(24),
        max_upload_mb=max_upload_mb,
        max_megapixels=max_megapixels,
        max_memory_mb=max_memory_mb,
        max_open_s=max_open_s,
        max_step_s=max_step_s,
        preview_px=preview_px,
        extra_hosts=_names_of_this_machine(host),
    )
    serve(config, open_browser=open_browser, announce=_announce, listener=bind(config))


def _names_of_this_machine(host: str) -> tuple[str, ...]:
    import socket

    if host not in ("0.0.0.0", "::"):
        return ()
    name = socket.gethostname()
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except OSError:
        addresses = set()
    return (name, f"{name}.local", "localhost", "127.0.0.1", *addresses)


def _announce(url: str) -> None:
    typer.echo(f"pullfocus web: {url}")
    typer.echo("Pictures stay on this computer. Ctrl-C ends it.")

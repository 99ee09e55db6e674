"""Bodies: a request's bytes written to the store as they arrive."""

from __future__ import annotations

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from pullfocus.errors import UnreadableInputError
from pullfocus.web.context import Context
from pullfocus.web.store import Kept, with_room


async def keep_body(request: Request, parts: Context, name: str) -> Kept:
    """Write a request's body to the store; nothing stays behind if it breaks off."""
    kept = await run_in_threadpool(parts.store.place, name)
    try:
        with with_room(kept), kept.path.open("wb") as file:
            async for chunk in request.stream():
                await run_in_threadpool(file.write, chunk)
    except BaseException:
        parts.store.drop(kept.id)
        raise
    return kept


async def keep_file(request: Request, parts: Context, name: str) -> Kept:
    """Write a request's body to the store.

    Raises:
        UnreadableInputError: it is empty.
    """
    kept = await keep_body(request, parts, name)
    if kept.bytes == 0:
        parts.store.drop(kept.id)
        raise UnreadableInputError(f"{kept.name} is empty.")
    return kept

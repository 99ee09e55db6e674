"""Bodies: a request's bytes written to the store as they arrive."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.json_files import parse_json
from pullfocus.pipeline.settings import LOCAL_FIELDS, Settings
from pullfocus.web.app_state import Context
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


def read_settings(given: str | dict[str, Any] | None) -> Settings:
    """Read settings or a whole sidecar, as JSON text or as a mapping.

    Files of this machine cannot be named over HTTP, and models only by a name in the registry.

    Raises:
        UsageError: not JSON, an unknown key, a value out of range, or a local field.
    """
    content = _parsed(given)
    if isinstance(content.get("settings"), dict):
        content = content["settings"]
    for name in LOCAL_FIELDS:
        if content.pop(name, None) not in (None, Settings.model_fields[name].default):
            raise UsageError(f"{name} cannot be set over HTTP; send the file itself.")
    settings = Settings.parse(content)
    return check_model(settings)


def check_model(settings: Settings) -> Settings:
    """Return the settings if their model is one that the registry knows by name.

    Raises:
        UsageError: a path, or an id that is not in the list.
    """
    if settings.model is None:
        return settings
    from pullfocus.depth import models

    known = {card.id.lower() for card in models()} | {"compact", "embedded"}
    if settings.model.lower() not in known:
        raise UsageError(
            f"{settings.model!r} is not in the list of depth models; `GET /api/info` has the names."
        )
    return settings


def _parsed(given: str | dict[str, Any] | None) -> dict[str, Any]:
    if isinstance(given, dict):
        return dict(given)
    try:
        content = parse_json(given) if given else {}
    except ValueError:
        raise UsageError('The settings are not JSON, such as {"at": [0.4, 0.6]}.') from None
    if not isinstance(content, dict):
        raise UsageError("The settings are a JSON object.")
    return content

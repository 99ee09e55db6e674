"""The page and its files: plain modules, styles and the shaders shared with the renderer."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pullfocus.samples import SAMPLES

STATIC = Path(__file__).parents[1] / "static"
SHADERS = Path(__file__).parents[2] / "render" / "shaders"

router = APIRouter(include_in_schema=False)
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/plain", ".glsl")
mimetypes.add_type("application/manifest+json", ".webmanifest")


class PlainFiles(StaticFiles):
    """Static files without symbolic links out of the folder, and with a clean 404."""

    async def get_response(self, path: str, scope: Scope):  # type: ignore[no-untyped-def]
        """Serve one file."""
        if "\x00" in path or ".." in Path(path).parts:
            raise HTTPException(404)
        return await super().get_response(path, scope)


@router.get("/")
def page() -> FileResponse:
    """Serve the page."""
    return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")


@router.get("/samples/{name}.jpg")
def sample(name: str) -> FileResponse:
    """Serve a bundled photo, for its thumbnail."""
    for known in SAMPLES:
        if known.name == name:
            return FileResponse(known.path, media_type="image/jpeg")
    raise HTTPException(404)


@router.get("/favicon.ico")
def icon() -> FileResponse:
    """Serve the icon where browsers look for it."""
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

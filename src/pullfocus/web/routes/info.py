"""Health, version, and what this installation can do."""

from __future__ import annotations

from fastapi import APIRouter

from pullfocus import __version__
from pullfocus.pipeline import Settings
from pullfocus.samples import SAMPLES
from pullfocus.web.app_state import Parts
from pullfocus.web.schema import Health, Info, SampleView, Version

router = APIRouter(prefix="/api", tags=["info"])


@router.get("/health")
def health() -> Health:
    """Say that the server is up; the one API route that needs no token."""
    return Health()


@router.get("/version")
def version(parts: Parts) -> Version:
    """Say which program and which run this is."""
    return Version(version=__version__, run=parts.run)


@router.get("/info")
def info(parts: Parts) -> Info:
    """Say what this installation can do: models, formats, samples, the schema of Settings."""
    from pullfocus.depth import models
    from pullfocus.web.animation import animation_formats

    cards = [
        {"id": card.id, "licence": card.licence, "note": card.note, "source": card.source}
        for card in models()
    ]
    return Info(
        version=__version__,
        run=parts.run,
        max_upload_mb=parts.config.max_upload_mb,
        max_megapixels=parts.config.max_megapixels,
        models=cards,
        samples=[SampleView(name=s.name, words=s.words, x=s.x, y=s.y) for s in SAMPLES],
        formats=output_formats(),
        animation_formats=animation_formats(),
        settings_schema=Settings.model_json_schema(),
        defaults=Settings().model_dump(mode="json"),
    )


def output_formats() -> list[str]:
    """Return the picture formats that can be written here."""
    from PIL import features

    from pullfocus.pipeline.naming import can_write_heic

    optional = [("avif", bool(features.check("avif"))), ("heic", can_write_heic())]
    return ["jpeg", "png", "tiff", "webp", *(name for name, there in optional if there)]

"""`pullfocus schema`: the JSON schema of the settings, for sidecars, scripts and the HTTP API."""

from __future__ import annotations

from pullfocus.cli.console import show_json


def command() -> None:
    """Print the JSON schema of the settings."""
    from pullfocus.pipeline.settings import Settings

    show_json(Settings.model_json_schema())

"""`pullfocus schema`: the JSON schema of the settings, or of the focus script of a video."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pullfocus.cli.console import show_json


class What(StrEnum):
    """What has a schema: settings (sidecars, the HTTP API), and the focus script of a video."""

    SETTINGS = "settings"
    FOCUS_SCRIPT = "focus-script"


def command(
    what: Annotated[What, typer.Argument(help="settings, or focus-script.")] = What.SETTINGS,
) -> None:
    """Print the JSON schema of the settings, or of a video's focus script."""
    if what is What.FOCUS_SCRIPT:
        from pullfocus.focus.script import FocusScript

        show_json(FocusScript.model_json_schema())
        return
    from pullfocus.pipeline.settings import Settings

    show_json(Settings.model_json_schema())

"""The table of verbs: name, module and one line of help; a verb is imported only when it is used.

A verb's module holds `command`, a function with typer annotations, or `app`, a whole typer app,
or `main`, which takes the arguments and returns an exit code.
A verb whose module is not in this installation is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the command line; `extra` names what must be installed for it."""

    name: str
    module: str
    help: str
    extra: str | None = None

    @property
    def exists(self) -> bool:
        """Whether its module lies in the package; looks at files only."""
        place = PACKAGE.joinpath(*self.module.split(".")[1:])
        return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


TABLE = (
    Verb("refocus", "pullfocus.cli.refocus", "Refocus photos (the default: pullfocus PHOTO)."),
    Verb("depth", "pullfocus.cli.depth", "Write the depth map of photos, with a preview."),
    Verb("subjects", "pullfocus.cli.subjects", "List what a photo can be focused on."),
    Verb("graded", "pullfocus.cli.graded", "Classic blur-and-stitch with project-defude's files."),
    Verb("web", "pullfocus.cli.web", "Open the web app: drop a photo, click, pull focus."),
    Verb("video", "pullfocus.cli.video", "Pull focus in a video.", extra="video"),
    Verb("demo", "pullfocus.cli.demo", "Refocus the bundled photos and say where they are."),
    Verb("models", "pullfocus.cli.models", "List the depth models, their licences and kinds."),
    Verb("doctor", "pullfocus.cli.doctor", "Check this machine and say what to do."),
    Verb("schema", "pullfocus.cli.schema", "Print the JSON schema of the settings."),
    Verb("lab", "pullfocus.lab.cli", "Train, measure and export the depth networks.", extra="lab"),
)


def verbs() -> dict[str, Verb]:
    """Return the verbs of this installation by name."""
    return {verb.name: verb for verb in TABLE if verb.exists}

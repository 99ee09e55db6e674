"""`pullfocus doctor`: whether this machine can do it, and what to do where it cannot."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pullfocus.cli.checkup import Finding, findings
from pullfocus.cli.console import show_json

MARKS = {"good": ("ok", "green"), "note": ("note", "yellow"), "bad": ("FAIL", "red")}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Check cores, memory, disk, libraries and models; exit code 1 if something is missing."""
    found = findings()
    if as_json:
        show_json([finding.to_json() for finding in found])
    else:
        _show(found)
    if any(finding.state == "bad" for finding in found):
        raise SystemExit(1)


def _show(found: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        word, colour = MARKS[finding.state]
        table.add_row(
            Text(word, style=colour), Text(finding.what), Text(finding.found), Text(finding.to_do)
        )
    console = Console()
    console.print(table)
    if any(finding.state == "bad" for finding in found):
        console.print("This machine cannot run pullfocus as it is; see FAIL above.")
    else:
        console.print("This machine can run pullfocus.")

"""`pullfocus models`: every depth model by name, with licence, kind and whether it is here."""

from __future__ import annotations

from typing import Annotated

import typer

from pullfocus.cli.console import show_json


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """List the depth models that --model takes."""
    from pullfocus.depth import EMBEDDED, models

    cards = models()
    if as_json:
        show_json(
            [
                {
                    "id": card.id,
                    "licence": card.licence,
                    "output": card.output,
                    "source": card.source,
                    "size_mb": card.size_mb,
                    "installed": card.installed,
                    "default": card.id == EMBEDDED,
                    "note": card.note,
                }
                for card in cards
            ]
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("model", "licence", "gives", "MB", "here"):
        table.add_column(heading, overflow="fold")
    for card in cards:
        size = "" if card.size_mb is None else f"{card.size_mb:g}"
        table.add_row(
            card.id, card.licence, card.output.replace("_", " "), size,
            "yes" if card.installed else "download",
        )  # fmt: skip
    Console().print(table)
    Console().print(
        f"The default is {EMBEDDED}. A folder, an .onnx file or any Hugging Face id works too; "
        "Hugging Face models need pip install 'pullfocus\\[huggingface]'."
    )

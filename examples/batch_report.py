"""Refocus every photo of a folder, go on after failures, and write a report as CSV.

    python examples/batch_report.py [FOLDER] [PHOTOS]

`pullfocus PHOTOS -o FOLDER` does the same in one line; begin here when each photo wants settings of
its own. A second run goes on where the first one stopped.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from pullfocus import PullfocusError, refocus
from pullfocus.samples import FOLDER as SAMPLE_FOLDER

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic"}


def main(arguments: list[str]) -> None:
    """Write FOLDER/NAME.refocused.jpg of every photo, and FOLDER/report.csv."""
    folder = Path(arguments[0] if arguments else "example-output")
    photos = Path(arguments[1]) if len(arguments) > 1 else SAMPLE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "report.csv", "w", newline="", encoding="utf-8") as file:
        report = csv.writer(file)
        report.writerow(["photo", "status", "words", "disparity"])
        for row in rows(photos, folder):
            report.writerow(row)
            print(*row)


def rows(photos: Path, folder: Path) -> Iterator[list[str]]:
    """Refocus the photos one after the other and yield a line of the report for each."""
    for path in sorted(path for path in photos.iterdir() if path.suffix.lower() in SUFFIXES):
        output = folder / f"{path.stem}.refocused.jpg"
        if output.exists():  # outputs appear whole or not at all
            yield [path.name, "skipped", "", ""]
            continue
        try:
            done = refocus(path, output=output, f_number=2.0)
            yield [path.name, "done", done.focus.chosen, f"{done.focus.disparity:.3f}"]
        except PullfocusError as problem:  # its text is a sentence that can be shown as it is
            yield [path.name, "failed", str(problem), ""]


if __name__ == "__main__":
    main(sys.argv[1:])

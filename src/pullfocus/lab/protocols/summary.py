"""What an evaluation found: means with the rules they were got by, and every image's own row."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from pullfocus.errors import CannotWriteError, UnreadableInputError

DIGITS = 4


@dataclass(frozen=True)
class Summary:
    """One model under one protocol.

    Attributes:
        alignment: the rule by which metres were fitted; stands beside every score.
        settings: caps, crop, flip and whatever else makes figures comparable.
        scores: means over images by name.
        rows: each image's scores, with its ``name``.
    """

    protocol: str
    model: str
    alignment: str
    settings: dict[str, str]
    scores: dict[str, float]
    rows: list[dict[str, str | float]] = field(repr=False)

    def markdown(self) -> str:
        """Return the means as a table of one row, with the alignment and settings below."""
        names = list(self.scores)
        cells = [f"{value:.{DIGITS}f}" for value in self.scores.values()]
        said = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        return "\n".join(
            [
                f"| model | alignment | {' | '.join(names)} |",
                "|---|---|" + "---|" * len(names),
                f"| {self.model} | {self.alignment} | {' | '.join(cells)} |",
                "",
                f"{self.protocol}, {len(self.rows)} images; {said}",
            ]
        )

    def write(self, folder: Path) -> None:
        """Write ``per_image.csv``, ``summary.json`` and ``summary.md``.

        Raises:
            CannotWriteError: the folder cannot be written to.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "per_image.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(self.rows[0]))
                writer.writeheader()
                writer.writerows(self.rows)
            (folder / "summary.json").write_text(json.dumps(asdict(self), indent=1))
            (folder / "summary.md").write_text(self.markdown() + "\n")
        except OSError as error:
            raise CannotWriteError(
                f"{folder} cannot be written to ({error.strerror}); choose another --out."
            ) from None


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each score over images, each counting once; NaN rows are left out."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.nanmean([row.get(name, np.nan) for row in rows])) for name in names}


def read_summary(folder: Path) -> Summary:
    """Read what `Summary.write` wrote.

    Raises:
        UnreadableInputError: the folder holds no results, or they are damaged.
    """
    path = folder / "summary.json"
    try:
        return Summary(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise UnreadableInputError(
            f"{folder} holds no results ({path.name} is missing); run `pullfocus lab evaluate "
            f"--protocol NAME --model MODEL --out {folder}` first."
        ) from None
    except (ValueError, TypeError) as error:
        raise UnreadableInputError(
            f"{path} is damaged ({error}); run the evaluation again."
        ) from None

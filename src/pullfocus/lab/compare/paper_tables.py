"""The papers' result tables, kept as data (paper_tables.csv), to be printed beside our figures.

Figures are as the papers print them; "ours" is the paper's own method. Where our copy of a paper
lost digits, the note says so.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pullfocus.lab.protocols.summary import Summary

_FILE = Path(__file__).with_name("paper_tables.csv")
_WORDS = ("protocol", "set", "paper", "table", "method", "trained_on", "note")


@dataclass(frozen=True)
class PaperRow:
    """One row of one table.

    Attributes:
        set: subset of a protocol that knows several, else empty.
        trained_on: K = KITTI, CS = Cityscapes, as in the papers.
        scores: by the names that `protocols` uses; absent where the paper prints none.
    """

    protocol: str
    set: str
    paper: str
    table: str
    method: str
    trained_on: str
    note: str
    scores: dict[str, float]

    @property
    def label(self) -> str:
        """Who and where, for a table's first column."""
        where = f"{self.paper}, table {self.table}" if self.table else self.paper
        said = ", ".join(part for part in (self.trained_on, self.note) if part)
        return f"{self.method} ({where}{'; ' + said if said else ''})"


@cache
def paper_rows() -> tuple[PaperRow, ...]:
    """Return every row of every table."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_row(fields) for fields in csv.DictReader(file))


def rows_for(protocol: str, subset: str = "") -> tuple[PaperRow, ...]:
    """Return the rows that a protocol's figures belong beside."""
    return tuple(r for r in paper_rows() if (r.protocol, r.set) == (protocol, subset))


def beside(summaries: Iterable[Summary]) -> str:
    """Return Markdown tables, one a protocol: our rows, then the papers'."""
    ours: dict[tuple[str, str], list[Summary]] = {}
    for summary in summaries:
        ours.setdefault((summary.protocol, summary.settings.get("set", "")), []).append(summary)
    return "\n\n".join(_table(key, found) for key, found in ours.items())


def _table(key: tuple[str, str], summaries: list[Summary]) -> str:
    names = list(dict.fromkeys(name for s in summaries for name in s.scores))
    lines = [f"| {' '.join(k for k in key if k)} | alignment | {' | '.join(names)} |"]
    lines.append("|---|---|" + "---|" * len(names))
    for summary in summaries:
        lines.append(
            f"| **{summary.model}** | {summary.alignment} | {_cells(summary.scores, names)}"
        )
    for row in rows_for(*key):
        lines.append(f"| {row.label} | as printed | {_cells(row.scores, names)}")
    return "\n".join(lines)


def _cells(scores: dict[str, float], names: list[str]) -> str:
    return " ".join(f"{scores[n]:.3f} |" if n in scores else "– |" for n in names)


def _row(fields: dict[str, str]) -> PaperRow:
    scores = {k: float(v) for k, v in fields.items() if k not in _WORDS and v}
    return PaperRow(**{word: fields[word] for word in _WORDS}, scores=scores)

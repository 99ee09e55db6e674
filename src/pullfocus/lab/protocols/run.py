"""evaluate: one model under one protocol, from a folder of data to a folder of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pullfocus.depth.estimator import Estimator
from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.protocols.boundary import Boundary
from pullfocus.lab.protocols.depth import DEPTH_PROTOCOLS
from pullfocus.lab.protocols.models import open_model
from pullfocus.lab.protocols.options import Options
from pullfocus.lab.protocols.ordinal import Da2k
from pullfocus.lab.protocols.pictures import Look, Spread, write_picture
from pullfocus.lab.protocols.summary import Summary
from pullfocus.lab.protocols.temporal import Temporal


class Rules(Protocol):
    """What every protocol knows."""

    def settings(self, options: Options) -> dict[str, str]:
        """Return what makes the figures comparable, in words."""
        ...

    def rule(self, model: Estimator, options: Options) -> str:
        """Return the alignment that this model gets."""
        ...

    def rows(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        """Yield each image's name, scores and pictures."""
        ...

    def mean(self, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Return the scores that stand for all images."""
        ...


PROTOCOLS: dict[str, Rules] = {
    **DEPTH_PROTOCOLS,
    "boundary": Boundary(),
    "da-2k": Da2k(),
    "tae": Temporal(),
}
"""Protocols by the name that ``--protocol`` takes."""


def evaluate(
    protocol: str,
    model: str | Path | Estimator | None,
    data: Path,
    out: Path | None = None,
    options: Options | None = None,
) -> Summary:
    """Score a model under a protocol; write CSV, summary, sheet and pictures to ``out``.

    Args:
        protocol: one of `PROTOCOLS`.
        model: see `models.open_model`, or an estimator of one's own.
        data: the set's folder, as its users have it.
        out: folder of results; None writes nothing.
        options: deviations from the protocol.

    Raises:
        UsageError: no such protocol, or a rule that this model cannot follow.
        UnreadableInputError: the set is incomplete, or no image of it could be scored.
        MissingModelError: the model's weights or packages are missing.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"There is no protocol {protocol!r}; there are: {', '.join(PROTOCOLS)}.")
    options = options or Options()
    rules = PROTOCOLS[protocol]
    estimator = open_model(model) if isinstance(model, str | Path | None) else model
    rows, looks = [], Spread(options.pictures if out is not None else 0)
    for name, scores, look in rules.rows(estimator, data, options):
        rows.append({"name": name, **scores})
        looks.offer(name, look)
    if not rows:
        raise UnreadableInputError(f"{data} holds no image that {protocol} can score.")
    summary = _summary(protocol, estimator, rules, options, rows)
    if out is not None:
        summary.write(out)
        _write_pictures(out, looks.chosen())
    return summary


def _summary(
    protocol: str, model: Estimator, rules: Rules, options: Options, rows: list[dict[str, Any]]
) -> Summary:
    numbers = [{key: value for key, value in row.items() if key != "name"} for row in rows]
    settings = {"averaged": "over images"} | rules.settings(options)
    settings |= {"flip": "merged"} if options.flip else {}
    rule = rules.rule(model, options)
    return Summary(protocol, model.id, rule, settings, rules.mean(numbers), rows)


def _write_pictures(out: Path, rows: list[tuple[str, np.ndarray]]) -> None:
    """Write rows as one sheet and one by one (what `compare` puts side by side)."""
    if rows:
        write_picture(out / "sheet.png", np.vstack([row for _, row in rows]))
    for name, row in rows:
        write_picture(out / "pictures" / f"{name.replace('/', '_')}.jpg", row)

"""Training curves as SVG inside the report: one drawing a value, one line a source."""

from __future__ import annotations

from html import escape

import numpy as np

from pullfocus.lab.compare.sources import Curve

WIDTH, HEIGHT, MARGIN = 460, 240, 44
POINTS = 300
"""Points of a line; longer logs are averaged over windows."""
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#3ca951", "#a463f2", "#9c6b4e")


def colour_of(number: int) -> str:
    """Return the colour of the n-th source, the same in all drawings."""
    return COLOURS[number % len(COLOURS)]


def drawing(title: str, lines: dict[int, Curve]) -> str:
    """Return one SVG element; lines by the number of their source. NaN and infinity are left out.

    Axes run from the smallest to the largest value there is.
    """
    kept = {number: _thinned(curve) for number, curve in lines.items()}
    kept = {number: points for number, points in kept.items() if len(points)}
    if not kept:
        return ""
    every = np.concatenate(list(kept.values()))
    low, high = every.min(0), every.max(0)
    span = np.where(high > low, high - low, 1)
    paths = [_path(number, (points - low) / span) for number, points in kept.items()]
    labels = (
        f'<text x="{MARGIN}" y="16" class="title">{escape(title)}</text>'
        f'<text x="{MARGIN - 4}" y="34" text-anchor="end">{high[1]:.3g}</text>'
        f'<text x="{MARGIN - 4}" y="{HEIGHT - MARGIN + 4}" text-anchor="end">{low[1]:.3g}</text>'
        f'<text x="{MARGIN}" y="{HEIGHT - 22}">{low[0]:g}</text>'
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 22}" text-anchor="end">{high[0]:g}</text>'
    )
    axes = f'<path class="axis" d="M{MARGIN} 30V{HEIGHT - MARGIN}H{WIDTH - 8}"/>'
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img"'
    return f"<svg {size}>{axes}{labels}{''.join(paths)}</svg>"


def _thinned(curve: Curve) -> np.ndarray:
    """Return at most POINTS points, each the mean of a window of the curve."""
    points = np.array(curve, float).reshape(-1, 2)
    points = points[np.isfinite(points).all(1)]
    if len(points) <= POINTS:
        return points
    return np.stack([window.mean(0) for window in np.array_split(points, POINTS)])


def _path(number: int, unit: np.ndarray) -> str:
    x = MARGIN + unit[:, 0] * (WIDTH - 8 - MARGIN)
    y = HEIGHT - MARGIN - unit[:, 1] * (HEIGHT - MARGIN - 30)
    where = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{where}" stroke="{colour_of(number)}"/>'

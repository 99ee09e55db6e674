"""Decide what the numbers of a depth file are: what the person said, what the file says, the photo.

    told (near, unit, scale) -> the file itself -> its name -> agreement with the photo's own
    order -> lower rows are nearer -> what such files mostly hold

The order of the photo is a disparity map of the same picture, such as the network's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from pullfocus.depthmap.labels import (
    DARK_NEAR,
    DISPARITY,
    METRES,
    MILLIMETRES,
    PER_METRE,
    RELATIVE_DEPTH,
    Meaning,
    RawDepth,
)
from pullfocus.depthmap.layouts import meaning_of_file_name
from pullfocus.errors import UsageError

Near = Literal["bright", "dark"]
Unit = Literal["disparity", "m", "mm", "inverse_m"]
Order = Callable[[], Float32[np.ndarray, "oh ow"] | None]
"""Gives a disparity map of the same picture, of any size; None where it cannot be had."""

FAR_AWAY = 1e9
"""Depth of this size or more has no end: Blender writes 1e10 for the sky."""
_UNITS = {"disparity": DISPARITY, "m": METRES, "mm": MILLIMETRES, "inverse_m": PER_METRE}
_GRID = 64
"""Rows and columns of the grid on which orders are compared."""
_ROWS_DECIDE = 0.5
_LEAST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Told:
    """What a person says of a depth file; None where they say nothing."""

    near: Near | None = None
    unit: Unit | None = None
    scale: float | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("near", self.near, ("bright", "dark")),
            ("unit", self.unit, tuple(_UNITS)),
        ):
            if value is not None and value not in known:
                raise UsageError(f"{name} of a depth file is {' or '.join(known)}, not {value!r}.")
        if self.scale is not None and not (np.isfinite(self.scale) and self.scale > 0):
            raise UsageError(f"The scale of a depth file is a positive number, not {self.scale}.")
        if self.near is not None and self.unit not in (None, "disparity"):
            needed = "dark" if self.unit in ("m", "mm") else "bright"
            if self.near != needed:
                raise UsageError(
                    f"Depth in {self.unit} has {needed} = near; leave near={self.near} away."
                )

    @property
    def anything(self) -> bool:
        """Whether something is said."""
        return (self.near, self.unit, self.scale) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Decision:
    """A meaning and the reason for it, in words that follow "taken as ...,"."""

    meaning: Meaning
    why: str


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The two ways to read numbers that nobody explained.

    turn: how clearly an order must contradict `likely` to be followed, 0..1.
    """

    near: Meaning
    far: Meaning
    likely: Literal["disparity", "depth"]
    turn: float

    def of(self, quantity: str) -> Meaning:
        return self.near if quantity == "disparity" else self.far


def decide(raw: RawDepth, told: Told, stem: str | None, order: Order | None) -> Decision:
    """Decide what a foreign file's numbers are. stem: the file's name without its suffix.

    Raises:
        UsageError: a scale for numbers that have no unit.
    """
    found = _unscaled(raw, told, stem, order)
    if told.scale is None:
        return found
    if found.meaning.metres is None:
        raise UsageError(
            "A scale makes metres of a depth file's numbers, and these have no unit: say the unit "
            "too, m, mm or inverse_m (--depth-unit)."
        )
    words = f"{found.meaning.words}, times {told.scale:g}"
    return replace(
        found, meaning=replace(found.meaning, metres=found.meaning.metres * told.scale, words=words)
    )


def _unscaled(raw: RawDepth, told: Told, stem: str | None, order: Order | None) -> Decision:
    if told.unit is not None:
        turned = told.unit == "disparity" and told.near == "dark"
        return Decision(DARK_NEAR if turned else _UNITS[told.unit], "as told")
    ways = _candidates(raw)
    if told.near is not None:
        quantity = "disparity" if told.near == "bright" else "depth"
        if raw.meaning is not None and raw.meaning.quantity == quantity:
            return Decision(_in_unit_of_values(raw, raw.meaning), "as told")
        return Decision(ways.of(quantity), "as told")
    return _by_file(raw, ways, stem) or _by_order(raw, ways, order)


def _by_file(raw: RawDepth, ways: _Candidates, stem: str | None) -> Decision | None:
    """Decide by what the file itself says; None where it says nothing."""
    if raw.meaning is not None:
        return Decision(_in_unit_of_values(raw, raw.meaning), f"as {raw.label} says")
    named = meaning_of_file_name(stem) if stem else None
    if named is not None:
        return Decision(_in_unit_of_values(raw, named), "as the file's name says")
    if np.isposinf(raw.values).any() and not raw.inf_unknown:
        return Decision(ways.far, "because some of it has no end (infinity)")
    return None


def _by_order(raw: RawDepth, ways: _Candidates, order: Order | None) -> Decision:
    seen = order() if order is not None else None
    if seen is not None:
        values = (
            np.where(np.isinf(raw.values), np.nan, raw.values) if raw.inf_unknown else raw.values
        )
        agreement = rank_correlation(values, seen)
        quantity = ways.likely
        if abs(agreement) > (0.1 if (agreement > 0) == (quantity == "disparity") else ways.turn):
            quantity = "disparity" if agreement > 0 else "depth"
            words = (
                f"because the network sees that order in the photo (rank correlation "
                f"{abs(agreement):.2f})"
            )
            return Decision(ways.of(quantity), words)
        return Decision(
            ways.of(quantity),
            f"assumed, as most such files are; the photo does not tell (rank correlation "
            f"{agreement:.2f})",
        )
    rows = _rows_agreement(raw.values)
    if abs(rows) > _ROWS_DECIDE and _may_be_turned_by_rows(raw):
        quantity = "disparity" if rows > 0 else "depth"
        return Decision(ways.of(quantity), "assumed, because its lower rows are nearer so")
    return Decision(ways.of(ways.likely), "assumed, as most such files are")


def _may_be_turned_by_rows(raw: RawDepth) -> bool:
    """Tell whether rows may decide: not floats within 0..1, which this program's .npy hold."""
    return raw.bits > 0 or float(np.nanmax(raw.values)) > 1


def _candidates(raw: RawDepth) -> _Candidates:
    finite = np.isfinite(raw.values)
    low = float(raw.values.min(where=finite, initial=np.inf))
    high = float(raw.values.max(where=finite, initial=-np.inf))
    if raw.bits == 8:
        return _Candidates(DISPARITY, DARK_NEAR, "disparity", 0.4)
    if raw.bits == 16:
        if _is_stretched(raw.values):
            return _Candidates(DISPARITY, RELATIVE_DEPTH, "disparity", 0.15)
        turn = 0.75 if has_gap_above_zero(raw.values) else 0.45  # a sensor's holes are no disparity
        return _Candidates(DISPARITY, _unit_of_codes(raw.values), "depth", turn)
    if low >= 0 and high > 1:
        far = _in_unit_of_values(raw, METRES)
        likely = raw.likely or "disparity"
        return _Candidates(DISPARITY, far, likely, 0.3 if likely == "depth" else 0.2)
    return _Candidates(DISPARITY, RELATIVE_DEPTH, "disparity", 0.25)


def _in_unit_of_values(raw: RawDepth, meaning: Meaning) -> Meaning:
    """Take metres for mm where they are whole numbers as only mm have them."""
    if meaning is not METRES:
        return meaning
    if raw.bits == 16:
        return _unit_of_codes(raw.values)
    some = thinned(raw.values)
    known = some[np.isfinite(some) & (some > 0) & (some < FAR_AWAY)]
    whole = known.size and float(np.median(known)) >= 100 and (known == np.rint(known)).all()
    return MILLIMETRES if whole else METRES


def _is_stretched(codes: np.ndarray) -> bool:
    """Tell 16-bit codes that were stretched to 0..65535 (Marigold, MiDaS) from codes with a unit.

    A sensor's codes have a gap above 0 (unknown) and reach the top only in single pixels.
    """
    if float(np.nanmax(codes)) < 65000:
        return False
    some = thinned(codes)
    some = some[np.isfinite(some)]
    few = some.size == 0 or float(np.percentile(some, 99)) < 30000
    return not (few and has_gap_above_zero(codes))


def has_gap_above_zero(values: np.ndarray) -> bool:
    """Tell whether 0 stands apart from the other values, as a mark for unknown does."""
    if not (values == 0).any():
        return False
    above = np.where(np.isfinite(values) & (values > 0), values, np.inf)
    least, some = float(above.min()), thinned(above)
    some = some[np.isfinite(some)]
    return some.size > 0 and least > 0.02 * float(np.percentile(some, 99))


def thinned(values: np.ndarray) -> np.ndarray:
    """Return every n-th row and column of a large map, about a million pixels, for percentiles."""
    step = max(1, int(np.sqrt(values.size / 1e6)))
    return values[::step, ::step]


def _unit_of_codes(codes: np.ndarray) -> Meaning:
    """Guess the unit of 16-bit depth by its range.

    Source: KITTI depth devkit and ZoeDepth's save_raw_16bit (m * 256, KITTI 0 = unknown), TUM
        RGB-D (m * 5000), NYU Depth V2, ScanNet, RealSense (mm).
    """
    per_256 = Meaning("depth", 1 / 256, "depth in 1/256 m (KITTI, ZoeDepth)")
    some = thinned(codes)
    above = some[np.isfinite(some) & (some > 0)]
    if not above.size:
        return MILLIMETRES
    unknown = 1 - above.size / some.size
    low, high = np.percentile(above, (1, 99))
    if unknown > 0.7:
        return per_256
    if unknown > 0.001:
        is_tum = high > 20000
        return Meaning("depth", 1 / 5000, "depth in 1/5000 m (TUM)") if is_tum else MILLIMETRES
    return per_256 if low < 300 or 10000 < high < 21500 else MILLIMETRES


def rank_correlation(values: np.ndarray, order: np.ndarray) -> float:
    """Compute Spearman's correlation of two maps of one picture on a grid; unknown pixels left out.

    Returns 0 where fewer than 16 points are known, or either has fewer than 8 levels: masks and
    maps that were drawn by hand are not to be turned round because of a tie.

    Source: Spearman (1904); ties take their mean rank.
    """
    a, b = _on_grid(values), _on_grid(order)
    known = ~np.isnan(a) & np.isfinite(b)
    if has_gap_above_zero(values):
        known &= a > 0
    if np.count_nonzero(known) < 16:
        return 0.0
    if min(np.unique(part[known]).size for part in (a, b)) < _LEAST_LEVELS:
        return 0.0
    ranks = [_ranks(part[known]) for part in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _rows_agreement(values: np.ndarray) -> float:
    rows = np.arange(values.shape[0], dtype=np.float32)[:, None]
    return rank_correlation(values, np.broadcast_to(rows, values.shape))


def _on_grid(values: np.ndarray) -> np.ndarray:
    """Read a map at the centres of a grid of equal cells."""
    rows, columns = (((np.arange(_GRID) + 0.5) * side / _GRID).astype(int) for side in values.shape)
    with np.errstate(invalid="ignore"):  # signalling NaN
        return np.asarray(values[np.ix_(rows, columns)], np.float64)


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place.ravel()]


def seen_as_near(mask: np.ndarray, order: Order | None, share: float) -> bool:
    """Tell whether the photo's order puts the pixels of a mask, on average, nearer than a share.

    share: of all pixels, 0..1.
    """
    seen = order() if order is not None else None
    if seen is None:
        return False
    inside, near = _on_grid(mask) > 0, _on_grid(seen)
    return bool(inside.any()) and float(_ranks(near)[inside.ravel()].mean()) > share * near.size

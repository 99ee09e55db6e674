"""ICC profiles: the tone curve of each channel, and the matrix to linear sRGB.

Only what the line needs is read, and by this module alone: matrix/shaper and grey profiles. Blur
happens in the profile's own primaries, so the curves are all that loading and saving touch; the
matrix serves previews and formats that hold no profile. Profiles may be damaged: every reader
returns None rather than raise.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pullfocus.tone import ToneCurve

_SRGB_D50 = np.array(  # columns: red, green, blue; IEC 61966-2-1 adapted to D50 by Bradford
    [[0.43606, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
# How many of the parameters g a b c d e f a curve type stores. Source: ICC.1:2010, table 65.
_PARAMETRIC_COUNTS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}

_READ = {b"kTRC", b"rTRC", b"gTRC", b"bTRC", b"rXYZ", b"gXYZ", b"bXYZ", b"desc"}


@dataclass(frozen=True, slots=True, eq=False)
class ParametricCurve:
    """y = (a x + b)^g + e for x >= d, else c x + f; odd around 0 below it.

    Source: ICC.1:2010, section 10.16, function type 4; the other types are special cases.
    """

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def to_linear(self, encoded: np.ndarray) -> np.ndarray:
        """Encoded to linear."""
        x = np.asarray(encoded, np.float64)
        magnitude = np.abs(x)
        power = np.maximum(self.a * magnitude + self.b, 0.0) ** self.g + self.e
        return np.copysign(np.where(magnitude >= self.d, power, self.c * magnitude + self.f), x)

    def to_encoded(self, linear: np.ndarray) -> np.ndarray:
        """Linear to encoded."""
        y = np.asarray(linear, np.float64)
        magnitude = np.abs(y)
        knee = max(self.a * self.d + self.b, 0.0) ** self.g + self.e
        power = (np.maximum(magnitude - self.e, 0.0) ** (1.0 / self.g) - self.b) / self.a
        line = (magnitude - self.f) / self.c if self.c > 0 else np.zeros_like(magnitude)
        return np.copysign(np.maximum(np.where(magnitude >= knee, power, line), 0.0), y)


@dataclass(frozen=True, slots=True, eq=False)
class TableCurve:
    """A sampled curve, linear between its samples, continued by its last slope above 1."""

    encoded: np.ndarray
    linear: np.ndarray

    def to_linear(self, encoded: np.ndarray) -> np.ndarray:
        """Encoded to linear."""
        return _interpolated(encoded, self.encoded, self.linear)

    def to_encoded(self, linear: np.ndarray) -> np.ndarray:
        """Linear to encoded."""
        return _interpolated(linear, self.linear, self.encoded)


def _interpolated(values: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    x = np.asarray(values, np.float64)
    slope = (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return np.interp(x, xs, ys) + slope * np.maximum(x - xs[-1], 0.0)


ChannelCurve = ParametricCurve | TableCurve


@dataclass(frozen=True, slots=True, eq=False)
class ChannelCurves:
    """The curves of R, G and B as one function of (..., 3) arrays."""

    curves: tuple[ChannelCurve, ChannelCurve, ChannelCurve]

    def to_linear(self, encoded: np.ndarray) -> np.ndarray:
        """Encoded to linear, float32."""
        parts = [c.to_linear(encoded[..., i]) for i, c in enumerate(self.curves)]
        return np.stack(parts, axis=-1).astype(np.float32)

    def to_encoded(self, linear: np.ndarray) -> np.ndarray:
        """Linear to encoded, float64."""
        return np.stack([c.to_encoded(linear[..., i]) for i, c in enumerate(self.curves)], axis=-1)


def colour_space(profile: bytes) -> str:
    """Return the four letters of a profile's colour space: "RGB", "GRAY", "CMYK", "Lab", or ""."""
    return profile[16:20].decode("latin-1").strip() if profile[36:40] == b"acsp" else ""


@lru_cache(maxsize=16)
def tone_curve(profile: bytes) -> ToneCurve | None:
    """Build the tone curve of a matrix/shaper or grey profile; None if it has none we can invert.

    Convention: exact on the codes of its own pictures: encode(decode(code)) == code.
    """
    tags = _tags(profile)
    names = [b"kTRC"] * 3 if colour_space(profile) == "GRAY" else [b"rTRC", b"gTRC", b"bTRC"]
    curves = [_curve(tags.get(name, b"")) for name in names]
    red, green, blue = curves
    if red is None or green is None or blue is None:
        return None
    channels = ChannelCurves((red, green, blue))
    return ToneCurve(_name(profile, tags), channels.to_linear, channels.to_encoded)


@lru_cache(maxsize=16)
def matrix_to_srgb(profile: bytes) -> np.ndarray | None:
    """Return the 3x3 matrix from the profile's linear RGB to linear sRGB; None without colourants.

    Source: ICC.1:2010, annex F.3; both sides are relative to D50.
    """
    tags = _tags(profile)
    columns = []
    for name in (b"rXYZ", b"gXYZ", b"bXYZ"):
        data = tags.get(name, b"")
        if data[:4] != b"XYZ " or len(data) < 20:
            return None
        columns.append([value / 65536.0 for value in struct.unpack_from(">3i", data, 8)])
    matrix = np.linalg.solve(_SRGB_D50, np.array(columns).T)
    return matrix if np.abs(matrix).max() < 8 and abs(np.linalg.det(matrix)) > 1e-3 else None


_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])
_Point = tuple[float, float]


def build_profile(
    name: str, primaries: tuple[_Point, ...], white: _Point, curve: ParametricCurve
) -> bytes | None:
    """Build a display profile of three primaries (x, y), a white point and one curve for all.

    None where the primaries are no triangle or the white point has no light.

    Source: ICC.1:2010, section 8.3 and annex E (Bradford adaptation to D50).
    """
    points = np.array([*primaries, white], np.float64)
    xyz = np.column_stack([points, 1 - points.sum(axis=1)])
    if not (np.isfinite(xyz).all() and abs(np.linalg.det(xyz[:3])) > 1e-4 and white[1] > 0.01):
        return None
    white_xyz = xyz[3] / white[1]
    colourants = xyz[:3].T * np.linalg.solve(xyz[:3].T, white_xyz)
    cones = _BRADFORD @ _D50 / (_BRADFORD @ white_xyz)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    columns = (adapt @ colourants).T
    if not (np.abs(columns) < 8).all():
        return None
    text = name.encode("utf-16-be")
    title = b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    numbers = (curve.g, curve.a, curve.b, curve.c, curve.d)
    plain = (curve.a, curve.b, curve.c, curve.d) == (1.0, 0.0, 0.0, 0.0)
    trc = b"para\0\0\0\0" + (
        struct.pack(">HH", 0, 0) + _fixed(curve.g)
        if plain
        else struct.pack(">HH", 3, 0) + _fixed(*numbers)
    )
    tags = {b"desc": title, b"cprt": title, b"wtpt": _xyz(_D50)}
    tags |= {b"chad": b"sf32\0\0\0\0" + _fixed(*adapt.ravel())}
    tags |= {n: _xyz(c) for n, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    return _profile_of(tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), trc))


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _profile_of(tags: dict[bytes, bytes]) -> bytes:
    """Lay out tags behind the header of a version 4.3 display profile."""
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI", at + len(body), bytes(4), 0x04300000) + b"mntrRGB XYZ "
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    rest = b"acsp" + bytes(28) + _fixed(*_D50)
    return (head + date + rest).ljust(128, b"\0") + table + body


def _tags(profile: bytes) -> dict[bytes, bytes]:
    if len(profile) < 132 or profile[36:40] != b"acsp":
        return {}
    (count,) = struct.unpack_from(">I", profile, 128)
    tags: dict[bytes, bytes] = {}
    for at in range(132, min(132 + 12 * min(count, 200), len(profile) - 11), 12):
        name, start, size = struct.unpack_from(">4sII", profile, at)
        if name in _READ:  # 200 tags may all claim the whole profile
            tags[name] = profile[start : start + size]
    return tags


def _curve(data: bytes) -> ChannelCurve | None:
    curve: ChannelCurve | None = None
    if data[:4] == b"curv" and len(data) >= 12:
        curve = _sampled(data)
    elif data[:4] == b"para" and len(data) >= 12:
        curve = _parametric(data)
    return curve if curve is not None and _invertible(curve) else None


def _sampled(data: bytes) -> ChannelCurve | None:
    (count,) = struct.unpack_from(">I", data, 8)
    if len(data) < 12 + 2 * count:
        return None
    if count == 0:
        return ParametricCurve(1.0)
    samples = np.frombuffer(data, ">u2", count, 12)
    if count == 1:
        gamma = float(samples[0]) / 256.0
        return ParametricCurve(gamma) if 0.1 <= gamma <= 10 else None
    linear = samples.astype(np.float64) / 65535.0
    encoded = np.linspace(0.0, 1.0, count)
    rises = np.diff(linear) > 0
    if not rises.any() or (np.diff(linear) < 0).any():
        return None
    # of samples with the same value keep the last one at the black end, else the first one
    keep = np.concatenate([[True], rises])
    first_rise = int(np.argmax(rises))
    keep[:first_rise] = False
    keep[first_rise] = True
    return TableCurve(encoded[keep], linear[keep])


def _parametric(data: bytes) -> ParametricCurve | None:
    (kind,) = struct.unpack_from(">H", data, 8)
    count = _PARAMETRIC_COUNTS.get(kind, 0)
    if not count or len(data) < 12 + 4 * count:
        return None
    p = [value / 65536.0 for value in struct.unpack_from(f">{count}i", data, 12)]
    if not 0.1 <= p[0] <= 10 or (count > 1 and p[1] <= 0):
        return None
    if kind == 0:
        return ParametricCurve(p[0])
    g, a, b = p[:3]
    if kind == 1:
        return ParametricCurve(g, a, b, d=max(-b / a, 0.0))
    if kind == 2:
        return ParametricCurve(g, a, b, d=max(-b / a, 0.0), e=p[3], f=p[3])
    return ParametricCurve(g, a, b, *p[3:])


def _invertible(curve: ChannelCurve) -> bool:
    """Tell whether a curve rises from near 0 to near 1 and comes back from there."""
    x = np.linspace(0.0, 1.0, 1025)
    with np.errstate(all="ignore"):
        y = curve.to_linear(x)
        back = curve.to_encoded(y)
    if not (np.isfinite(y).all() and np.isfinite(back).all()):
        return False
    rises = (np.diff(y) >= 0).all() and -0.01 <= y[0] <= 0.1 and 0.5 <= y[-1] <= 1.5
    distinct = np.diff(y, prepend=-1.0) > 0
    return bool(rises and np.abs(back - x)[distinct].max() < 0.02)


def _name(profile: bytes, tags: dict[bytes, bytes]) -> str:
    data = tags.get(b"desc", b"")
    if data[:4] == b"desc" and len(data) > 12:
        text = data[12 : 12 + int.from_bytes(data[8:12], "big")].decode("latin-1")
    elif data[:4] == b"mluc" and len(data) >= 28:
        size, start = struct.unpack_from(">II", data, 20)
        text = data[start : start + min(size, 256)].decode("utf-16-be", "replace")
    else:
        text = ""
    return text.strip("\0 ") or f"{colour_space(profile) or 'unknown'} profile"

"""Random views of packed pictures: crop, mirror, colour, blur; picture and maps alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from pullfocus.lab.data.pack import Item
from pullfocus.lab.data.people import cut_out, put_into


@dataclass(frozen=True)
class CropConfig:
    """How views are drawn.

    Attributes:
        sizes: (h, w) a batch may have; one is drawn per batch.
        min_scale: smallest side of a crop as a share of the largest that fits.
        stretch: largest relative change of aspect (natural logarithm).
        pasted: share of the photos' views that get a person from another photo.
    """

    sizes: tuple[tuple[int, int], ...] = ((192, 256), (256, 192), (192, 320), (224, 224))
    min_scale: float = 0.45
    stretch: float = 0.15
    pasted: float = 0.0


class View(NamedTuple):
    """One view: rgb h w 3 uint8, disparity (larger = nearer) and person (0..1) h/2 w/2 float32.

    NaN = unknown.
    """

    rgb: np.ndarray
    disparity: np.ndarray
    person: np.ndarray


def _box(hw: tuple[int, int], aspect: float, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Return y0, x0, y1, x1 as shares of the picture; aspect = width / height of the crop."""
    h = min(hw[0], hw[1] / aspect) * scale
    size = np.array([h / hw[0], h * aspect / hw[1]])
    start = rng.uniform(0, 1, 2) * (1 - size)
    return np.concatenate([start, start + size])


def _cut(image: np.ndarray, box: np.ndarray, hw: tuple[int, int], how: int | None) -> np.ndarray:
    h, w = image.shape[:2]
    y0, x0 = int(box[0] * h), int(box[1] * w)
    y1, x1 = max(y0 + 2, round(box[2] * h)), max(x0 + 2, round(box[3] * w))
    part = image[y0:y1, x0:x1]
    if how is None:
        how = cv2.INTER_AREA if part.shape[0] > hw[0] else cv2.INTER_LINEAR
    return cv2.resize(part, (hw[1], hw[0]), interpolation=how)


def recolour(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the uint8 picture under another light, lens and compression, at random."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    gamma, gain = np.exp(rng.normal(0, 0.2)), np.exp(rng.normal(0, 0.12, 3))
    offset = rng.normal(0, 0.03)
    curves = np.asarray(np.clip(levels[:, None] ** gamma * gain + offset, 0, 1) * 255)
    out: Any = cv2.LUT(np.ascontiguousarray(rgb), curves.astype(np.uint8)[None])
    if rng.random() < 0.4:
        grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = float(rng.uniform(0, 1.4)) if rng.random() < 0.8 else 0.0
        out = cv2.addWeighted(out, keep, grey, 1 - keep, 0)
    if rng.random() < 0.15:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.5)))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 10), out.shape).astype(np.float32)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])[1]
        out = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return out


def view(
    item: Item,
    hw: tuple[int, int],
    config: CropConfig,
    rng: np.random.Generator,
    guest: Item | None = None,
) -> View:
    """Return one random view of a picture, with the people of ``guest`` put into it."""
    aspect = hw[1] / hw[0] * np.exp(rng.uniform(-config.stretch, config.stretch))
    scale = 1 - (1 - config.min_scale) * rng.random() ** 1.5
    box = _box(item.rgb.shape[:2], aspect, scale, rng)
    half = (hw[0] // 2, hw[1] // 2)
    how = cv2.INTER_NEAREST if item.source == "sensor" else cv2.INTER_LINEAR
    rgb = _cut(item.rgb, box, hw, None)
    disparity = _cut(item.disparity.astype(np.float32), box, half, how)
    person = np.full(half, np.nan, np.float32)
    if item.person is not None:
        person = _cut(item.person.astype(np.float32), box, half, cv2.INTER_LINEAR)
    if guest is not None:
        cut = cut_out(guest)
        cut[..., :3] = recolour(cut[..., :3], rng)
        put_into(rgb, disparity, person, cut, rng)
    if rng.random() < 0.5:
        rgb, disparity, person = rgb[:, ::-1], disparity[:, ::-1], person[:, ::-1]
    return View(recolour(rgb, rng), disparity, person)

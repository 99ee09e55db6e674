"""People cut out of some training photos and put into others: every size, place and background."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pullfocus.lab.data.pack import Item

AREA = (0.03, 0.6)
"""Share of a photo that a cut-out person may fill."""


def with_people(photos: Sequence[Item]) -> np.ndarray:
    """Return the indices of the photos in which a person is known and can be cut out."""
    found = []
    for i, item in enumerate(photos):
        share = 0.0 if item.person is None else float(item.person.mean(dtype=np.float32))
        if AREA[0] < share < AREA[1]:  # False for NaN
            found.append(i)
    return np.array(found, int)


def cut_out(item: Item) -> np.ndarray:
    """Return the people of a photo as h w 4 uint8 RGBA, cropped to what is to be seen of them."""
    assert item.person is not None
    soft = cv2.resize(item.person.astype(np.float32), item.rgb.shape[1::-1])
    alpha = np.clip((soft - 0.3) / 0.4, 0, 1)
    rows, columns = (np.flatnonzero((alpha > 0.5).any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return np.zeros((1, 1, 4), np.uint8)
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.dstack([item.rgb[part], (alpha[part] * 255).astype(np.uint8)])


def put_into(
    rgb: np.ndarray,
    disparity: np.ndarray,
    person: np.ndarray,
    cut: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Put a cut-out into a view, in place: a random size, standing on or running out of its foot.

    Args:
        rgb: h w 3 uint8.
        disparity: h/2 w/2 float32; becomes NaN (unknown) where the person is.
        person: h/2 w/2 float32 probability.
        cut: a b 4 uint8 from `cut_out`.
        rng: draws size and place.
    """
    h, w = rgb.shape[:2]
    tall = int(h * rng.uniform(0.25, 1.2))
    wide = max(2, round(cut.shape[1] * tall / cut.shape[0]))
    cut = cv2.resize(cut, (wide, tall), interpolation=cv2.INTER_AREA)
    top = int(rng.uniform(0.1, 0.9) * h) if tall >= 0.9 * h else int(rng.uniform(0, h - tall))
    left = int(rng.uniform(*sorted((-0.3 * wide, w - 0.7 * wide))))
    x0, x1, y1 = max(0, left), min(w, left + wide), min(h, top + tall)
    part = cut[: y1 - top, x0 - left : x1 - left]
    alpha = np.zeros((h, w), np.float32)
    alpha[top:y1, x0:x1] = part[..., 3] / np.float32(255)
    seen = alpha[top:y1, x0:x1, None]
    rgb[top:y1, x0:x1] = part[..., :3] * seen + rgb[top:y1, x0:x1] * (1 - seen)
    half = cv2.resize(alpha, disparity.shape[::-1], interpolation=cv2.INTER_AREA)
    np.copyto(disparity, np.nan, where=cv2.dilate(half, np.ones((3, 3), np.uint8)) > 0.05)
    np.maximum(person, half, out=person)

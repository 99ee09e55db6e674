"""The other renderers: each takes (linear (h, w, 3), signed radius_px (h, w)) and returns linear.

All but the original predecessor get the exact radius. Those that the originals run on encoded
values do so here too.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numba
import numpy as np

from pullfocus.types import linear_to_srgb, srgb_to_linear

BANDS = 6
GAUSSIAN_KERNELS = (5, 9, 13, 17, 21)  # project-defude
NAIVE_LAYERS = 20


def unchanged(linear, radius_px):
    """Return the input."""
    return linear


def disc(radius_px: float) -> np.ndarray:
    """Antialiased disc that sums to one, float32."""
    reach = int(np.ceil(radius_px + 0.5))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def _blur(image, radius_px):
    if radius_px < 0.5:
        return image
    return cv2.filter2D(image, -1, disc(radius_px), borderType=cv2.BORDER_REFLECT_101)


def _bands(radius_px):
    size = np.abs(radius_px)
    share = size / max(float(size.max()), 1e-6)
    # the original leaves share == 1 black; that fault is left out here
    return np.minimum((share * BANDS).astype(int), BANDS - 1)


def _stitched(linear, radius_px, copies):
    band = _bands(radius_px)
    encoded = linear_to_srgb(np.clip(linear, 0, 1))
    out = np.zeros_like(encoded)
    for n in range(BANDS):
        out = np.where((band == n)[..., None], copies(encoded, n), out)
    return srgb_to_linear(out)


def predecessor(linear, radius_px):
    """project-defude: six equal hard bands of Gaussian copies 5, 9, 13, 17, 21, encoded values."""

    def copy(encoded, n):
        size = (GAUSSIAN_KERNELS[n - 1],) * 2
        return cv2.GaussianBlur(encoded, size, 0) if n else encoded

    return _stitched(linear, radius_px, copy)


def predecessor_discs(linear, radius_px):
    """The same with discs as large as the middle of each band asks for."""
    largest = float(np.abs(radius_px).max())

    def copy(encoded, n):
        return _blur(encoded, (n + 0.5) / BANDS * largest) if n else encoded

    return _stitched(linear, radius_px, copy)


@numba.njit(cache=True, fastmath=True)
def _scatter(linear, size, total, weight):
    h, w = size.shape
    for i in range(h):
        for j in range(w):
            r = size[i, j]
            reach = int(r) + 2
            scale = 1 / (r * r + 0.2)
            for y in range(max(i - reach, 0), min(i + reach + 1, h)):
                for x in range(max(j - reach, 0), min(j + reach + 1, w)):
                    distance = np.sqrt(float((y - i) ** 2 + (x - j) ** 2))
                    share = (0.5 + 0.5 * np.tanh(4 * (r - distance))) * scale
                    if share > 0:
                        weight[y, x] += share
                        for c in range(3):
                            total[y, x, c] += share * linear[i, j, c]


def scatter(linear, radius_px):
    """BokehMe's classical part: every pixel spread as a soft-edged disc, normalised, linear light.

    Source: Peng et al., BokehMe, CVPR 2022, section 3.2, written from its description.
    """
    total = np.zeros(linear.shape)
    weight = np.zeros(radius_px.shape)
    _scatter(linear.astype(np.float32), np.abs(radius_px).astype(np.float32), total, weight)
    safe = np.maximum(weight, 1e-12)[..., None]
    return np.where(weight[..., None] > 1e-6, total / safe, linear).astype(np.float32)


def naive_layers(linear, radius_px):
    """20 equal hard layers, holes filled with the nearest farther pixel, composed far to near."""
    low, high = float(radius_px.min()), float(radius_px.max())
    step = max((high - low) / NAIVE_LAYERS, 1e-6)
    bins = np.minimum(((radius_px - low) / step).astype(int), NAIVE_LAYERS - 1)
    out = np.zeros_like(linear)
    for n in np.unique(bins):
        source = (bins <= n).astype(np.uint8)
        _, label = cv2.distanceTransformWithLabels(
            1 - source, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        y, x = np.nonzero(source)
        at = np.zeros(label.max() + 1, int)
        at[label[y, x]] = np.arange(len(y))
        nearest = at[label]
        cover = (bins[y, x][nearest] == n).astype(np.float32)
        colour = linear[y, x][nearest] * cover[..., None]
        middle = abs(low + (n + 0.5) * step)
        cover = _blur(cover, middle)[..., None]
        out = out * (1 - cover) + _blur(np.ascontiguousarray(colour, np.float32), middle)
    return out.astype(np.float32)


@cache
def imagemagick() -> str | None:
    """Find a real ImageMagick (some machines carry stand-ins), or None."""
    for name in ("magick", "/usr/bin/convert", "convert"):
        path = shutil.which(name)
        if path is None:
            continue
        said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
        if said.stdout.startswith("Version: ImageMagick"):
            return path
    return None


def magick_blur(linear, radius_px):
    """ImageMagick -compose blur: variable Gaussian of sigma = radius / 2, in linear light.

    16-bit PNG in and out; HDR input is scaled to fit and back.
    """
    size = np.abs(radius_px)
    largest = max(float(size.max()), 1e-6)
    white = max(1.0, float(linear.max()))
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        picture = (np.clip(linear / white, 0, 1) * 65535 + 0.5).astype(np.uint16)
        cv2.imwrite(str(at / "in.png"), picture[..., ::-1])
        cv2.imwrite(str(at / "map.png"), (size / largest * 65535 + 0.5).astype(np.uint16))
        command = [imagemagick(), str(at / "in.png"), str(at / "map.png")]
        command += ["-define", f"compose:args={largest / 2:.3f}", "-compose", "blur"]
        command += ["-composite", "-depth", "16", str(at / "out.png")]
        subprocess.run(command, check=True, capture_output=True)
        out = cv2.imread(str(at / "out.png"), cv2.IMREAD_UNCHANGED)
    return out[..., 2::-1].astype(np.float32) / 65535 * white


PEERS = {
    "input unchanged": unchanged,
    "project-defude": predecessor,
    "the same, right-sized discs": predecessor_discs,
    "ImageMagick blur": magick_blur,
    "scatter (BokehMe classical)": scatter,
    f"{NAIVE_LAYERS} layers with fill": naive_layers,
}


def available() -> dict:
    """Return the peers that can run on this machine."""
    return {k: v for k, v in PEERS.items() if v is not magick_blur or imagemagick()}

"""The Blender ground truth obeys the project's own formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pullfocus.lens.optics import blur_gain_px
from pullfocus.types import Lens

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks/thinlens"
LIGHT_BEHIND = BENCHMARK / "data/one-light.npz"


@pytest.mark.skipif(not LIGHT_BEHIND.exists(), reason="run benchmarks/thinlens/check_light.py")
def test_convention_disc_of_a_blender_light_has_the_radius_of_the_formula():
    z = np.load(LIGHT_BEHIND)
    lens = Lens(
        f_number=float(z["f_number"]),
        focal_length_mm=float(z["focal_length_mm"]),
        sensor_width_mm=float(z["sensor_width_mm"]),
    )
    image = z["truth"].astype(float)
    gain = blur_gain_px(lens, 1 / float(z["focus_m"]), max(image.shape))
    expected = abs(gain * (1 / float(z["light_m"]) - 1 / float(z["focus_m"])))
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    total = image.sum()
    cx, cy = (x * image).sum() / total, (y * image).sum() / total
    second = (((x - cx) ** 2 + (y - cy) ** 2) * image).sum() / total
    # a disc has r^2 / 2; the light's own disc and the pixel's square are taken off
    own = float(z["light_radius_px"]) ** 2 / 2 + 2 / 12
    assert np.sqrt(2 * (second - own)) == pytest.approx(expected, rel=0.01)


def test_sharp_ball_behind_blurred_bars_hides_the_wall():
    """Near bars (24 px), a sharp dark ball behind them, a bright far wall (-37 px)."""
    from pullfocus.render.layered.renderer import render_linear

    h, w = 160, 240
    y, x = np.mgrid[:h, :w]
    ball, bars = np.hypot(x - 120, y - 80) < 60, (x - 120) % 30 < 6
    linear, radius = np.full((h, w, 3), 0.8, np.float32), np.full((h, w), -37.0, np.float32)
    linear[ball], radius[ball] = 0.1, 0.5
    linear[bars], radius[bars] = 0.0, 24.0
    out = render_linear(linear, radius, Lens(highlights=0.0))
    assert out[80, 105:135].max() < 0.11  # 0.1 * (1 - a fifth) everywhere; the wall would add light

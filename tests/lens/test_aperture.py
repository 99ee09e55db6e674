"""Aperture kernels: area, energy, shape and which way up."""

import tracemalloc

import numpy as np
import pytest

from pullfocus.lens.aperture import aperture_kernel
from pullfocus.types import Lens


def _support_area(kernel):
    return kernel.sum() / kernel.max()


@pytest.mark.parametrize("radius", [1.0, 3.5, 12.0, 40.0])
def test_a_round_aperture_is_a_disc_of_its_radius(radius):
    kernel = aperture_kernel(radius, Lens())
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    assert _support_area(kernel) == pytest.approx(np.pi * radius**2, rel=0.02)
    if radius < 2:
        return
    y, x = np.mgrid[: kernel.shape[0], : kernel.shape[1]] - kernel.shape[0] // 2
    assert (kernel * (x**2 + y**2)).sum() / 2 == pytest.approx(radius**2 / 4 + 1 / 12, rel=0.02)


@pytest.mark.parametrize("blades", [5, 6, 7, 8, 9])
def test_straight_blades_have_the_area_of_the_polygon_and_roundness_fills_the_circle(blades):
    polygon = blades / 2 * np.sin(2 * np.pi / blades) * 30**2
    assert _support_area(aperture_kernel(30, Lens(blades=blades))) == pytest.approx(
        polygon, rel=0.02
    )
    rounded = aperture_kernel(30, Lens(blades=blades, roundness=1.0))
    assert _support_area(rounded) == pytest.approx(np.pi * 30**2, rel=0.02)


def test_convention_the_near_side_turns_the_aperture_by_180_degrees():
    far = aperture_kernel(20, Lens(blades=5))
    near = aperture_kernel(20, Lens(blades=5), flipped=True)
    assert np.allclose(near, far[::-1, ::-1], atol=1e-6)
    assert not np.allclose(near, far, atol=1e-4)


def test_rotation_by_one_sector_changes_nothing():
    a = aperture_kernel(20, Lens(blades=6))
    b = aperture_kernel(20, Lens(blades=6, rotation_deg=60))
    assert np.abs(a - b).sum() < 0.01


def test_a_ring_is_dark_in_the_middle():
    kernel = aperture_kernel(20, Lens(ring=0.5))
    assert kernel[22, 22] == 0
    assert _support_area(kernel) == pytest.approx(np.pi * 20**2 * 0.75, rel=0.03)


def test_squeeze_makes_discs_twice_as_high_as_wide():
    kernel = aperture_kernel(20, Lens(squeeze=2.0))
    rows, columns = (kernel > 0).any(axis=1).sum(), (kernel > 0).any(axis=0).sum()
    assert rows == pytest.approx(2 * columns, abs=2)


def test_soft_discs_fade_and_hard_ones_have_a_rim():
    middle, rim = (22, 22), (22, 22 + 18)
    soft = aperture_kernel(20, Lens(edge_softness=1.0))
    hard = aperture_kernel(20, Lens(edge_softness=-1.0))
    assert soft[rim] < 0.4 * soft[middle]
    assert hard[rim] > 1.5 * hard[middle]


def test_cats_eye_cuts_the_side_away_from_the_axis():
    kernel = aperture_kernel(20, Lens(), vignette_xy=(0.6, 0.0))
    assert kernel[22, 22 - 16] == 0
    assert kernel[22, 22 + 16] > 0


def test_a_large_disc_needs_little_more_memory_than_itself():
    tracemalloc.start()
    kernel = aperture_kernel(400.0, Lens(blades=7))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * kernel.nbytes
    assert kernel.sum() == pytest.approx(1.0, abs=1e-4)

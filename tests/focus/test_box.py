"""Boxes in fractions."""

from __future__ import annotations

import pytest

from pullfocus.focus.box import Box


def test_overlap_is_intersection_over_union():
    assert Box(0, 0, 0.5, 1).overlap(Box(0.25, 0, 0.75, 1)) == pytest.approx(1 / 3)
    assert Box(0, 0, 0.4, 1).overlap(Box(0.5, 0, 1, 1)) == 0.0
    assert Box(0.2, 0.2, 0.6, 0.6).overlap(Box(0.2, 0.2, 0.6, 0.6)) == pytest.approx(1)


def test_convention_rows_go_down_and_columns_to_the_right():
    assert Box(0.5, 0.0, 1.0, 0.25).slices((8, 10)) == (slice(0, 2), slice(5, 10))


@pytest.mark.parametrize("box", [Box(0.99, 0.99, 0.999, 0.999), Box(1, 1, 1, 1), Box(0, 0, 0, 0)])
def test_a_box_covers_at_least_one_pixel(box):
    for part in box.slices((3, 5)):
        assert part.stop - part.start == 1


def test_what_it_holds():
    box = Box(0.2, 0.3, 0.6, 0.5)
    assert box.centre == pytest.approx((0.4, 0.4))
    assert box.holds(0.3, 0.4)
    assert not box.holds(0.3, 0.6)

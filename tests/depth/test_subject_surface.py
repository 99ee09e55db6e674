"""People: told apart, and one surface each, without the ramp that a network draws around them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pullfocus.depth import estimate_depth, find_card
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.subjects.instances import people_in
from pullfocus.depth.subjects.surface import as_surfaces, sure_people
from pullfocus.types import Photo

HW = (160, 240)


def person_surface(disparity: np.ndarray, person: np.ndarray) -> np.ndarray:
    return as_surfaces(disparity, sure_people(disparity, person))


def ellipse(x: int, y: int, a: int, b: int) -> np.ndarray:
    mask = np.zeros(HW, np.uint8)
    cv2.ellipse(mask, (x, y), (a, b), 0, 0, 360, 1, -1)
    return mask > 0


def as_a_network_sees(truth: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(truth, (0, 0), 2.5)


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Return exact disparity and mask: a person (with the relief of a body) before a slope."""
    mask = ellipse(120, 90, 40, 60)
    truth = np.repeat(np.linspace(0.1, 0.4, HW[0], dtype=np.float32)[:, None], HW[1], axis=1)
    body = 0.7 + 0.05 * np.cos(np.linspace(-3, 3, HW[1], dtype=np.float32))
    return np.where(mask, body[None], truth).astype(np.float32), mask


def test_the_ramp_around_a_person_becomes_a_step():
    truth, mask = scene()
    seen = as_a_network_sees(truth)
    out = person_surface(seen, mask.astype(np.float32))
    rim = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7))) > cv2.erode(
        mask.astype(np.uint8), np.ones((7, 7))
    )
    assert np.abs(out - truth)[rim].mean() < 0.25 * np.abs(seen - truth)[rim].mean()


def test_a_wide_ramp_leaves_no_groove_inside_the_outline():
    truth, mask = scene()
    seen = cv2.GaussianBlur(truth, (0, 0), 5)  # still falls where the outline is carried from
    out = person_surface(seen, mask.astype(np.float32))
    row = out[90, 80:161]  # from outline to outline
    groove = np.minimum(row[:-6], row[6:]) - row[3:-3]  # below both pixels 3 to the sides
    assert groove.max() < 0.002


def test_the_relief_of_the_body_stays():
    truth, mask = scene()
    out = person_surface(truth, mask.astype(np.float32))
    inside = cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0
    assert np.abs(out - truth)[inside].mean() < 0.01
    assert np.corrcoef(out[inside], truth[inside])[0, 1] > 0.95


def test_a_hole_in_a_shirt_is_flattened():
    truth, mask = scene()
    holed = truth.copy()
    holed[85:100, 110:130] = 0.3
    out = person_surface(holed, mask.astype(np.float32))
    assert np.abs(out - truth)[88:97, 113:127].max() < 0.15


def test_estimated_depth_takes_the_ramp_off_people_that_the_network_found():
    truth, mask = scene()

    class Seer:
        id = "seer"
        card = find_card()

        def __init__(self, person: np.ndarray | None) -> None:
            self.person = person

        def estimate(self, rgb: np.ndarray) -> RawDepth:
            return RawDepth(as_a_network_sees(truth), "relative_disparity", self.person)

    photo = Photo.from_array(np.full((*HW, 3), 90, np.uint8))
    plain, with_people = (
        estimate_depth(photo, Seer(person), refine=False)
        for person in (None, mask.astype(np.float32))
    )
    rise = [float(np.abs(np.diff(d.disparity[90])).max()) for d in (plain, with_people)]
    assert rise[1] > 3 * rise[0]
    assert plain.person.max() < 0.5  # the subject network sees nobody in plain grey
    assert with_people.person.shape == HW


def test_far_from_people_nothing_changes():
    truth, mask = scene()
    seen = as_a_network_sees(truth)
    out = person_surface(seen, mask.astype(np.float32))
    far = cv2.dilate(mask.astype(np.uint8), np.ones((11, 11))) == 0
    assert (out[far] == seen[far]).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_without_people_or_without_background_the_map_stays(share):
    truth, _ = scene()
    assert person_surface(truth, np.full((40, 60), share, np.float32)) is truth


def test_the_mask_may_have_another_size_than_the_map():
    truth, mask = scene()
    small = cv2.resize(mask.astype(np.float32), (60, 40), interpolation=cv2.INTER_AREA)
    out = person_surface(as_a_network_sees(truth), small)
    assert out.shape == HW
    assert np.abs(out - truth).mean() < np.abs(as_a_network_sees(truth) - truth).mean()


def test_people_who_touch_are_told_apart_where_one_stands_nearer():
    left, right = ellipse(90, 90, 40, 60), ellipse(150, 90, 40, 60)
    disparity = np.full(HW, 0.1, np.float32)
    disparity[right], disparity[left] = 0.4, 0.8
    labels = people_in((left | right).astype(np.float32), disparity)
    assert set(np.unique(labels)) == {0, 1, 2}
    assert labels[90, 70] == 1
    assert labels[90, 170] == 2


def test_one_person_who_leans_towards_the_camera_is_one():
    mask = ellipse(120, 90, 40, 60)
    slope = np.repeat(np.linspace(0.2, 0.9, HW[0], dtype=np.float32)[:, None], HW[1], axis=1)
    assert people_in(mask.astype(np.float32), slope).max() == 1


def test_legs_that_the_network_put_farther_away_belong_to_their_torso():
    mask = ellipse(120, 90, 30, 65)
    disparity = np.where(np.arange(HW[0])[:, None] < 90, np.float32(0.8), np.float32(0.5))
    assert people_in(mask.astype(np.float32), disparity + np.zeros(HW, np.float32)).max() == 1


def test_specks_are_nobody():
    disparity = np.random.default_rng(0).random(HW, np.float32)
    assert people_in(ellipse(20, 20, 4, 4).astype(np.float32), disparity).max() == 0


def test_a_mask_that_doubts_changes_nothing():
    disparity = np.random.default_rng(0).random((48, 64), dtype=np.float32)
    person = np.zeros((48, 64), np.float32)
    person[10:40, 20:40] = 0.7
    np.testing.assert_array_equal(person_surface(disparity, person), disparity)
    person[10:40, 20:40] = 0.95
    assert not np.array_equal(person_surface(disparity, person), disparity)


def test_somebody_upright_is_as_far_away_at_the_head_as_at_the_feet():
    """Networks lean people: the head goes to the background, the feet to the ground before them."""
    mask = ellipse(120, 90, 20, 60)
    lean = np.repeat(np.linspace(0.1, 0.8, HW[0], dtype=np.float32)[:, None], HW[1], axis=1)
    out = person_surface(lean, mask.astype(np.float32))
    assert np.ptp(lean[mask]) > 0.5
    assert np.ptp(out[mask]) < 0.06
    assert lean[90, 120] < out[90, 120] < lean[149, 120]  # between the torso and the ground


def test_somebody_who_was_sure_to_be_there_needs_less():
    disparity = np.random.default_rng(0).random((48, 64), dtype=np.float32)
    person = np.zeros((48, 64), np.float32)
    person[10:40, 20:40] = 0.7
    assert sure_people(disparity, person) == []
    (found,) = sure_people(disparity, person, before=person > 0.5)
    np.testing.assert_array_equal(found, person > 0.5)
    assert sure_people(disparity, 0.8 * person, before=person > 0.5) == []

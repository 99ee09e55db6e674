"""Subjects: people, then what stands out, then what is nearest; their ids, and what is wished."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.focus import choose_subject, find_subjects, focus_on, people_range, subjects
from pullfocus.focus.box import Box
from pullfocus.focus.faces import Face
from pullfocus.types import DepthMap, Photo

HW = (200, 300)


def ellipse(x: int, y: int, a: int, b: int) -> np.ndarray:
    mask = np.zeros(HW, np.uint8)
    cv2.ellipse(mask, (x, y), (a, b), 0, 0, 360, 1, -1)
    return mask > 0


LEFT, RIGHT = ellipse(75, 110, 35, 80), ellipse(215, 120, 28, 60)
LEFT_FACE = Face(Box(60 / 300, 40 / 200, 90 / 300, 75 / 200), 3)
RIGHT_FACE = Face(Box(203 / 300, 70 / 200, 227 / 300, 95 / 200), 3)


def scene(*, person: bool = True) -> tuple[Photo, DepthMap]:
    """Return two people, the left one nearer, before a wall, and a near ball in the corner."""
    rng = np.random.default_rng(0)
    disparity = np.full(HW, 0.1, np.float32)
    disparity[LEFT], disparity[RIGHT] = 0.6, 0.4
    disparity[ellipse(280, 190, 18, 9)] = 0.95
    photo = Photo.from_array(rng.integers(90, 110, (*HW, 3), np.uint8))
    mask = (LEFT | RIGHT).astype(np.float32)
    small = cv2.resize(mask, (150, 100), interpolation=cv2.INTER_AREA)
    return photo, DepthMap(disparity, person=small if person else None)


@pytest.fixture
def faces(monkeypatch):
    """Let the cascades find what a test says (they are tested on real photos in test_subject)."""

    def find(*found: Face) -> None:
        monkeypatch.setattr(subjects, "find_faces", lambda _: list(found))

    find()
    return find


def test_people_come_first_then_what_is_nearest(faces):
    found = find_subjects(*scene())
    assert [s.id for s in found] == [f"#{i + 1}" for i in range(len(found))]
    assert [s.kind for s in found[:2]] == ["person", "person"]
    left, right = found[:2]
    assert left.disparity == pytest.approx(0.6, abs=0.01)
    assert right.disparity == pytest.approx(0.4, abs=0.01)
    assert left.box.overlap(Box(40 / 300, 30 / 200, 110 / 300, 190 / 200)) > 0.9
    nearest = next(s for s in found if s.is_nearest)
    assert nearest.kind == "nearest"
    assert nearest.disparity == pytest.approx(0.95, abs=0.02)


def test_the_mask_and_the_point_lie_on_the_subject(faces):
    for subject, truth in zip(find_subjects(*scene()), (LEFT, RIGHT), strict=False):
        mask = cv2.resize(subject.mask.astype(np.uint8), HW[::-1]) > 0
        assert (mask & truth).sum() > 0.95 * (mask | truth).sum()
        x, y = subject.point
        assert truth[int(y * HW[0]), int(x * HW[1])]


def test_a_face_gives_the_point_and_goes_before_those_without(faces):
    faces(RIGHT_FACE)
    first = find_subjects(*scene())[0]
    assert first.face == RIGHT_FACE
    assert first.point == RIGHT_FACE.box.centre
    assert first.disparity == pytest.approx(0.4)
    assert focus_on(first).chosen == "face"
    assert first.box.area > 3 * RIGHT_FACE.box.area


def test_background_beside_a_face_is_not_in_its_range(faces):
    faces(Face(Box(50 / 300, 20 / 200, 100 / 300, 75 / 200), 3))
    for person in (True, False):
        first = find_subjects(*scene(person=person))[0]
        assert (first.near_disparity, first.far_disparity) == (
            pytest.approx(0.6, abs=0.02),
            pytest.approx(0.6, abs=0.02),
        )


def test_a_face_without_a_mask_is_a_person_too(faces):
    faces(LEFT_FACE)
    first = find_subjects(*scene(person=False))[0]
    assert first.kind == "person"
    assert first.disparity == pytest.approx(0.6)


def test_the_point_lies_between_two_eyes_and_not_between_an_eye_and_an_ear():
    box = Box(0.2, 0.2, 0.6, 0.6)
    assert Face(box, 3, ((0.3, 0.32), (0.48, 0.34))).point == pytest.approx((0.39, 0.33))
    assert Face(box, 3, ((0.3, 0.32), (0.32, 0.34))).point == box.centre
    assert Face(box, 3, ((0.3, 0.32),)).point == box.centre


def test_two_faces_on_one_patch_are_two_people(faces):
    photo, _ = scene()
    body = ellipse(110, 110, 50, 70) | ellipse(190, 110, 50, 70)
    disparity = np.where(body, np.float32(0.5), np.float32(0.1))
    depth = DepthMap(disparity, person=body.astype(np.float32))
    faces(Face(Box(0.3, 0.25, 0.4, 0.4), 3), Face(Box(0.6, 0.25, 0.7, 0.4), 3))
    people = [s for s in find_subjects(photo, depth) if s.kind == "person"]
    assert len(people) == 2
    assert people[0].box.overlap(people[1].box) < 0.1


def test_a_doubtful_mask_is_nobody(faces):
    photo, depth = scene()
    doubtful = DepthMap(depth.disparity, person=0.6 * depth.person)
    assert all(s.kind != "person" for s in find_subjects(photo, doubtful))


def test_the_order_is_the_same_each_time_and_larger_goes_first(faces):
    faces(RIGHT_FACE, LEFT_FACE)
    first, again = (find_subjects(*scene()) for _ in range(2))
    assert [s.point for s in first] == [s.point for s in again]
    assert first[0].face == LEFT_FACE


@pytest.mark.parametrize(
    ("wish", "disparity"),
    [("person", 0.4), ("face", 0.4), ("nearest", 0.95), ("#2", 0.6), ("0.1,0.1,0.4,0.95", 0.6)],
)
def test_wishes(faces, wish, disparity):
    faces(RIGHT_FACE)
    photo, depth = scene()
    chosen = choose_subject(find_subjects(photo, depth), depth, wish)
    assert chosen.disparity == pytest.approx(disparity, abs=0.02)
    assert chosen.far_disparity <= chosen.disparity <= chosen.near_disparity


@pytest.mark.parametrize("wish", ["face", "#9"])
def test_who_is_not_there_is_said_with_who_is(faces, wish):
    photo, depth = scene()
    with pytest.raises(UsageError, match=r"#1 \(person\)"):
        choose_subject(find_subjects(photo, depth), depth, wish)


def test_all_faces_lie_in_the_range_of_people(faces):
    faces(LEFT_FACE, RIGHT_FACE)
    near, far = people_range(find_subjects(*scene()))
    assert (near, far) == (pytest.approx(0.6), pytest.approx(0.4))


def test_no_people_have_no_range(faces):
    with pytest.raises(UsageError, match="Nobody was found"):
        people_range(find_subjects(*scene(person=False)))


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2)])
def test_tiny_photos_have_a_subject(faces, size):
    photo = Photo.from_array(np.full((*size, 3), 90, np.uint8))
    depth = DepthMap(np.full(size, 0.5, np.float32), person=np.ones((4, 4), np.float32))
    assert find_subjects(photo, depth)[0].disparity == pytest.approx(0.5)

"""The subject that is chosen when nobody chose: a face, a person, a salient thing, the nearest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.focus import find_subjects, focus_on_subject
from pullfocus.focus.faces import find_faces
from pullfocus.types import DepthMap, Photo

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def read(path: Path) -> np.ndarray:
    if not path.exists():
        pytest.skip(f"real data is not here ({path})")
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def flat(photo: Photo, value: float = 0.5) -> DepthMap:
    return DepthMap.from_disparity(np.full(photo.size_hw, value, np.float32))


def thing_on_a_wall(x: float, y: float) -> tuple[Photo, DepthMap]:
    """Return a red near square on a grey far wall, over a floor that comes nearer downwards."""
    rgb = np.full((240, 320, 3), 128, np.uint8)
    disparity = np.repeat(np.linspace(0.1, 0.6, 240, dtype=np.float32)[:, None], 320, axis=1)
    rows = slice(int(y * 240) - 25, int(y * 240) + 25)
    columns = slice(int(x * 320) - 25, int(x * 320) + 25)
    rgb[rows, columns] = (200, 30, 20)
    disparity[rows, columns] = 0.9
    return Photo.from_array(rgb), DepthMap.from_disparity(disparity)


@pytest.mark.parametrize(("x", "y"), [(0.3, 0.4), (0.6, 0.5), (0.7, 0.6)])
def test_a_near_thing_is_chosen_over_the_floor(x, y):
    focus = focus_on_subject(*thing_on_a_wall(x, y))
    assert focus.chosen in ("salient subject", "nearest thing")
    assert focus.disparity == pytest.approx(0.9, abs=0.02)
    assert focus.x == pytest.approx(x, abs=0.09)
    assert focus.y == pytest.approx(y, abs=0.12)


def masked(depth: DepthMap, **boxes: tuple[slice, slice]) -> DepthMap:
    """Say where somebody or something is; nothing anywhere else."""
    masks = {name: np.zeros(depth.size_hw, np.float32) for name in ("person", "salient")}
    for name, box in boxes.items():
        masks[name][box] = 1
    return replace(depth, **masks)


LEFT, RIGHT = (slice(60, 180), slice(30, 90)), (slice(60, 180), slice(220, 290))


def test_the_salient_subject_goes_before_what_is_nearest():
    photo, depth = thing_on_a_wall(0.5, 0.5)
    focus = focus_on_subject(photo, masked(depth, salient=RIGHT))
    assert focus.chosen == "salient subject"
    assert 220 <= focus.x * 320 <= 290


def test_a_person_goes_before_the_salient_subject():
    photo, depth = thing_on_a_wall(0.5, 0.5)
    focus = focus_on_subject(photo, masked(depth, person=LEFT, salient=RIGHT))
    assert focus.chosen == "person"
    assert 30 <= focus.x * 320 <= 90


def test_where_nothing_is_salient_the_nearest_thing_is_chosen():
    photo, depth = thing_on_a_wall(0.5, 0.5)
    focus = focus_on_subject(photo, masked(depth))
    assert focus.chosen == "nearest thing"
    assert focus.disparity == pytest.approx(0.9, abs=0.02)


def test_a_person_who_is_salient_too_is_listed_once():
    photo, depth = thing_on_a_wall(0.5, 0.5)
    kinds = [s.kind for s in find_subjects(photo, masked(depth, person=LEFT, salient=LEFT))]
    assert kinds == ["person", "nearest"]


def test_pets_are_salient_and_nobody():
    folder = SHARED.parent / "masks" / "cats"
    paths = sorted(folder.glob("*.jpg"))[::160]
    if not paths:
        pytest.skip(f"real data is not here ({folder})")
    on_the_cat = 0
    for path in paths:
        mask = cv2.imread(str(path.with_suffix(".png")), 0)
        photo = Photo.from_array(read(path))
        focus = focus_on_subject(photo, flat(photo))
        h, w = mask.shape
        on_the_cat += int(mask[min(int(focus.y * h), h - 1), min(int(focus.x * w), w - 1)] > 127)
    assert on_the_cat >= 0.7 * len(paths)


def test_convention_mirroring_the_photo_mirrors_the_choice():
    photo, depth = thing_on_a_wall(0.3, 0.4)
    mirrored = focus_on_subject(
        Photo(photo.linear[:, ::-1]), DepthMap.from_disparity(depth.disparity[:, ::-1])
    )
    focus = focus_on_subject(photo, depth)
    assert mirrored.disparity == pytest.approx(focus.disparity, abs=0.01)
    assert mirrored.x == pytest.approx(1 - focus.x, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 40)])
def test_a_plain_picture_still_gets_a_focus(size):
    photo = Photo.from_array(np.full((*size, 3), 90, np.uint8))
    focus = focus_on_subject(photo, flat(photo))
    assert focus.disparity == pytest.approx(0.5)
    assert 0 <= focus.x <= 1
    assert 0 <= focus.y <= 1


@pytest.mark.parametrize("seed", range(3))
def test_noise_and_bars_hold_no_face(seed):
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.integers(0, 255, (300, 400, 3), dtype=np.uint8), (0, 0), 2 + seed)
    assert find_faces(noise) == []
    noise[:, :: 20 * (seed + 1)] = 255
    assert find_faces(noise) == []


def test_a_face_is_found_and_focused():
    """Person 139 stands upright, the face at about (0.45, 0.17)."""
    photo = Photo.from_array(read(SHARED / "people" / "Training_Images" / "139.jpg"))
    focus = focus_on_subject(photo, flat(photo))
    assert focus.chosen == "face"
    assert focus.x == pytest.approx(0.46, abs=0.06)
    assert focus.y == pytest.approx(0.17, abs=0.06)


def test_people_are_chosen_in_real_photos():
    """Even when depth says nothing, most points lie on the person (measured: 8 of 10)."""
    folder = SHARED / "people"
    paths = sorted((folder / "Training_Images").glob("*.jpg"))[::16]
    if not paths:
        pytest.skip(f"real data is not here ({folder})")
    hits = 0
    for path in paths:
        rgb = read(path)
        mask = cv2.imread(str(folder / "Ground_Truth" / f"{path.stem}.png"), 0)
        h, w = mask.shape
        photo = Photo.from_array(rgb)
        focus = focus_on_subject(photo, flat(photo))
        hits += int(mask[min(int(focus.y * h), h - 1), min(int(focus.x * w), w - 1)] > 127)
    assert hits >= 0.75 * len(paths)

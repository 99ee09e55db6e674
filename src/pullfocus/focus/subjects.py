"""Everything in a photo that one may want to focus on: people, what stands out, the nearest thing.

    photo, depth -> people (mask, depth, faces) -> Subject "#1", "#2", ...
                 -> salient mask, nearness      -> the ones after them

The order, which is that of the ids: people with a face, then people without, the larger, nearer and
more central first; then the salient subject (a pet, an object), then the nearest thing, where they
are not one of those people. "#1" is what is focused when nobody says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from pullfocus.depth.edges.upsample import enlarge
from pullfocus.depth.subjects.instances import SMALLEST_SHARE, SURE, largest_piece, people_in
from pullfocus.depth.subjects.masks import find_masks
from pullfocus.focus.at_point import focus_on_box
from pullfocus.focus.box import Box
from pullfocus.focus.faces import Face, find_faces
from pullfocus.focus.subject_shape import GRID_PX, Subject, oval, shaped
from pullfocus.types import DepthMap, Photo

ONE_THING = 0.06
"""Share of the picture's range of disparity within which the inside of a box is one thing."""
NEAREST_SHARE = 0.005
"""Share of the picture that the nearest thing has at least: one hot pixel is no thing."""
SALIENT = 0.5
"""Probability from which a pixel belongs to the salient subject."""
THING_SURE = 0.75
"""Mean probability of a salient region below which it is none."""
RIM = 0.015
"""Share of the longer side around people in which what is salient is still a part of them."""
STANDS_OUT = 0.12
"""How much nearer than the median of its row a thing is, as a share of the range of disparity."""
NEAREST_DEPTH = 0.1
"""How far the nearest thing reaches back, as a share of the picture's range of disparity."""


def find_subjects(photo: Photo, depth: DepthMap) -> tuple[Subject, ...]:
    """List the subjects of a photo in the order of their ids; at least one.

    The same photo and depth give the same list.
    """
    from pullfocus.photo.pixels import to_srgb8

    rgb = to_srgb8(photo, 1024)
    disparity = _on_grid(depth)
    faces = [face for face in find_faces(rgb) if _is_plausible(depth, face)]
    person, salient = _masks(depth, rgb, disparity.shape)
    found = in_order(_people(person, disparity, faces), disparity)
    thing = _salient_thing(salient, found, disparity)
    if thing is not None:
        found.append(thing)
    listed = enumerate(_with_nearest(found, disparity), start=1)
    return tuple(replace(subject, id=f"#{number}") for number, subject in listed)


def subject_in_box(depth: DepthMap, box: Box) -> Subject:
    """Return what a box drawn by hand holds: the part of it that is about as near as its middle.

    Raises:
        UsageError: a box outside the picture or without area.
    """
    plane = focus_on_box(depth, *box).disparity
    disparity = _on_grid(depth)
    mask = np.zeros(disparity.shape, bool)
    rows_columns = box.slices((disparity.shape[0], disparity.shape[1]))
    reach = ONE_THING * max(float(np.ptp(disparity)), 1e-9)
    inside = np.abs(disparity[rows_columns] - plane) <= reach
    mask[rows_columns] = inside if inside.any() else True
    return replace(shaped("box", mask, disparity, point=box.centre), disparity=plane)


def in_order(people: list[Subject], disparity: Float32[np.ndarray, "h w"]) -> list[Subject]:
    """Sort people: faces first, then by size, nearness, place and how sure the face is."""
    nearest = max(float(disparity.max()), 1e-9)

    def merit(subject: Subject) -> tuple[bool, float]:
        box = subject.face.box if subject.face else subject.box
        x, y = box.centre
        central = 0.4 + np.exp(-1.5 * ((2 * x - 1) ** 2 + (2 * y - 1) ** 2))
        sure = subject.face.votes**0.5 if subject.face else 1.0
        value = box.area * (0.5 + subject.disparity / nearest) * central * sure
        return subject.face is not None, float(value)

    return sorted(people, key=merit, reverse=True)


def _on_grid(depth: DepthMap) -> np.ndarray:
    scale = GRID_PX / max(depth.size_hw)
    h, w = (max(1, round(n * scale)) for n in depth.size_hw)
    return enlarge(depth.disparity, (h, w))


def _is_plausible(depth: DepthMap, face: Face) -> bool:
    """Say whether a face may be a subject: well confirmed, or not in the far part.

    What cascades take for faces in house fronts and doorways lies far behind the rest.
    """
    if face.votes > 2:
        return True
    return depth.at(*face.box.centre) >= float(np.percentile(depth.disparity[::8, ::8], 40))


def _masks(
    depth: DepthMap, rgb: np.ndarray, size_hw: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of people and of the salient subject; look for what is missing.

    Depth that the photo carries, or that comes from a file, has no masks yet.
    """
    person, salient = depth.person, depth.salient
    if person is None or salient is None:
        masks = find_masks(rgb)
        person = masks.person if person is None else person
        salient = masks.salient if salient is None else salient
    h, w = size_hw
    return enlarge(person, (h, w)), enlarge(salient, (h, w))


def _salient_thing(
    salient: np.ndarray, people: list[Subject], disparity: np.ndarray
) -> Subject | None:
    """Return the largest salient region beside the people; None where there is none."""
    import cv2

    mask = salient > SALIENT
    reach = np.ones((1 + 2 * round(RIM * max(mask.shape)),) * 2, np.uint8)
    for one in people:
        mask &= cv2.dilate(one.mask.astype(np.uint8), reach) == 0
    largest = largest_piece(mask)
    if largest.mean() < SMALLEST_SHARE or salient[largest].mean() < THING_SURE:
        return None
    return shaped("salient", largest, disparity)


def _people(person: np.ndarray, disparity: np.ndarray, faces: list[Face]) -> list[Subject]:
    """Give every face its body, where the mask has one; a body without a face stands alone."""
    bodies = people_in(person, disparity)
    out = [
        shaped("person", oval(face.box, disparity.shape), disparity, face)
        for face in faces
        if _body_at(bodies, face) == 0
    ]
    for label in range(1, int(bodies.max(initial=0)) + 1):
        body = bodies == label
        own = [face for face in faces if _body_at(bodies, face) == label]
        out += [shaped("person", part, disparity, face) for part, face in _shared(body, own)]
        if not own and person[body].mean() >= SURE:  # a face is proof enough
            out.append(shaped("person", body, disparity))
    return out


def _body_at(bodies: np.ndarray, face: Face) -> int:
    """Return the number of the body that most of a face belongs to; 0 for none."""
    inside = bodies[oval(face.box, bodies.shape)]
    return int(np.bincount(inside).argmax())


def _shared(body: np.ndarray, faces: list[Face]) -> list[tuple[np.ndarray, Face]]:
    """Share a body among the faces on it: every pixel goes to the face it hangs below."""
    if not faces:
        return []
    columns = (np.arange(body.shape[1]) + 0.5) / body.shape[1]
    away = [np.abs(columns - face.box.centre[0]) for face in faces]
    owner = np.argmin(np.stack(away), axis=0)
    parts = [body & (owner == i)[None] for i in range(len(faces))]
    return [
        (part if part.any() else oval(face.box, body.shape), face)
        for part, face in zip(parts, faces, strict=True)
    ]


def _with_nearest(found: list[Subject], disparity: Float32[np.ndarray, "h w"]) -> list[Subject]:
    """Mark who is the nearest; add the nearest thing when it is none of those found."""
    nearest = _nearest_region(disparity)
    for i, subject in enumerate(found):
        if (subject.mask & nearest).sum() > 0.5 * nearest.sum():
            return [*found[:i], replace(subject, is_nearest=True), *found[i + 1 :]]
    return [*found, replace(shaped("nearest", nearest, disparity), is_nearest=True)]


def _nearest_region(disparity: np.ndarray) -> np.ndarray:
    """Return the nearest thing: what is nearer than the rest of its rows, and connected.

    The ground is nearest at the lower border of most pictures, but is no thing. Where nothing
    stands out from its rows, the middle of the picture is taken and what is about as far away.
    """
    import cv2

    size = max(1.0, float(np.sqrt(NEAREST_SHARE * disparity.size)) / 2)
    smooth = cv2.GaussianBlur(disparity, (0, 0), size)
    spread = max(float(np.ptp(smooth)), 1e-9)
    raised = smooth - np.median(smooth, axis=1, keepdims=True) > STANDS_OUT * spread
    if raised.any():
        row, column = np.unravel_index(int(np.argmax(np.where(raised, smooth, -1))), smooth.shape)
        mask = raised & (smooth >= smooth[row, column] - NEAREST_DEPTH * spread)
    else:
        row, column = smooth.shape[0] // 2, smooth.shape[1] // 2
        mask = np.abs(smooth - smooth[row, column]) <= NEAREST_DEPTH * spread
    labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[1]
    return np.asarray(labels == labels[row, column])

"""Single rendered views with normals and person masks: truth for two-headed networks."""

from __future__ import annotations

import numpy as np

from pullfocus.lab.data.samples import LabelledView
from pullfocus.lab.scenes.parts import Scene
from pullfocus.lab.scenes.studio import first_taken, renderer, shows_depth, studio_stack

PLACES = ("room", "crowd", "portrait", "street")


def labelled_view(seed: int, hw: tuple[int, int], kinds: tuple[str, ...] = PLACES) -> LabelledView:
    """Return the view of a seed, h w, with disparity, normals, parts and the mask of people.

    Raises:
        MissingModelError: the machine cannot render.
    """
    draw = renderer(hw)

    def shoot(_rng: np.random.Generator, kind: str, scene: Scene) -> LabelledView | None:
        rgb, disparity = draw(scene)
        if not shows_depth(disparity, 0.3):
            return None
        seen = draw.surfaces()
        person = person_parts(scene)[seen.part] & (seen.part >= 0)
        return LabelledView(f"{kind}-{seed}", rgb, disparity, seen.normal, person, seen.part)

    return first_taken(seed, kinds, shoot)


def person_parts(scene: Scene) -> np.ndarray:
    """Return for each part whether it is a person of the studio's stack."""
    layers = np.array([part.layer for part in scene.parts])
    return np.isin(layers, studio_stack().kinds["person"])

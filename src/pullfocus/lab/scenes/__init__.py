"""Rendered scenes with exact disparity: truth that no sensor and no teacher gives.

seed -> layouts (what stands where) -> render (moderngl over EGL) -> picture, disparity

One call a sample: `stereo_pair`, `clip`, `flight` and `labelled_view`, each the same for the same
seed.
"""

from pullfocus.lab.scenes.clips import clip, labelled_view, stereo_pair
from pullfocus.lab.scenes.flights import flight

__all__ = ["clip", "flight", "labelled_view", "stereo_pair"]

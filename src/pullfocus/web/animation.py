"""Animation: a focus pull from one plane to another, as GIF, WebP or (with PyAV) MP4."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.pipeline import Settings, make_lens
from pullfocus.types import DepthMap, Focus, Photo
from pullfocus.web.schema import AnimationRequest
from pullfocus.web.steps import Steps


def animation_formats() -> list[str]:
    """Return the formats this installation can write."""
    return ["webp", "gif", *(["mp4"] if find_spec("av") else [])]


def eased_planes(wish: AnimationRequest) -> np.ndarray:
    """Return the disparity of focus in each frame: slow, fast, slow, as a focus puller turns.

    Source: smootherstep, K. Perlin, "Improving noise" (2002), 6t^5 - 15t^4 + 10t^3.
    """
    t = np.linspace(0.0, 1.0, wish.frames)
    if wish.there_and_back:
        t = 1.0 - np.abs(1.0 - 2.0 * t)
    eased = t**3 * (t * (6 * t - 15) + 10)
    return wish.start_disparity + (wish.end_disparity - wish.start_disparity) * eased


def pull_frames(
    photo: Photo, depth: DepthMap, settings: Settings, wish: AnimationRequest, steps: Steps
) -> Iterator[np.ndarray]:
    """Yield the frames as sRGB uint8 (h, w, 3)."""
    from pullfocus.photo.pixels import to_srgb8
    from pullfocus.render import render_many

    focuses = [Focus(float(d), chosen="pull") for d in eased_planes(wish)]
    frames = render_many(photo, depth, focuses, make_lens(settings))
    for index, frame in enumerate(frames):
        steps.step(0.2 + 0.7 * index / wish.frames, f"frame {index + 1} of {wish.frames}")
        yield to_srgb8(frame, max(frame.size_hw))


def write_animation(
    frames: Iterator[np.ndarray], path: Path, duration_ms: float, wish: AnimationRequest
) -> None:
    """Write frames to a file.

    Raises:
        MissingModelError: MP4 without PyAV.
    """
    if wish.format == "mp4":
        _write_mp4(frames, path, Fraction(1000.0 / duration_ms).limit_denominator(1000))
        return
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in frames]
    options = {"quality": 82, "method": 2} if wish.format == "webp" else {"optimize": False}
    pictures[0].save(
        path,
        format=wish.format.upper(),
        save_all=True,
        append_images=pictures[1:],
        duration=round(duration_ms),
        loop=0,
        **options,
    )


def _write_mp4(frames: Iterator[np.ndarray], path: Path, rate: Fraction) -> None:
    if find_spec("av") is None:
        raise MissingModelError(
            'MP4 needs PyAV: pip install "pullfocus[video]", or choose WebP or GIF.'
        )
    import av

    with av.open(str(path), "w") as container:
        stream = None
        for frame in frames:
            even = frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]
            if stream is None:
                stream = container.add_stream("h264", rate=rate)
                stream.height, stream.width = even.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": "18"}
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode())

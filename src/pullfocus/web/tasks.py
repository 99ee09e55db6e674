"""Desk: the work people ask for by name, each a plain function of the workbench and its steps.

It is done in the worker process: `files` says which photo, and `path` where a result is written.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pullfocus.pipeline import Settings, apply, default_output
from pullfocus.types import DepthMap, Focus, Photo
from pullfocus.web.open_photos import Item, PhotoFiles, Workbench, depth_key, preview_size_hw
from pullfocus.web.preview import Region, colour_png, disparity_f32, png
from pullfocus.web.schema import AnimationRequest, DepthView, FocusView, PhotoView, SubjectView
from pullfocus.web.steps import Steps

if TYPE_CHECKING:
    from pullfocus.focus import Subject


def open_photo(bench: Workbench, steps: Steps, files: PhotoFiles) -> dict[str, Any]:
    """Read an upload and describe it.

    Raises:
        UnreadableInputError, TooLargeError: what it holds is no photo, or too large a one.
    """
    steps.step(0.1, "reading the photo")
    try:
        told = photo_view(bench, steps, files)
        steps.check()
    except BaseException:
        bench.forget(files.id)
        raise
    return told


def photo_view(bench: Workbench, _: Steps, files: PhotoFiles) -> dict[str, Any]:
    """Describe an open photo."""
    photo = bench.photo(bench.item(files))
    h, w = preview_size_hw(photo.size_hw, bench.limits.preview_px)
    optics = photo.metadata.optics
    camera = " ".join(part for part in (optics.make, optics.model) if part)
    view = PhotoView(
        id=files.id,
        name=files.name,
        width=photo.width,
        height=photo.height,
        preview_width=w,
        preview_height=h,
        bit_depth=photo.bit_depth,
        notes=list(photo.metadata.notes),
        camera=camera,
        suggested_name=default_output(Path(files.name)).name,
    )
    return view.model_dump()


def colour(bench: Workbench, _: Steps, files: PhotoFiles, region: Region) -> bytes:
    """Return a region of the photo as an sRGB PNG."""
    return colour_png(bench.photo(bench.item(files)), region)


def disparity(
    bench: Workbench,
    steps: Steps,
    files: PhotoFiles,
    settings: Settings,
    region: Region,
    edited: bool,
) -> tuple[bytes, tuple[int, int], str]:
    """Return a region's disparity as float32 rows, its size and its kind."""
    found = bench.depth(bench.item(files), settings, steps, edited=edited)
    rows, columns = region.rows_columns(found.size_hw)
    shown_hw = region.shown_hw(rows.stop - rows.start, columns.stop - columns.start)
    return disparity_f32(found, region), shown_hw, found.kind


def make_depth(
    bench: Workbench, steps: Steps, files: PhotoFiles, settings: Settings
) -> dict[str, Any]:
    """Work out depth and say what the page must know of it."""
    from pullfocus.focus import find_subjects, focus_on
    from pullfocus.lens import resolve_lens
    from pullfocus.pipeline import make_lens

    steps.step(0.05, "reading the photo")
    item = bench.item(files)
    photo, depth = bench.photo(item), bench.depth(item, settings, steps)
    steps.step(0.9, "looking for the subject")
    lens = resolve_lens(make_lens(settings), depth, photo.metadata.optics)
    subjects = find_subjects(photo, depth)
    focus = focus_on(subjects[0])
    view = DepthView(
        kind=depth.kind,
        source=depth.source,
        licence=depth.licence,
        focal_length_mm=lens.focal_length_mm or 50.0,
        sensor_width_mm=lens.sensor_width_mm or 36.0,
        notes=list(depth.notes),
        edited=depth_key(item, settings) in item.edits,
        subject=FocusView(x=focus.x, y=focus.y, disparity=focus.disparity, chosen=focus.chosen),
        subjects=[_subject_view(subject) for subject in subjects],
    )
    return view.model_dump()


def replay(bench: Workbench, steps: Steps, files: PhotoFiles, settings: Settings) -> dict[str, Any]:
    """Say what settings from elsewhere mean on this photo: the plane, and what is sharp."""
    from pullfocus.pipeline import choose_focus

    item = bench.item(files)
    photo, depth = bench.photo(item), bench.depth(item, settings, steps)
    focus = choose_focus(photo, depth, settings)
    meant = {
        "at": None if focus.x is None or focus.y is None else (focus.x, focus.y),
        "focus_disparity": focus.disparity,
        "range": _range_setting(depth, focus),
        "focus_m": None,
        "subject": None,
        "all_people_sharp": False,
    }
    return {"settings": settings.model_copy(update=meant).model_dump(mode="json")}


def _range_setting(depth: DepthMap, focus: Focus) -> tuple[float, float] | None:
    near, far = focus.near_disparity, focus.far_disparity
    if near is None or far is None or near == far:
        return None
    return (1 / near, 1 / max(far, 1e-3)) if depth.kind == "metric" else (near, far)


def _subject_view(subject: Subject) -> SubjectView:
    x, y = subject.point
    return SubjectView(
        id=subject.id,
        kind=subject.kind,
        face=subject.face is not None,
        box=subject.face.box if subject.face else subject.box,
        x=x,
        y=y,
        disparity=subject.disparity,
        near=subject.near_disparity,
        far=subject.far_disparity,
    )


def save_picture(
    bench: Workbench, steps: Steps, files: PhotoFiles, settings: Settings, path: Path
) -> dict[str, Any]:
    """Render at full resolution and write the file; the same steps as the command line's."""
    from pullfocus.photo import save

    steps.step(0.05, "reading the photo")
    item = bench.item(files)
    photo, depth = bench.photo(item), bench.depth(item, settings, steps)
    steps.step(0.5, "rendering at full resolution")
    done = apply(photo, settings, depth=depth)
    steps.step(0.85, "writing the file")
    save(done.image, path, format=settings.format, quality=settings.quality, overwrite=True)
    notes = [*photo.metadata.notes, *depth.notes]
    return {"read_notes": notes, "sidecar": done.sidecar.to_json()}


def save_depth_map(
    bench: Workbench, steps: Steps, files: PhotoFiles, settings: Settings, path: Path
) -> dict[str, Any]:
    """Write the depth map as the command line's `depth` does."""
    from pullfocus.depthmap.files import save_depth

    depth = bench.depth(bench.item(files), settings, steps)
    steps.step(0.8, "writing the depth map")
    save_depth(depth, path, overwrite=True)
    return {}


def preview_picture(
    bench: Workbench, steps: Steps, files: PhotoFiles, settings: Settings, region: Region
) -> bytes:
    """Render a small picture on the server, for browsers without WebGL2 and graded styles."""
    from pullfocus.photo.pixels import to_srgb8

    photo, depth = small_line(bench, steps, bench.item(files), settings, region)
    steps.step(0.6, "rendering")
    return png(to_srgb8(apply(photo, settings, depth=depth).image, max(photo.size_hw)))


def small_line(
    bench: Workbench, steps: Steps, item: Item, settings: Settings, region: Region
) -> tuple[Photo, DepthMap]:
    """Return photo and depth as small as they are shown, to render quickly."""
    import cv2

    from pullfocus.web.preview import small_disparity

    photo, depth = bench.photo(item), bench.depth(item, settings, steps)
    disparity = small_disparity(depth, region)
    rows, columns = region.rows_columns(photo.size_hw)
    h, w = disparity.shape
    linear = cv2.resize(photo.linear[rows, columns], (w, h), interpolation=cv2.INTER_AREA)
    small = photo.with_linear(linear, alpha=None, embedded_depth=None)
    return small, replace(depth, disparity=disparity, uncertainty=None)


def save_animation(
    bench: Workbench,
    steps: Steps,
    files: PhotoFiles,
    settings: Settings,
    wish: AnimationRequest,
    path: Path,
) -> dict[str, Any]:
    """Render a focus pull and write it as GIF, WebP or MP4."""
    from pullfocus.web.animation import pull_frames, write_animation

    region = Region(long_side_px=wish.long_side_px)
    photo, depth = small_line(bench, steps, bench.item(files), settings, region)
    frames = pull_frames(photo, depth, settings, wish, steps)
    write_animation(frames, path, wish.seconds * 1000.0 / wish.frames, wish)
    return {}


def save_living(
    bench: Workbench,
    steps: Steps,
    files: PhotoFiles,
    settings: Settings,
    long_side_px: int,
    path: Path,
) -> dict[str, Any]:
    """Write the photo, its depth and the shader as one page that refocuses itself."""
    from pullfocus.web.living import living_page

    region = Region(long_side_px=long_side_px)
    photo, depth = small_line(bench, steps, bench.item(files), settings, region)
    steps.step(0.6, "writing the page")
    page = living_page(photo, depth, settings, title=Path(files.name).stem)
    path.write_text(page, encoding="utf-8")
    return {}


def take_depth(bench: Workbench, _: Steps, files: PhotoFiles) -> None:
    """Read a depth file that came with a photo; what is told of it comes with it.

    Raises:
        UnreadableInputError, UsageError: it is none, or not this photo's.
    """
    bench.item(files)


def take_edit(bench: Workbench, steps: Steps, files: PhotoFiles, settings: Settings) -> None:
    """Read what the brush added to a depth map.

    Raises:
        PullfocusError: there is no such depth map.
    """
    bench.depth(bench.item(files), settings, steps, edited=False)


def warm_depth(bench: Workbench, _: Steps) -> None:
    """Work out the depth of a tiny grey picture, so that the estimator is loaded."""
    from pullfocus.pipeline import find_depth

    find_depth(Photo(_tiny(3)), Settings())


def warm_render(bench: Workbench, _: Steps) -> tuple[int, int]:
    """Refocus a tiny grey picture, so that the renderer is loaded; return its size."""
    return apply(Photo(_tiny(3)), Settings(), depth=DepthMap(_tiny(1)[..., 0])).image.size_hw


def _tiny(channels: int) -> np.ndarray:
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (48, 64, channels)))

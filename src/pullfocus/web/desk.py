"""Desk: the jobs people ask for by name, each a plain function of the workbench and a Job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullfocus.pipeline import Settings, apply, default_output
from pullfocus.types import DepthMap, Focus, Photo
from pullfocus.web.item import Item
from pullfocus.web.queue import CancelledJobError, Job
from pullfocus.web.schema import AnimationRequest, DepthView, FocusView, PhotoView, SubjectView
from pullfocus.web.store import Kept, Store, by_its_name, with_room
from pullfocus.web.view import Region, png
from pullfocus.web.workbench import Workbench, depth_key, preview_size_hw

if TYPE_CHECKING:
    from pullfocus.focus import Subject

MEDIA = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".tif": "image/tiff",
    ".tiff": "image/tiff", ".webp": "image/webp", ".avif": "image/avif", ".heic": "image/heic",
    ".exr": "image/x-exr", ".npy": "application/octet-stream", ".gif": "image/gif",
    ".pfm": "application/octet-stream", ".mp4": "video/mp4", ".mov": "video/quicktime",
    ".mkv": "video/x-matroska", ".webm": "video/webm", ".html": "text/html",
}  # fmt: skip


def open_photo(bench: Workbench, kept: Kept, job: Job) -> dict[str, Any]:
    """Read an upload and describe it."""
    item = bench.open(kept, job)
    try:
        job.check()
    except CancelledJobError:
        bench.close(item.id)
        raise
    return photo_view(bench, item).model_dump()


def photo_view(bench: Workbench, item: Item) -> PhotoView:
    """Describe an open photo."""
    photo = bench.photo(item)
    h, w = preview_size_hw(item, bench.config.preview_px)
    optics = photo.metadata.optics
    camera = " ".join(part for part in (optics.make, optics.model) if part)
    return PhotoView(
        id=item.id,
        name=item.name,
        width=photo.width,
        height=photo.height,
        preview_width=w,
        preview_height=h,
        bit_depth=photo.bit_depth,
        notes=list(photo.metadata.notes),
        camera=camera,
        suggested_name=default_output(Path(item.name)).name,
    )


def make_depth(bench: Workbench, item: Item, settings: Settings, job: Job) -> dict[str, Any]:
    """Work out depth and say what the page must know of it."""
    from pullfocus.focus import find_subjects, focus_on
    from pullfocus.lens import resolve_lens
    from pullfocus.pipeline import make_lens

    job.step(0.05, "reading the photo")
    photo = bench.photo(item)
    depth = bench.depth(item, settings, job)
    job.step(0.9, "looking for the subject")
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


def replay(bench: Workbench, item: Item, settings: Settings, job: Job) -> dict[str, Any]:
    """Say what settings from elsewhere mean on this photo: the plane, and what is sharp."""
    from pullfocus.pipeline import choose_focus

    photo, depth = bench.photo(item), bench.depth(item, settings, job)
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
    bench: Workbench, item: Item, settings: Settings, job: Job, depth: DepthMap | None = None
) -> dict[str, Any]:
    """Render at full resolution and write the file; the same steps as the command line's."""
    from pullfocus.photo import save

    job.step(0.05, "reading the photo")
    photo = bench.photo(item)
    depth = depth or bench.depth(item, settings, job)
    job.step(0.5, "rendering at full resolution")
    done = apply(photo, settings, depth=depth)
    job.step(0.85, "writing the file")
    name = default_output(Path(item.name), format_=settings.format).name
    told = written(
        job,
        bench.store,
        name,
        lambda path: save(
            done.image, path, format=settings.format, quality=settings.quality, overwrite=True
        ),
    )
    notes = [*photo.metadata.notes, *depth.notes]
    return {**told, "read_notes": notes, "sidecar": done.sidecar.to_json()}


def save_depth_map(
    bench: Workbench, item: Item, settings: Settings, format_: str, job: Job
) -> dict[str, Any]:
    """Write the depth map as the command line's `depth` does."""
    from pullfocus.photo.depth_file import save_depth

    depth = bench.depth(item, settings, job)
    job.step(0.8, "writing the depth map")
    name = f"{Path(item.name).stem}.depth.{format_}"
    return written(job, bench.store, name, lambda path: save_depth(depth, path, overwrite=True))


def preview_picture(
    bench: Workbench, item: Item, settings: Settings, region: Region, job: Job
) -> bytes:
    """Render a small picture on the server, for browsers without WebGL2 and graded styles."""
    from pullfocus.photo.preview import to_srgb8

    photo, depth = small_line(bench, item, settings, region, job)
    job.step(0.6, "rendering")
    return png(to_srgb8(apply(photo, settings, depth=depth).image, max(photo.size_hw)))


def small_line(
    bench: Workbench, item: Item, settings: Settings, region: Region, job: Job
) -> tuple[Photo, DepthMap]:
    """Return photo and depth as small as they are shown, to render quickly."""
    import cv2

    from pullfocus.web.view import small_disparity

    photo, depth = bench.photo(item), bench.depth(item, settings, job)
    disparity = small_disparity(depth, region)
    rows, columns = region.rows_columns(photo.size_hw)
    h, w = disparity.shape
    linear = cv2.resize(photo.linear[rows, columns], (w, h), interpolation=cv2.INTER_AREA)
    small = photo.with_linear(linear, alpha=None, embedded_depth=None)
    return small, replace(depth, disparity=disparity, uncertainty=None)


def save_animation(
    bench: Workbench, item: Item, settings: Settings, wish: AnimationRequest, job: Job
) -> dict[str, Any]:
    """Render a focus pull and write it as GIF, WebP or MP4."""
    from pullfocus.web.animation import pull_frames, write_animation

    photo, depth = small_line(bench, item, settings, Region(long_side_px=wish.long_side_px), job)
    frames = pull_frames(photo, depth, settings, wish, job)
    name = f"{Path(item.name).stem}.focus-pull.{wish.format}"
    duration_ms = wish.seconds * 1000.0 / wish.frames
    return written(
        job, bench.store, name, lambda path: write_animation(frames, path, duration_ms, wish)
    )


def save_living(
    bench: Workbench, item: Item, settings: Settings, long_side_px: int, job: Job
) -> dict[str, Any]:
    """Write the photo, its depth and the shader as one page that refocuses itself."""
    from pullfocus.web.living import living_page

    photo, depth = small_line(bench, item, settings, Region(long_side_px=long_side_px), job)
    job.step(0.6, "writing the page")
    page = living_page(photo, depth, settings, title=Path(item.name).stem)
    name = f"{Path(item.name).stem}.living.html"
    return written(job, bench.store, name, lambda path: path.write_text(page, encoding="utf-8"))


def written(job: Job, store: Store, name: str, write: Callable[[Path], object]) -> dict[str, Any]:
    """Have a result written to the store and describe it.

    A failure leaves nothing behind, nor does a job that was cancelled meanwhile.
    """
    kept = store.place(name, MEDIA.get(Path(name).suffix.lower(), "application/octet-stream"))
    try:
        with with_room(kept), by_its_name(kept):
            write(kept.path)
            job.check()
    except BaseException:
        store.drop(kept.id)
        raise
    return {
        "id": kept.id,
        "name": kept.name,
        "media_type": kept.media_type,
        "bytes": kept.bytes,
        "url": f"/api/results/{kept.id}",
    }


def take_depth(bench: Workbench, item: Item, kept: Kept, settings: Settings) -> None:
    """Read a depth file that came with a photo; settings say what it holds, where they do.

    Raises:
        UnreadableInputError, UsageError: it is none, or not this photo's.
    """
    from pullfocus.depth import load_depth_of

    photo = bench.photo(item)
    with by_its_name(kept):
        depth = load_depth_of(
            photo,
            kept.path,
            near=settings.depth_near,
            unit=settings.depth_unit,
            scale=settings.depth_scale,
            name=kept.name,
        )
    named = str(kept.path)
    bench.use_depth_file(
        item,
        replace(
            depth,
            source=depth.source.replace(named, kept.name),
            notes=tuple(note.replace(named, kept.name) for note in depth.notes),
        ),
    )

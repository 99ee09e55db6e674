"""refocus: the six statements of the line, composed.

    load -> find_depth -> choose_focus -> make_lens -> render or render_graded -> save

Depth comes, in this order, from: the file the user gave; the photo itself, unless a model was
named; a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pullfocus.errors import UsageError
from pullfocus.pipeline.memory import check_memory
from pullfocus.pipeline.settings import Settings
from pullfocus.pipeline.sidecar import Sidecar
from pullfocus.types import DepthMap, Focus, Lens, Photo

Progress = Callable[[str], None]
Ends = tuple[float, float]
"""Near and far disparity of a sharp range."""


@dataclass(frozen=True, slots=True, eq=False)
class Refocused:
    """What `refocus` made: the picture and everything it was made from.

    settings: with `focus_disparity` filled in; replaying them gives the same pixels.
    output: the file that was written, or None.
    """

    image: Photo
    photo: Photo
    depth: DepthMap
    focus: Focus
    lens: Lens
    settings: Settings
    output: Path | None = None

    @property
    def sidecar(self) -> Sidecar:
        """The sidecar that replays this edit."""
        return Sidecar(self.settings, self.record)

    @property
    def record(self) -> dict[str, Any]:
        """How it came about, for people and for `--json`."""
        path = self.photo.metadata.path
        return {
            "photo": path.name if path else None,
            "size_hw": list(self.photo.size_hw),
            "focus": asdict(self.focus),
            "depth": {
                "kind": self.depth.kind,
                "source": self.depth.source,
                "licence": self.depth.licence,
                "notes": list(self.depth.notes),
            },
            "lens": asdict(self.lens),
        }


def refocus(
    path: str | Path | Any,
    *,
    settings: Settings | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    **fields: Any,
) -> Refocused:
    """Refocus one photo: load, depth, focus, lens, render and, with `output`, save.

    Args:
        path: a photo file, or a binary file object.
        settings: a whole Settings; `fields` change single ones of it (`at=(0.4, 0.6)`).
        output: where to write; nothing is written when None.
        overwrite: replace an output that exists.

    Raises:
        PullfocusError: see the tree in `pullfocus.errors`.
    """
    from pullfocus.photo import load, save

    chosen = (settings or Settings()).changed(**fields)
    photo = load(path, max_megapixels=chosen.max_megapixels)
    done = apply(photo, chosen)
    if output is None:
        return done
    save(done.image, output, format=chosen.format, quality=chosen.quality, overwrite=overwrite)
    return Refocused(
        done.image, photo, done.depth, done.focus, done.lens, done.settings, Path(output)
    )


def apply(
    photo: Photo,
    settings: Settings,
    *,
    depth: DepthMap | None = None,
    progress: Progress | None = None,
) -> Refocused:
    """Take a loaded photo down the line; nothing is written.

    depth: a depth map that is there already (the web app's), aligned with the photo.
    progress: called with a word before each step: "depth", "focus", "render".
    """
    from pullfocus.lens import resolve_lens

    check_memory(photo.size_hw)
    tell = progress or _silent
    tell("depth")
    depth = find_depth(photo, settings) if depth is None else depth
    tell("focus")
    focus = choose_focus(photo, depth, settings)
    lens = resolve_lens(make_lens(settings), depth, photo.metadata.optics)
    tell("render")
    image = _picture(photo, depth, focus, lens, settings)
    resolved = settings.model_copy(update={"focus_disparity": focus.disparity})
    return Refocused(image, photo, depth, focus, lens, resolved)


def find_depth(photo: Photo, settings: Settings) -> DepthMap:
    """Find the photo's depth: the user's file, the photo's own, else the network.

    Raises:
        UnreadableInputError, UsageError: a depth file that does not fit.
        MissingModelError: no weights.
    """
    if settings.depth_file is None:
        from pullfocus.depth import estimate_depth

        return estimate_depth(photo, settings.model, refine=settings.refine)
    if settings.model is not None:
        raise UsageError("Give a depth file or a model, not both.")
    from pullfocus.depth import align_to_photo, load_depth_of
    from pullfocus.photo.source import MAX_MEGAPIXELS

    # the limit that the photo has passed; a map may well be larger than a small photo
    limit = max(settings.max_megapixels, MAX_MEGAPIXELS)
    depth = load_depth_of(
        photo,
        settings.depth_file,
        near=settings.depth_near,
        unit=settings.depth_unit,
        scale=settings.depth_scale,
        max_megapixels=limit,
    )
    return align_to_photo(depth, photo, refine=settings.refine)


def choose_focus(photo: Photo, depth: DepthMap, settings: Settings) -> Focus:
    """Choose the plane by disparity, distance, point, range or subject; then the sharp range.

    Raises:
        UsageError: metres asked of relative depth, a range that makes no sense, or a subject that
            is not in the photo.
    """
    from pullfocus.focus import sharp_range

    ends = range_disparity(depth, settings.range)
    focus = _given_plane(depth, settings, ends)
    if focus is None or (ends is None and (settings.subject or settings.all_people_sharp)):
        focus, of_subjects = _on_subjects(photo, depth, settings, focus)
        ends = ends or of_subjects
    if ends is None:
        return focus
    return sharp_range(focus, near_disparity=ends[0], far_disparity=ends[1])


def _given_plane(depth: DepthMap, settings: Settings, ends: Ends | None) -> Focus | None:
    """Return the plane that the settings name; None when a subject decides."""
    from pullfocus.focus import check_focus, focus_at

    if settings.focus_disparity is not None:
        x, y = settings.at or (None, None)
        return Focus(settings.focus_disparity, x=x, y=y, chosen="settings")
    if settings.focus_m is not None:
        return check_focus(depth, Focus.at_distance_m(settings.focus_m))
    if settings.at is not None:
        return focus_at(depth, *settings.at)
    if ends is not None and settings.subject is None:
        return Focus((ends[0] + ends[1]) / 2, chosen="range")
    return None


def _on_subjects(
    photo: Photo, depth: DepthMap, settings: Settings, plane: Focus | None
) -> tuple[Focus, Ends | None]:
    """Focus on the subject asked for or found, unless a plane is given; say what must be sharp."""
    from pullfocus.focus import choose_subject, find_subjects, focus_on, people_range

    found = find_subjects(photo, depth)
    wish = settings.subject
    subject = found[0] if wish is None else choose_subject(found, depth, wish)
    focus = plane or focus_on(subject)
    if settings.all_people_sharp:
        return focus, people_range(found)
    return focus, None if wish is None else (subject.near_disparity, subject.far_disparity)


def make_lens(settings: Settings) -> Lens:
    """Take the lens out of the settings."""
    from dataclasses import fields

    return Lens(**{field.name: getattr(settings, field.name) for field in fields(Lens)})


def _picture(photo: Photo, depth: DepthMap, focus: Focus, lens: Lens, settings: Settings) -> Photo:
    if settings.style == "graded":
        from pullfocus.render.classic import render_graded

        return render_graded(
            photo, depth, focus, method=settings.method, strength=settings.strength
        )
    from pullfocus.render import render

    return render(photo, depth, focus, lens)


def range_disparity(depth: DepthMap, near_far: tuple[float, float] | None) -> Ends | None:
    """Turn the range of the settings, or of a focus script, into (near, far) disparity.

    Raises:
        UsageError: one that makes no sense with this kind of depth.
    """
    if near_far is None:
        return None
    near, far = near_far
    if depth.kind == "metric":
        if near <= 0 or far < near:
            raise UsageError(
                "A sharp range in metres runs from near to far, such as 1.2,3; "
                f"not {near:g},{far:g}."
            )
        return 1.0 / near, 1.0 / far
    if near > 1 or far > near:
        raise UsageError(
            "This depth is relative: a sharp range runs from near to far in disparity, 1 being the "
            f"nearest and 0 the farthest, such as 0.8,0.5; not {near:g},{far:g}."
        )
    return near, far


def _silent(_: str) -> None:
    return None

"""Names that other programs give depth in their files, and what they hold under them.

    NumPy .npz, MATLAB .mat, HDF5   names of arrays
    OpenEXR                         names of channels: layer.pass.component
    any file                        a few endings of file names

docs/depth-files.md lists the layouts for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pullfocus.depthmap.labels import (
    DISPARITY,
    METRES,
    MILLIMETRES,
    RELATIVE_DEPTH,
    Meaning,
)

_INVERSE = re.compile(r"disp|inv(erse)?[_ ]?(rel[_ ]?)?depth|idepth|inverse")
_MILLI = re.compile(r"(^|[_. -])(mm|millimet(er|re)s?)($|[_. -])")
_DEPTH = re.compile(r"depth|distance|(^|_)z($|_)")
_SAYS_NOTHING = ("predicted_depth", "depth_pred", "pred_depth", "prediction", "pred")
"""Network answers of either kind: predicted_depth is disparity by DPT and metres by ZoeDepth."""
_NO_DEPTH = re.compile(r"conf|mask|valid|uncert|std|intrin|extrin|normal|colou?r|image|rgb|vis")

_FILE_NAMES = (
    (re.compile(r"_raw_depth_meter$"), METRES),  # Depth Anything V2, metric_depth/run.py
    (re.compile(r"[_.-]depth[_.-]?mm$|[_.-]mm$"), MILLIMETRES),
    (re.compile(r"_disp$|[_.-]disparity$"), DISPARITY),  # project-defude
)


def meaning_of_array(name: str) -> Meaning | None:
    """Say what an array of this name holds; None where the name says nothing.

    Source: Depth Pro's cli/run.py and Depth Anything 3's export/npz.py (`depth`, metres), NYU
        Depth V2 (`depths`, `rawDepths`, metres).
    """
    low = name.lower()
    if low in _SAYS_NOTHING:
        return None
    if _INVERSE.search(low):
        return DISPARITY
    if _DEPTH.search(low):
        return MILLIMETRES if _MILLI.search(low) else METRES
    return None


def choose_array(names: Iterable[str]) -> str | None:
    """Choose the array that holds depth among those of a file; None if no name is likely.

    Convention: this program's own names (disparity, depth_m) first, then names that say depth,
        then network answers.
    """
    there = list(names)
    for own in ("disparity", "depth_m"):
        if own in there:
            return own
    likely = [name for name in there if not _NO_DEPTH.search(name.lower())]
    exact = [name for name in likely if name.lower() in ("depth", "depths", "disp")]
    said = [name for name in likely if meaning_of_array(name) is not None]
    answers = [name for name in likely if name.lower() in _SAYS_NOTHING]
    only = there if len(there) == 1 else []
    return next(iter([*exact, *said, *answers, *only]), None)


def choose_channel(names: Iterable[str]) -> tuple[list[str], Meaning | None] | None:
    """Choose the channels of an EXR file that hold depth, and what their names say.

    Several channels (R, G, B of one layer) hold the same. None if none can be depth.

    Source: Blender's passes (`Depth.V`, `ViewLayer.Depth.Z`, `Mist`); OpenEXR's standard channel
        Z; OpenCV and MoGe write one channel called Y.
    """
    there = sorted(names)
    for pattern, meaning in (
        (re.compile(r"disp|inv(erse)?_?depth"), DISPARITY),
        (re.compile(r"depth|distance"), METRES),
    ):
        found = [name for name in there if pattern.search(name.lower())]
        if found:
            return found[:1], meaning
    if "Z" in there and not {"X", "Y"} <= set(there):  # else a position or a normal
        return ["Z"], METRES
    for name in there:
        if "mist" in name.lower().split("."):
            return [name], RELATIVE_DEPTH
    for group in (["Y"], ["V"], ["R", "G", "B"], ["L"], ["R"]):
        if set(group) <= set(there):
            return group, None
    return (there, None) if len(there) == 1 else None


def meaning_of_file_name(stem: str) -> Meaning | None:
    """Say what a file of this name holds, by the endings that known programs give; else None."""
    low = stem.lower()
    return next((meaning for ending, meaning in _FILE_NAMES if ending.search(low)), None)

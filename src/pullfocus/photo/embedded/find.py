"""The depth map that a photo carries inside, upright like its pixels."""

from __future__ import annotations

from dataclasses import replace

from pullfocus.depth_rules import same_aspect
from pullfocus.photo.codecs.decoded import Decoded
from pullfocus.photo.embedded.gdepth import gdepth_to_depth_map, read_gdepth
from pullfocus.photo.metadata import xmp
from pullfocus.photo.pixels import upright, upright_hw
from pullfocus.types import DepthMap

_NOT_KEPT = "The depth map inside is not saved again: it belongs to the original."
_OTHER_SHAPE = "The depth map inside has another shape than the picture, cropped since: not used."


def find_embedded_depth(decoded: Decoded, kind: str) -> DepthMap | None:
    """Return the depth of a HEIC, or the GDepth of a JPEG; None if there is none to use.

    Takes the extended XMP out of `decoded.extra` and leaves what is still true of it. Never
    raises for what it finds: damaged depth is a note, the photo is still good.

    A map of another aspect than the picture was left behind when the picture was cropped.

    Convention: polarity and units follow the file; the map is turned as the pixels were.
    """
    extended = decoded.extra.pop("extended_xmp", None)
    depth = decoded.depth
    if depth is None and kind == "JPEG":
        depth = _from_gdepth(decoded, extended)
    if extended:
        kept = xmp.without_stale_extension(extended)
        if kept:
            decoded.extra["extended_xmp"] = kept
    if xmp.mentions(decoded.xmp, xmp.GIMAGE) or xmp.mentions(extended, xmp.GIMAGE):
        decoded.notes.append("It holds a second picture (GImage): not used and not saved again.")
    if depth is None and xmp.mentions(decoded.xmp, xmp.DYNAMIC_DEPTH):
        decoded.notes.append("It holds Google's dynamic depth, which is not read yet.")
    if depth is None:
        return None
    fits = same_aspect(depth.size_hw, upright_hw(decoded.pixels.shape[:2], decoded.orientation))
    decoded.notes.append(_NOT_KEPT if fits else _OTHER_SHAPE)
    return depth if fits else None


def _from_gdepth(decoded: Decoded, extended: bytes | None) -> DepthMap | None:
    if not (xmp.mentions(decoded.xmp, xmp.GDEPTH) or xmp.mentions(extended, xmp.GDEPTH)):
        return None
    found = read_gdepth(decoded.xmp, extended)
    depth = gdepth_to_depth_map(found) if found is not None else None
    if depth is None:
        decoded.notes.append("It announces a depth map (GDepth) that could not be read.")
        return None
    return replace(depth, disparity=upright(depth.disparity, decoded.orientation))

"""What EXIF says about the camera and lens, for `lens.optics`."""

from __future__ import annotations

from pullfocus.photo.metadata import exif
from pullfocus.types import CameraOptics

_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


_LIMITS = {
    "focal length": (0x920A, 0.5, 5000.0, "mm"),
    "full-frame focal length": (0xA405, 3.0, 4000.0, "mm"),
    "f-number": (0x829D, 0.5, 256.0, ""),
}
"""Tag, least, most: phones have 1.5 mm, circular fisheyes 4 mm; bridge cameras reach 3000 mm."""


def camera_optics(block_data: bytes | None, notes: list[str] | None = None) -> CameraOptics:
    """Read focal length, sensor width, f-number and names from an EXIF block; None is silent.

    notes: is told of values that no lens has, which are left out.

    Source: EXIF 2.32, tags 0x920A, 0xA405, 0x829D, 0xA20E, 0xA210, 0xA434.
    """
    block = exif.parse(block_data) if block_data else None
    if block is None:
        return CameraOptics()
    return CameraOptics(
        focal_length_mm=_plausible(block, "focal length", notes),
        focal_length_35mm=_plausible(block, "full-frame focal length", notes),
        sensor_width_mm=_sensor_width_mm(block),
        f_number=_plausible(block, "f-number", notes),
        make=block.text("0", 0x010F),
        model=block.text("0", 0x0110),
        lens_model=block.text("exif", 0xA434),
    )


def _plausible(block: exif.Block, name: str, notes: list[str] | None) -> float | None:
    tag, low, high, unit = _LIMITS[name]
    found = block.numbers("exif", tag)
    if not found or found[0] == 0:  # 0 stands for "unknown"
        return None
    if low <= found[0] <= high:
        return float(found[0])
    if notes is not None:
        said = f"{found[0]:g} {unit}".strip()
        notes.append(f"Its EXIF says a {name} of {said}, which no lens has: ignored.")
    return None


def _sensor_width_mm(block: exif.Block) -> float | None:
    """Pixels along the longer side over pixels per mm; cameras write the sensor's own values.

    The picture may have been made smaller since, but EXIF's pixel dimensions and its focal plane
    resolution belong together only if both are the camera's: results outside 2..70 mm are dropped.
    """
    resolution = block.numbers("exif", 0xA20E)
    sides = block.numbers("exif", 0xA002)[:1] + block.numbers("exif", 0xA003)[:1]
    if not resolution or resolution[0] <= 0 or not sides:
        return None
    unit = (block.numbers("exif", 0xA210) or (2,))[0]
    width_mm = max(sides) / resolution[0] * _UNIT_MM.get(int(unit), 25.4)
    return float(width_mm) if 2.0 <= width_mm <= 70.0 else None

"""What EXIF says about the camera and lens, for `lens.optics`."""

from __future__ import annotations

from pullfocus.photo import exif
from pullfocus.types import CameraOptics

_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


def camera_optics(block_data: bytes | None) -> CameraOptics:
    """Read focal length, sensor width, f-number and names from an EXIF block; None is silent.

    Source: EXIF 2.32, tags 0x920A, 0xA405, 0x829D, 0xA20E, 0xA210, 0xA434.
    """
    block = exif.parse(block_data) if block_data else None
    if block is None:
        return CameraOptics()
    return CameraOptics(
        focal_length_mm=_within(block, 0x920A, 0.5, 5000),
        focal_length_35mm=_within(block, 0xA405, 1, 20000),
        sensor_width_mm=_sensor_width_mm(block),
        f_number=_within(block, 0x829D, 0.5, 256),
        make=block.text("0", 0x010F),
        model=block.text("0", 0x0110),
        lens_model=block.text("exif", 0xA434),
    )


def _within(block: exif.Block, tag: int, low: float, high: float) -> float | None:
    found = block.numbers("exif", tag)
    return float(found[0]) if found and low <= found[0] <= high else None


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

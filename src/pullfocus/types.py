"""The frozen values that travel along the line: Photo, DepthMap, Focus, Lens.

    load -> Photo -> estimate_depth -> DepthMap -> focus_at -> Focus -> render -> Photo -> save

Arrays inside them are read-only. Nothing here touches files, numba, OpenCV or onnxruntime.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Shaped

from pullfocus.errors import UsageError
from pullfocus.frozen_arrays import check_encoded, check_map, check_numbers, check_same_size, frozen
from pullfocus.tone import SRGB, Curve, ToneCurve, linear_to_srgb, srgb_to_linear

__all__ = [
    "SRGB",
    "CameraOptics",
    "Curve",
    "DepthKind",
    "DepthMap",
    "Focus",
    "Lens",
    "Metadata",
    "Photo",
    "ToneCurve",
    "linear_to_srgb",
    "srgb_to_linear",
]

DepthKind = Literal["relative", "metric"]


@dataclass(frozen=True, slots=True)
class CameraOptics:
    """What the file says about the lens that took it; None where it is silent.

    `focal_length_mm` is the real one; `focal_length_35mm` the full-frame equivalent, in mm;
    `sensor_width_mm` the width of the sensor along the picture's longer side.
    """

    focal_length_mm: float | None = None
    focal_length_35mm: float | None = None
    sensor_width_mm: float | None = None
    f_number: float | None = None
    make: str | None = None
    model: str | None = None
    lens_model: str | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything a file knew about itself that is not pixels, kept so that `save` can give it back.

    `exif` is the raw EXIF block with the orientation reset to upright, `icc_profile` and `xmp` are
    the raw bytes. `format` is the source's format name ("JPEG", "PNG", "TIFF", ...).
    """

    path: Path | None = None
    format: str | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    optics: CameraOptics = CameraOptics()
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """An upright picture in linear light, and everything its file knew.

    linear: float32 (h, w, 3), scene-referred where possible; 1.0 is the file's white, values above
        are allowed. Grey pictures hold three equal channels and `is_grey` is true.
    alpha: float32 (h, w) in 0..1, straight (not premultiplied), or None.
    bit_depth: 8, 16 or 32 (float) of the source, so that 16-bit in gives 16-bit out.

    Raises:
        UsageError: another shape, or values that are NaN or infinite.

    Convention: (row, column) arrays, origin top left, RGB order, orientation already applied.
    """

    linear: Float32[np.ndarray, "h w 3"]
    alpha: Float32[np.ndarray, "h w"] | None = None
    bit_depth: Literal[8, 16, 32] = 8
    tone_curve: ToneCurve = SRGB
    is_grey: bool = False
    metadata: Metadata = field(default_factory=Metadata)
    embedded_depth: DepthMap | None = None

    def __post_init__(self) -> None:
        if self.linear.ndim != 3 or self.linear.shape[2] != 3 or 0 in self.linear.shape:
            raise UsageError(f"A photo needs shape (h, w, 3), not {self.linear.shape}.")
        object.__setattr__(self, "linear", frozen(self.linear))
        check_numbers("photo", self.linear)
        if self.alpha is not None:
            check_same_size("alpha", self.alpha, self.linear)
            object.__setattr__(self, "alpha", frozen(self.alpha))
            check_numbers("alpha", self.alpha)

    @classmethod
    def from_array(
        cls, rgb: Shaped[np.ndarray, "h w *c"], encoded: bool = True, **fields: Any
    ) -> Photo:
        """Wrap an array: (h, w), or (h, w, c) of 1 to 4 channels; uint8, uint16 or float 0..1.

        Two channels are grey and alpha, four are RGB and alpha.

        encoded: values are sRGB-encoded, as in files; False means linear light already.

        Raises:
            UsageError: another shape or dtype, floats 0..255, or values that are no numbers.
        """
        if not isinstance(rgb, np.ndarray) and hasattr(rgb, "getbands"):
            raise UsageError("This is a Pillow image, not an array; give it to pullfocus.load.")
        array = np.asarray(rgb)
        if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
            raise UsageError(f"A photo is uint8, uint16 or float, not {array.dtype}.")
        depth = {"uint8": 8, "uint16": 16}.get(array.dtype.name, 32)
        top = np.float32(1 if depth == 32 else (1 << depth) - 1)
        if array.ndim == 2:
            array = array[..., None]
        if array.ndim != 3 or not 1 <= array.shape[2] <= 4 or 0 in array.shape:
            raise UsageError(f"A photo needs (h, w) or 1 to 4 channels, not shape {array.shape}.")
        if depth == 32 and encoded:
            check_encoded(array)
        grey = array.shape[2] < 3
        colours = 1 if grey else 3
        alpha = array[..., -1].astype(np.float32) / top if array.shape[2] in (2, 4) else None
        colour = array[..., :colours]
        if grey:
            colour = np.repeat(colour, 3, axis=2)
        if not encoded:
            linear = colour.astype(np.float32) / top
        else:
            linear = srgb_to_linear(colour) if depth == 32 else SRGB.decode(colour)
        given = {"bit_depth": depth, "is_grey": grey, "alpha": alpha, **fields}
        return cls(linear=linear, **given)

    @property
    def height(self) -> int:
        """Rows."""
        return self.linear.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.linear.shape[1]

    @property
    def size_hw(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.linear.shape[0], self.linear.shape[1]

    @property
    def megapixels(self) -> float:
        """Pixels in millions."""
        return self.height * self.width / 1e6

    @property
    def encoded(self) -> Shaped[np.ndarray, "h w 3"]:
        """The picture as files hold it: uint8 for 8-bit sources, else uint16, own tone curve."""
        return self.encode(8 if self.bit_depth == 8 else 16)

    def encode(self, bit_depth: Literal[8, 16] = 8) -> Shaped[np.ndarray, "h w 3"]:
        """Encode by the tone curve to uint8 or uint16, clipped to 0..1, rounded to nearest.

        NaN becomes black. Reads a table (`ToneCurve.encode`): 12 MP take about 0.15 s.
        """
        return self.tone_curve.encode(self.linear, bit_depth)

    def with_linear(self, linear: np.ndarray, **fields: Any) -> Photo:
        """Return the same photo with other pixels; metadata, profile and alpha stay."""
        return replace(self, linear=linear, **fields)


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """How near everything is, as disparity, and how far to trust it.

    disparity: float32 (h, w), larger = nearer, finite, >= 0. `metric`: 1/m. `relative`: 0..1 by
        convention, read through the reference scene of `lens.optics` where 1 stands for 1 m.
    uncertainty: float32 (h, w), one standard deviation in the disparity's own unit, or None.
    source: where it comes from, for people: a model id, a file name, "the photo's own depth".
    person: float32 of a size of its own (small: that of the network), 0..1, the probability that a
        person is seen there; None where nobody looked. It covers the same picture.
    salient: the same for the main subject: person, pet or object.
    notes: what people should know of how it was read, one sentence each.

    Convention: upright, aligned with the photo, pixel centres at +0.5.
    """

    disparity: Float32[np.ndarray, "h w"]
    kind: DepthKind = "relative"
    uncertainty: Float32[np.ndarray, "h w"] | None = None
    source: str = "array"
    licence: str | None = None
    person: Float32[np.ndarray, "ph pw"] | None = None
    salient: Float32[np.ndarray, "sh sw"] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_map(self.disparity)
        if self.kind not in ("relative", "metric"):
            raise UsageError(f"Depth is 'relative' or 'metric', not {self.kind!r}.")
        object.__setattr__(self, "disparity", frozen(self.disparity))
        if self.uncertainty is not None:
            check_same_size("uncertainty", self.uncertainty, self.disparity)
            object.__setattr__(self, "uncertainty", frozen(self.uncertainty))
        for name, mask in (("person", self.person), ("salient", self.salient)):
            if mask is not None:
                object.__setattr__(self, name, frozen(mask))

    @classmethod
    def from_disparity(
        cls, disparity: np.ndarray, kind: DepthKind = "relative", **fields: Any
    ) -> DepthMap:
        """Wrap disparity; relative disparity outside 0..1 is scaled linearly into 0..1.

        Its uncertainty is scaled with it.

        Raises:
            UsageError: NaN, infinity, negative metric disparity or a wrong shape.
        """
        d = np.asarray(disparity, dtype=np.float32)
        if not np.isfinite(d).all():
            raise UsageError("The depth map holds NaN or infinity; repair it before use.")
        if kind == "metric" and d.size and float(d.min()) < 0:
            raise UsageError("Metric disparity is 1/m and cannot be negative.")
        if kind == "relative" and d.size and (float(d.min()) < 0 or float(d.max()) > 1):
            low, high = float(d.min()), float(d.max())
            span = max(high - low, 1e-12)
            d = (d - low) / span
            if fields.get("uncertainty") is not None:
                fields["uncertainty"] = np.asarray(fields["uncertainty"]) / span
        return cls(disparity=d, kind=kind, **fields)

    @classmethod
    def from_depth_m(cls, depth_m: np.ndarray, **fields: Any) -> DepthMap:
        """Wrap distances in metres; 0 and infinity mean "as far as it goes" (disparity 0).

        Raises:
            UsageError: NaN, negative distances or a wrong shape.
        """
        z = np.asarray(depth_m, dtype=np.float32)
        if np.isnan(z).any() or (z < 0).any():
            raise UsageError("Depth in metres holds NaN or negative values.")
        known = (z > 0) & np.isfinite(z)
        d = np.divide(1.0, z, out=np.zeros_like(z), where=known)
        return cls(disparity=d, kind="metric", **fields)

    @property
    def depth_m(self) -> Float32[np.ndarray, "h w"]:
        """Distance in metres (infinity where disparity is 0).

        Raises:
            UsageError: the depth is relative and has no metres.
        """
        if self.kind != "metric":
            raise UsageError("This depth is relative: it has an order but no metres.")
        out = np.full(self.disparity.shape, np.inf, np.float32)
        return np.divide(np.float32(1), self.disparity, out=out, where=self.disparity > 0)

    @property
    def size_hw(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.disparity.shape[0], self.disparity.shape[1]

    def at(self, x: float, y: float) -> float:
        """Disparity at a point given in fractions 0..1, from the pixel that holds it.

        Raises:
            UsageError: a point outside the picture, or not a number.
        """
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            raise UsageError(
                f"The point {x:g},{y:g} lies outside the picture: both numbers are fractions from "
                "0 (left, top) to 1 (right, bottom)."
            )
        h, w = self.size_hw
        return float(self.disparity[min(int(y * h), h - 1), min(int(x * w), w - 1)])


@dataclass(frozen=True, slots=True)
class Focus:
    """Where the picture is sharp: a plane, or a range from `far_disparity` to `near_disparity`.

    disparity: of the plane, in the depth map's own unit; inside the range when there is one.
    x, y: the chosen point in fractions, None when a distance was chosen.
    chosen: in words, how it was chosen ("point", "face", "nearest region", "distance").
    """

    disparity: float
    near_disparity: float | None = None
    far_disparity: float | None = None
    x: float | None = None
    y: float | None = None
    chosen: str = "point"

    def __post_init__(self) -> None:
        if not np.isfinite(self.disparity) or self.disparity < 0:
            raise UsageError(f"A focus needs a finite disparity >= 0, not {self.disparity}.")
        near, far = self.near_disparity, self.far_disparity
        if (near is None) != (far is None):
            raise UsageError("A sharp range needs both its ends.")
        if near is not None and far is not None and not far <= self.disparity <= near:
            raise UsageError("The sharp range must contain the focus and run from near to far.")

    @classmethod
    def at_distance_m(cls, distance_m: float) -> Focus:
        """Focus on a distance in metres; only metric depth can be rendered with it.

        Raises:
            UsageError: the distance is not positive.
        """
        if not distance_m > 0:
            raise UsageError(f"A focus distance is positive metres, not {distance_m}.")
        return cls(disparity=1.0 / distance_m, chosen="distance")

    def checked_for(self, depth: DepthMap) -> Focus:
        """Return the focus unchanged if it can be used with this depth.

        Raises:
            UsageError: a distance in metres with depth that has no metres.
        """
        if self.chosen == "distance" and depth.kind != "metric":
            raise UsageError(
                "This depth is relative and has no metres, so a distance means nothing in it: "
                "choose a point with --at, or a metric model with --model."
            )
        return self

    def with_range(self, near_disparity: float, far_disparity: float) -> Focus:
        """Return the same focus with a sharp range, widened to contain the plane if needed."""
        return replace(
            self,
            near_disparity=max(near_disparity, far_disparity, self.disparity),
            far_disparity=min(near_disparity, far_disparity, self.disparity),
        )


@dataclass(frozen=True, slots=True)
class Lens:
    """A thin lens and the shape of its aperture.

    f_number: focal length / aperture diameter. The radius of blur is proportional to 1/f_number.
    focal_length_mm, sensor_width_mm: None takes the camera's (full-frame equivalent) with metric
        depth, and the reference scene's 50 mm on 36 mm with relative depth; see `lens.optics`.
    blades: 0 is round; 5..9 straight or rounded edges. rotation_deg turns them, roundness 0..1
        bends them to the circle.
    cats_eye: 0..1, mechanical vignetting of the aperture towards the corners.
    squeeze: anamorphic ratio; 2 gives discs twice as high as wide, 1 is spherical.
    ring: 0..0.9, radius of the central obstruction of a mirror lens, as a share of the aperture.
    edge_softness: -1 (hard rim, over-corrected) .. 0 (flat disc) .. 1 (soft, under-corrected).
    highlights: 0..1, how strongly the energy of clipped lights is rebuilt.
    """

    f_number: float = 1.8
    focal_length_mm: float | None = None
    sensor_width_mm: float | None = None
    blades: int = 0
    rotation_deg: float = 0.0
    roundness: float = 0.0
    cats_eye: float = 0.0
    squeeze: float = 1.0
    ring: float = 0.0
    edge_softness: float = 0.0
    highlights: float = 0.5

    def __post_init__(self) -> None:
        limits = {
            "f_number": (0.5, 256.0),
            "rotation_deg": (-360.0, 360.0),
            "roundness": (0.0, 1.0),
            "cats_eye": (0.0, 1.0),
            "squeeze": (0.25, 4.0),
            "ring": (0.0, 0.9),
            "edge_softness": (-1.0, 1.0),
            "highlights": (0.0, 1.0),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"{name} lies between {low:g} and {high:g}, not {value}.")
        if self.blades not in (0, 5, 6, 7, 8, 9):
            raise UsageError(f"An aperture has 0 (round) or 5 to 9 blades, not {self.blades}.")
        for name in ("focal_length_mm", "sensor_width_mm"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 10000:
                raise UsageError(f"{name} must be a positive number of millimetres, not {value}.")

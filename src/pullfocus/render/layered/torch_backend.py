"""`fast` on torch tensors: the same bands, composed the same way, on CUDA, MPS or the CPU.

torch was chosen over a shader because one text runs on every accelerator and, slowly, on none;
the browser has its own shaders. Both surfaces of every pixel are found once by the same compiled
code as in `fast` (they do not depend on the focus); a focus setting is then a few hundred tensor
operations: share, reduce, convolve, enlarge, compose. torch is the `[huggingface]` or `[lab]`
extra and is imported here only when used.

A cat's eye, whose kernel changes over the picture, is left to `fast`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from pullfocus.errors import MissingModelError, UsageError
from pullfocus.lens.aperture import aperture_kernel
from pullfocus.render.layered import layers
from pullfocus.render.layered.blur_levels import ladder_index, reduced_radius_px, rung_level
from pullfocus.render.layered.composite_kernels import GAP, SHARP_RUNGS
from pullfocus.render.layered.highlight_recovery import find_lights
from pullfocus.render.layered.highlight_splats import Discs, Lamps, place_lamps
from pullfocus.render.layered.renderer import EDGE_STEP_PX, plan_blur, read_only
from pullfocus.types import Lens

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class SceneOnDevice:
    """Both surfaces of every pixel on a device, padded; what `fast.PreparedScene` is to the CPU."""

    planes: torch.Tensor
    disparity1: torch.Tensor
    disparity2: torch.Tensor
    lamps: Lamps
    size_hw: tuple[int, int]
    pad: int


def upload_scene(
    linear: Float32[np.ndarray, "h w 3"],
    disparity: Float32[np.ndarray, "h w"],
    gain_px: float,
    reach_px: float,
    highlights: float = 0.0,
    device: str = "cuda",
) -> SceneOnDevice:
    """Find both surfaces on the CPU and copy them to `device`.

    Args:
        gain_px: blur radius per unit of disparity, as in `fast.PreparedScene`.
        reach_px: the largest blur radius that will be asked for.

    Raises:
        MissingModelError: torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingModelError(
            "Rendering on the GPU needs torch: pip install 'pullfocus[lab]'."
        ) from error

    h, w = disparity.shape
    plan = plan_blur((h, w), reach_px)
    step = EDGE_STEP_PX / max(gain_px, 1e-9)
    linear, disparity = read_only(linear), read_only(disparity)
    span = float(disparity.max() - disparity.min())
    hidden = layers.find_hidden_surface(linear, disparity, step, gain_px * span)
    lights = find_lights(linear, highlights)
    rows, columns = (-(-n // plan.align) * plan.align for n in (h, w))
    block = layers.make_block(
        linear, disparity, hidden, lights, step, (0, 0), (rows, columns), plan.pad
    )
    return SceneOnDevice(
        planes=torch.from_numpy(block.planes).to(device),
        disparity1=torch.from_numpy(block.disparity1).to(device),
        disparity2=torch.from_numpy(block.disparity2).to(device),
        lamps=block.lamps,
        size_hw=(h, w),
        pad=plan.pad,
    )


def render_on_device(
    scene: SceneOnDevice, gain_px: float, near: float, far: float, lens: Lens
) -> torch.Tensor:
    """Render one focus setting; radius = gain_px * (disparity beyond the sharp range far..near).

    Returns:
        float32 (3, h, w) linear light on the scene's device.

    Raises:
        UsageError: the lens has a cat's eye.
    """
    import torch

    if lens.cats_eye > 0:
        raise UsageError("A cat's eye is rendered on the CPU only; leave the GPU out for it.")
    place1 = _signed_place(scene.disparity1, gain_px, near, far)
    place2 = _signed_place(scene.disparity2, gain_px, near, far)
    floors = torch.cat([place1.floor().flatten(), place2.floor().flatten()])
    rungs = (
        torch.unique(torch.cat([floors, floors + 1])).int().tolist()
    )  # the one wait for the device
    height, width = place1.shape
    discs = _discs(scene, (min(rungs), max(rungs) - min(rungs) + 1), gain_px, near, far, lens)
    state = _Composition(torch.zeros((13, height, width), device=place1.device))
    previous = None
    for rung in reversed(rungs):
        layer = _share_of_band(scene.planes, place1, place2, rung)
        closes = previous != rung + 1 or abs(rung) <= SHARP_RUNGS
        light = _lamps_of_band(discs, rung - min(rungs), layer)
        state.add(_blurred(layer, rung, lens), light, closes)
        previous = rung
    h, w = scene.size_hw
    return state.picture()[:, scene.pad : scene.pad + h, scene.pad : scene.pad + w]


def _signed_place(disparity: torch.Tensor, gain_px: float, near: float, far: float) -> torch.Tensor:
    """`bands.ladder_index` with the radius' sign, by a table."""
    import torch

    steps = 32
    radius = gain_px * ((disparity - near).clamp(min=0) + (disparity - far).clamp(max=0))
    top = int(float(radius.abs().max()) * steps) + 3
    table = torch.from_numpy(ladder_index(np.arange(top) / steps)).to(disparity.device)
    at = radius.abs() * steps
    k = at.long().clamp(max=top - 2)
    place = table[k] + (table[k + 1] - table[k]) * (at - k)
    return torch.copysign(place, radius)


def _discs(
    scene: SceneOnDevice,
    bands: tuple[int, int],
    gain_px: float,
    near: float,
    far: float,
    lens: Lens,
) -> Discs:
    """Place the lamps on the CPU: they are few."""
    disparity = scene.lamps.disparity
    radius = gain_px * (np.maximum(disparity - near, 0) + np.minimum(disparity - far, 0))
    place = np.copysign(ladder_index(np.abs(radius)), radius)
    return place_lamps(scene.lamps, place, bands, lens, (-scene.pad, -scene.pad), scene.size_hw)


def _lamps_of_band(discs: Discs, band: int, layer: torch.Tensor) -> torch.Tensor | None:
    """Draw a band's discs, as `lamp_kernels.draw_lamps` does: (3, H, W), None without any."""
    import torch

    lamps = slice(discs.start[band], discs.start[band + 1])
    kernels = discs.kernel[lamps]
    if not len(kernels):
        return None
    taps = discs.first_tap[kernels + 1] - discs.first_tap[kernels]
    lamp = np.repeat(np.arange(len(kernels)), taps)
    tap = np.arange(len(lamp)) + np.repeat(discs.first_tap[kernels] - np.cumsum(taps) + taps, taps)
    _, height, width = layer.shape
    y, x = discs.y[lamps][lamp] - discs.dy[tap], discs.x[lamps][lamp] - discs.dx[tap]
    inside = (y < height) & (x >= 0) & (x < width)
    colour = discs.colour[lamps][lamp[inside]].astype(np.float64) * discs.weight[tap[inside], None]
    # sums down the columns need float64 (see `bands.column_sum_taps`), which MPS does not have
    device = "cpu" if layer.device.type == "mps" else layer.device
    where = torch.from_numpy((np.maximum(y, 0) * width + x)[inside]).to(device)
    light = torch.zeros((3, height * width), device=device, dtype=torch.float64)
    light.index_add_(1, where, torch.from_numpy(colour.T.copy()).to(device))
    light = light.view(3, height, width).cumsum(dim=1).clamp(min=0)
    return light.float().to(layer.device)


def _share_of_band(
    planes: torch.Tensor, place1: torch.Tensor, place2: torch.Tensor, rung: int
) -> torch.Tensor:
    """The five channels of one band at full size, as in `tile_kernels`."""
    import torch

    front = (1 - (place1 - rung).abs()).clamp(min=0)
    back = (1 - (place2 - rung).abs()).clamp(min=0)
    alpha, exists = planes[3], planes[7]
    front = front * alpha
    seen = back * (1 - alpha)
    hidden = back * alpha * exists * (place1 - place2 - 1).clamp(0, 1)
    colour = front * planes[0:3] + (seen + hidden) * planes[4:7]
    return torch.cat([colour, (front + seen)[None], hidden[None]])


def _blurred(layer: torch.Tensor, rung: int, lens: Lens) -> torch.Tensor:
    """Reduce, convolve with the aperture and enlarge again: (5, H, W)."""
    import torch
    from torch.nn import functional

    if rung == 0:
        return layer
    level = rung_level(abs(rung))
    kernel = torch.from_numpy(
        aperture_kernel(reduced_radius_px(abs(rung)), lens, (0.0, 0.0), rung > 0)
    )
    half = kernel.shape[0] // 2
    weight = kernel.to(layer.device).expand(5, 1, -1, -1)
    small = functional.avg_pool2d(layer[None], 1 << level) if level else layer[None]
    with _full_precision():
        small = functional.conv2d(small, weight, padding=half, groups=5)
    if not level:
        return small[0]
    return functional.interpolate(
        small, scale_factor=float(1 << level), mode="bilinear", align_corners=False
    )[0]


def _full_precision() -> AbstractContextManager[None]:
    """Convolve in float32: TF32, cuDNN's default, keeps three digits."""
    import torch

    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)  # type: ignore[no-any-return]


class _Composition:
    """Bands from near to far; the channels of `state` are those of `tile_kernels._compose`."""

    def __init__(self, state: torch.Tensor) -> None:
        self._state = state
        self._state[3] = 1.0

    def add(self, band: torch.Tensor, light: torch.Tensor | None, closes: bool) -> None:
        """Put one blurred band, and the light of its lamps, behind all that came before."""
        import torch

        state, seen, hidden = self._state, band[3], band[4]
        per_coverage = 1 / (seen + hidden).clamp(min=1e-6)
        self._close((seen < GAP) | closes)
        state[8:11] += seen * per_coverage * band[0:3]
        state[11] += seen
        if light is not None:
            state[8:11] += light
        filled = torch.minimum(1 - state[12], hidden)
        state[12] = (state[12] + seen + hidden).clamp(max=1)
        state[4:7] += filled * per_coverage * band[0:3]
        state[7] += filled

    def _close(self, where: torch.Tensor) -> None:
        """Let the collected surface take its light, as far as there is any left."""
        import torch

        state = self._state
        taken = torch.minimum(state[3], state[11]) * where
        state[0:3] += taken / state[11].clamp(min=1e-6) * state[8:11]
        state[3] -= taken
        state[8:12] *= ~where

    def picture(self) -> torch.Tensor:
        """Give light that nothing took to the hidden surface, or share it out: (3, H, W)."""
        import torch

        state = self._state
        self._close(torch.ones_like(state[3], dtype=torch.bool))
        filled = state[0:3] + state[3] / state[7].clamp(min=1e-4) * state[4:7]
        shared = state[0:3] / (1 - state[3]).clamp(min=1e-4)
        return torch.where(state[7] > 1e-4, filled, shared)

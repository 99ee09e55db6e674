"""From a decoded frame to upright R'G'B' codes and back: range, matrix, chroma, turns."""

from __future__ import annotations

from dataclasses import dataclass, field

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import Shaped

from pullfocus.video.media.reader import VideoInfo

_QUICK, _SMOOTH, _WHOLE, _ACCURATE = 0x2, 0x4, 0x2000, 0x40000
"""Bilinear and bicubic chroma, chroma at full width, accurate rounding. Source:
libswscale/swscale.h."""
_DEPTH_OF_RGB = {8: ("rgb24", "rgba"), 16: ("rgb48le", "rgba64le")}


@dataclass(frozen=True, slots=True)
class FrameConverter:
    """The way of every frame of one video; `pix_fmt` is what the encoder takes.

    quick: to codes in half the time, for previews: they differ by one here and there.

    Codes are uint8 for 8-bit sources, else uint16, with 3 channels or, with alpha, 4.
    Each of the two ways is gone by one thread at a time.
    """

    info: VideoInfo
    pix_fmt: str
    quick: bool = False
    _inwards: VideoReformatter = field(default_factory=VideoReformatter, init=False)
    _outwards: VideoReformatter = field(default_factory=VideoReformatter, init=False)

    @property
    def bit_depth(self) -> int:
        """8 or 16: bits of the codes between the two ways."""
        return 8 if self.info.bit_depth <= 8 else 16

    @property
    def _way_to_codes(self) -> int:
        """Bilinear chroma takes half the time, at 8 bits only: deeper, swscale gets colours wrong.

        Luma comes back to 92 dB either way, and to 47 without accurate rounding.
        """
        if self.bit_depth > 8:
            return _SMOOTH | _WHOLE | _ACCURATE
        return _QUICK if self.quick else _QUICK | _WHOLE | _ACCURATE

    def to_codes(self, frame: av.VideoFrame) -> Shaped[np.ndarray, "h w c"]:
        """Turn a frame into upright codes; a frame of another size is brought to the first's."""
        h, w = self.info.size_hw
        matrix = self.info.tags.swscale_matrix(h)
        rgb = self._inwards.reformat(
            frame, w, h, _DEPTH_OF_RGB[self.bit_depth][self.info.has_alpha],
            src_colorspace=matrix, src_color_range=self.info.tags.range_code,
            dst_colorspace=matrix, dst_color_range=2,
            interpolation=self._way_to_codes, threads=1,
        )  # fmt: skip
        return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), self.info.quarter_turns))

    def to_frame(self, codes: Shaped[np.ndarray, "h w c"]) -> av.VideoFrame:
        """Turn upright codes into a frame as the encoder takes it, with the source's tags."""
        tags = self.info.tags
        stored = np.ascontiguousarray(np.rot90(codes, -self.info.quarter_turns))
        h, w = stored.shape[:2]
        name = _DEPTH_OF_RGB[8 * stored.itemsize][stored.shape[2] == 4]
        matrix = tags.swscale_matrix(self.info.size_hw[0])
        frame = self._outwards.reformat(
            av.VideoFrame.from_numpy_buffer(stored, name), w, h, self.pix_fmt,
            src_colorspace=matrix, src_color_range=2,
            dst_colorspace=matrix, dst_color_range=tags.range_code,
            interpolation=_SMOOTH | _ACCURATE, threads=1,
        )  # fmt: skip
        frame.colorspace, frame.color_range = tags.matrix or matrix, tags.range_code
        frame.color_trc, frame.color_primaries = tags.transfer, tags.primaries
        return frame

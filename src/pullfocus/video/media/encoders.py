"""Which encoder writes the video: by the wish, the container and the bits per channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pullfocus.errors import UsageError
from pullfocus.pipeline.naming import fitted
from pullfocus.video.media.reader import VideoInfo

CodecName = Literal["h264", "h265", "prores", "vp9", "av1"]
CODECS: tuple[CodecName, ...] = get_args(CodecName)
SUFFIXES: dict[str, tuple[CodecName, ...]] = {
    ".mp4": ("h264", "h265", "av1", "vp9"),
    ".m4v": ("h264", "h265"),
    ".mov": ("h264", "h265", "prores"),
    ".mkv": ("h264", "h265", "av1", "vp9", "prores"),
    ".webm": ("vp9", "av1"),
}
"""What each container holds, the one that is written unless asked otherwise first."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of this machine and how it is asked to work.

    formats: pixel formats by (chroma, bits, alpha), from the plainest on.
    fast: options of a preview.
    quality: name of its quality option and the value that looks like the source.
    holds_odd_sizes: also with halved colour; H.264 and H.265 need whole colour then (4:4:4).
    """

    name: CodecName
    library: str
    formats: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    fast: dict[str, str] = field(default_factory=dict)
    quality: tuple[str, int] | None = None
    holds_odd_sizes: bool = True
    tag: str | None = None


_YUV = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
ENCODERS: dict[CodecName, Encoder] = {
    "h264": Encoder(
        "h264",
        "libx264",
        _YUV,
        {"preset": "veryfast"},
        fast={"preset": "ultrafast"},
        quality=("crf", 18),
        holds_odd_sizes=False,
    ),
    "h265": Encoder(
        "h265",
        "libx265",
        (*_YUV, "yuv420p12le", "yuv422p12le", "yuv444p12le"),
        {"preset": "veryfast", "x265-params": "log-level=error"},
        fast={"preset": "ultrafast"},
        quality=("crf", 20),
        holds_odd_sizes=False,
        tag="hvc1",
    ),
    "prores": Encoder(
        "prores", "prores_ks", ("yuv422p10le", "yuv444p10le", "yuva444p10le"), {"vendor": "apl0"}
    ),
    "vp9": Encoder(
        "vp9",
        "libvpx-vp9",
        ("yuv420p", "yuv422p", "yuv444p"),
        {"deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
        fast={"cpu-used": "8"},
        quality=("crf", 24),
    ),
    "av1": Encoder(
        "av1",
        "libsvtav1",
        ("yuv420p", "yuv420p10le"),
        {"preset": "8"},
        fast={"preset": "12"},
        quality=("crf", 24),
    ),
}


@dataclass(frozen=True, slots=True)
class EncodingPlan:
    """The encoder, its pixel format and options; with what gets lost, in words."""

    encoder: Encoder
    pix_fmt: str
    options: dict[str, str]
    notes: tuple[str, ...] = ()


def plan_encoding(
    info: VideoInfo,
    suffix: str,
    codec: str | None = None,
    quality: int | None = None,
    fast: bool = False,
) -> EncodingPlan:
    """Choose encoder and pixel format; bits per channel are kept or it is said that they cannot be.

    quality: the encoder's own scale (CRF: smaller is better); its default when None.

    Raises:
        UsageError: no such codec or container, or they do not go together, or the codec cannot
            hold the source's 10 bits.
    """
    encoder = _choose(info, suffix.lower(), codec)
    alpha = info.has_alpha and any(name.startswith("yuva") for name in encoder.formats)
    odd = any(side % 2 for side in info.size_hw) and not encoder.holds_odd_sizes
    pix_fmt = _nearest_format(encoder, "444" if odd else info.chroma, info.bit_depth, alpha)
    options = encoder.options | (encoder.fast if fast else {})
    if encoder.quality is not None:
        options[encoder.quality[0]] = str(quality if quality is not None else encoder.quality[1])
    notes = []
    if info.has_alpha and not pix_fmt.startswith("yuva"):
        notes.append(
            f"{encoder.name} keeps no transparency: the picture is opaque "
            "(--codec prores, in .mov or .mkv, keeps it)."
        )
    if info.interlaced:
        notes.append("The video is interlaced and was taken frame by frame: deinterlace it first.")
    if info.bit_depth > bits_of(pix_fmt):
        notes.append(f"{info.bit_depth} bits per channel became {bits_of(pix_fmt)}.")
    return EncodingPlan(encoder, pix_fmt, options, tuple(notes))


def bits_of(pix_fmt: str) -> int:
    """Return the bits per channel of a pixel format that an encoder takes."""
    return 12 if "12le" in pix_fmt else 10 if "10le" in pix_fmt else 8


def default_output(video: Path, folder: Path | None = None) -> Path:
    """Name the output of a video: `clip.mov` -> `clip.refocused.mov`, unknown kinds as .mp4."""
    suffix = video.suffix if video.suffix.lower() in SUFFIXES else ".mp4"
    return fitted((folder or video.parent) / f"{video.stem}.refocused{suffix}")


def _choose(info: VideoInfo, suffix: str, codec: str | None) -> Encoder:
    if suffix not in SUFFIXES:
        raise UsageError(
            f"Videos are written as {', '.join(SUFFIXES)}, not {suffix or 'a file without suffix'}."
        )
    fitting = SUFFIXES[suffix]
    if codec is None:
        return ENCODERS[min(fitting, key=lambda name: _losses(ENCODERS[name], info))]
    if codec not in ENCODERS:
        raise UsageError(f"There is no codec {codec!r}; choose one of {', '.join(CODECS)}.")
    encoder = ENCODERS[codec]  # type: ignore[index]
    if encoder.name not in fitting:
        raise UsageError(f"{codec} does not go into {suffix}; {suffix} holds {', '.join(fitting)}.")
    most = max(bits_of(name) for name in encoder.formats)
    if min(info.bit_depth, 10) > most:
        raise UsageError(
            f"The video has {info.bit_depth} bits per channel and {codec} writes {most} here; "
            "choose --codec h264, h265, av1 or prores, which keep 10."
        )
    return encoder


def _losses(encoder: Encoder, info: VideoInfo) -> tuple[bool, ...]:
    """Say what an encoder would lose, the worst first: bits, transparency, players."""
    deep = any(bits_of(name) >= min(info.bit_depth, 10) for name in encoder.formats)
    clear = not info.has_alpha or any(name.startswith("yuva") for name in encoder.formats)
    seldom_played = info.bit_depth > 8 and encoder.name == "h264"
    return not deep, not clear, seldom_played


def _nearest_format(encoder: Encoder, chroma: str, bits: int, alpha: bool) -> str:
    """Choose the format that loses least: alpha, then bits, then colour; then the smallest."""

    def loss(name: str) -> tuple[int, ...]:
        has = bits_of(name)
        sampling = int(name.lstrip("yuva")[:3])
        return (
            int(alpha != name.startswith("yuva")),
            max(0, bits - has),
            max(0, int(chroma) - sampling),
            has - bits,
            sampling,
        )

    return min(encoder.formats, key=loss)

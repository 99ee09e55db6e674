"""Real clips, made by the tests with real codecs: a bright disc walks over a textured ground."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from pullfocus.depth import find_card
from pullfocus.depth.estimator import RawDepth

av = pytest.importorskip("av", reason="video needs the [video] extra")

TICKS = Fraction(1, 12800)
SMALL_WH = (320, 180)
UNEVEN = (0, 512, 1031, 1540, 2500, 3011, 3500, 4090)
"""Timestamps of a variable frame rate, in TICKS."""
MakeClip = Callable[..., Path]


def picture(number: int, size_hw: tuple[int, int] = (48, 64), channels: int = 3) -> np.ndarray:
    """Draw one frame, uint16: a ground of soft waves, a disc that goes to the right."""
    h, w = size_hw
    y, x = np.mgrid[:h, :w]
    ground = 18000 + 9000 * np.sin(x / 3.0) * np.cos(y / 4.0)
    rgb = np.stack([ground, 0.9 * ground, 0.7 * ground], axis=2)
    disc = (x - w * (0.3 + 0.03 * number)) ** 2 + (y - h * 0.6) ** 2 < (0.2 * h) ** 2
    rgb[disc] = (52000, 40000, 30000)
    if channels == 4:
        rgb = np.dstack([rgb, np.where(disc, 65535, 20000)])
    return rgb.astype(np.uint16)


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Return a maker of clips; audio is a sine, as long as the pictures or `sound_s`."""

    def make(
        name: str = "clip.mp4",
        *,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        size_hw: tuple[int, int] = (48, 64),
        times: Sequence[int] = tuple(range(0, 8 * 512, 512)),
        audio: str | None = "aac",
        sound_s: float | None = None,
        turn_deg: int | None = None,
        tags: tuple[int, int, int] | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as out:
            stream = out.add_stream(codec, rate=25, options=options or {})
            context = stream.codec_context
            stream.height, stream.width = size_hw
            stream.pix_fmt, context.time_base = pix_fmt, TICKS
            if tags:
                context.color_primaries, context.color_trc, context.colorspace = tags
                context.color_range = 1
            if turn_deg is not None:
                stream.set_display_rotation(turn_deg)
            sound = out.add_stream(audio, rate=48000, layout="mono") if audio else None
            matrix = tags[2] if tags else 5
            alpha = "a" in pix_fmt and pix_fmt != "gray"
            for number, time in enumerate(times):
                source = picture(number, size_hw, 4 if alpha else 3)
                frame = av.VideoFrame.from_ndarray(source, "rgba64le" if alpha else "rgb48le")
                frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=1)
                frame.pts, frame.time_base = time, TICKS
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if sound is not None:
                add_sine(out, sound, sound_s or float(times[-1] * TICKS) + 0.04)
        return path

    return make


def add_sine(out: Any, sound: Any, seconds: float) -> None:
    """Encode a tone into a stream, to its end."""
    wave = np.sin(np.arange(int(48000 * seconds)) * 0.05).astype(np.float32)[None]
    for start in range(0, wave.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(wave[:, start : start + 1024].copy(), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, start
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))


class Facts:
    """What a finished clip says, read by PyAV alone."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as clip:
            stream = clip.streams.video[0]
            context = stream.codec_context
            self.codec, self.pix_fmt = context.name, context.pix_fmt
            self.container_tags = (context.color_primaries, context.color_trc, context.colorspace)
            frames = list(clip.decode(stream))
            self.times = [frame.pts * frame.time_base for frame in frames]
            self.size_hw = (frames[0].height, frames[0].width) if frames else (0, 0)
            self.rotation = frames[0].rotation if frames else 0
            self.frames = [_array(frame) for frame in frames]
        self.copied = {kind: _packets(path, kind) for kind in ("audio", "subtitles")}


def _array(frame: Any) -> np.ndarray:
    depth = max(part.bits for part in frame.format.components)
    alpha = any(part.is_alpha for part in frame.format.components)
    name = ("rgba64le" if alpha else "rgb48le") if depth > 8 else ("rgba" if alpha else "rgb24")
    return frame.to_ndarray(format=name)


def _packets(path: Path, kind: str) -> list[tuple[Any, ...]]:
    with av.open(str(path)) as clip:
        streams = list(getattr(clip.streams, kind))
        return [
            (packet.pts * packet.time_base, packet.duration * packet.time_base, bytes(packet))
            for packet in (clip.demux(streams) if streams else ())
            if packet.pts is not None
        ]


@pytest.fixture
def facts() -> type[Facts]:
    """Return the reader of finished clips."""
    return Facts


def encode_small(path: Path, pictures: Iterable[np.ndarray]) -> Path:
    """Encode pictures of 320x180, five a second, whose colours stay what they are."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=5, options={"crf": "12"})
        stream.width, stream.height = SMALL_WH
        stream.pix_fmt = "yuv444p"
        for rgb in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(name="encode_small")
def _encode_small() -> Callable[..., Path]:
    return encode_small


class RedCoats:
    """Clips of people in red coats before a street of nothing red, and an estimator for them.

    A person is (left, top, height) in pixels of SMALL_WH, a third as wide as high; coats differ.
    """

    id = "sees red"

    def __init__(self) -> None:
        from pullfocus.samples import SAMPLES

        self.card = find_card()
        found = next(sample.path for sample in SAMPLES if sample.path.stem == "street")
        street = cv2.resize(cv2.imread(str(found)), SMALL_WH, interpolation=cv2.INTER_AREA)
        self._street = np.ascontiguousarray(street[..., ::-1]) // 2

    def picture(self, *people: tuple[int, int, int] | None) -> np.ndarray:
        picture = self._street.copy()
        for number, person in enumerate(people):
            if person is not None:
                left, top, height = person
                pattern = np.random.default_rng(number).integers(120, 255, (10, 4)).astype(np.uint8)
                coat = cv2.resize(pattern, (height // 3, height), interpolation=cv2.INTER_NEAREST)
                part = picture[top : top + height, left : left + height // 3]
                part[:] = np.dstack([coat, coat // 6, coat // 6])[: part.shape[0], : part.shape[1]]
        return picture

    clip = staticmethod(encode_small)

    def inside(self, rgb: np.ndarray) -> np.ndarray:
        """Find coats by their colour."""
        red, green, blue = (rgb[..., i].astype(int) for i in range(3))
        return cv2.medianBlur(((red > 2 * green) & (red > 2 * blue)).astype(np.uint8), 5) > 0

    def estimate(self, rgb: np.ndarray) -> RawDepth:
        """Answer as networks do: people lean, their heads are far and their feet near."""
        small = cv2.resize(rgb, (128, 72), interpolation=cv2.INTER_AREA)
        ramp = np.repeat(np.linspace(0.1, 0.9, 72, dtype=np.float32)[:, None], 128, axis=1)
        person = self.inside(small).astype(np.float32)
        return RawDepth(ramp + 0.1 * person, "relative_disparity", person)


@pytest.fixture
def red_coats(monkeypatch) -> RedCoats:
    """Return a maker of clips of people; pullfocus estimates depth by its estimator."""
    coats = RedCoats()
    monkeypatch.setattr("pullfocus.depth.open_estimator", lambda _, **__: coats)
    return coats


PLANE_HW = (216, 384)


def texture(seed: int, hw: tuple[int, int] = PLANE_HW) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(*hw, 3)), (0, 0), 2)
    return np.clip(128 + 220 * noise / np.abs(noise).max(), 0, 255).astype(np.uint8)


def moving_plane(
    count: int, seed: int = 0, panel_from: int = 0, nearness: float = 0.6, nearer: float = 0.01
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return frames and exact disparity: a panel comes nearer, and larger, before a wall."""
    wall, panel = texture(seed, (PLANE_HW[0], PLANE_HW[1] + 100)), texture(seed + 1, (90, 90))
    slant = np.repeat(
        np.linspace(0.1, 0.5, PLANE_HW[0], dtype=np.float32)[:, None], PLANE_HW[1], axis=1
    )
    out = []
    for t in range(count):
        rgb, disparity = wall[:, t : t + PLANE_HW[1]].copy(), slant.copy()
        if t >= panel_from:
            near = nearness + nearer * t
            half = round(45 * near / nearness)
            x = 105 + 5 * t
            place = (slice(105 - half, 105 + half), slice(x - half, x + half))
            rgb[place] = cv2.resize(panel, (2 * half, 2 * half), interpolation=cv2.INTER_AREA)
            disparity[place] = near
        out.append((rgb, disparity))
    return out


class Flickering:
    """An estimator that knows the truth but changes its scale, shift and mood every frame."""

    id = "flickering"
    card = find_card()

    def __init__(self, clip: list[tuple[np.ndarray, np.ndarray]], wobble: float = 0.1) -> None:
        self._truth = {rgb.tobytes(): (t, truth) for t, (rgb, truth) in enumerate(clip)}
        self._wobble = wobble
        self.calls = 0

    def estimate(self, rgb: np.ndarray) -> RawDepth:
        self.calls += 1
        t, truth = self._truth[rgb.tobytes()]
        rng = np.random.default_rng(t)
        blotches = cv2.resize(
            rng.normal(size=(9, 16)), PLANE_HW[::-1], interpolation=cv2.INTER_CUBIC
        )
        gain, shift = 1 + self._wobble * rng.uniform(-1, 1, 2)
        values = gain * truth + shift - 1 + 0.2 * self._wobble * blotches
        return RawDepth(values.astype(np.float32), "relative_disparity")


class Judged(NamedTuple):
    """Maps in the truth's unit; change from frame to frame that it does not have; mean error."""

    maps: np.ndarray
    flicker: float
    error: float


def judge(outputs: Sequence[np.ndarray], clip: Sequence[tuple[np.ndarray, np.ndarray]]) -> Judged:
    """Compare maps with the truth after one fit for the whole clip (the protocols' TAE does so)."""
    found, truth = np.stack(outputs), np.stack([exact for _, exact in clip])
    gain, shift = np.polyfit(found.ravel().astype(np.float64), truth.ravel(), 1)
    wrong = gain * found + shift - truth
    flicker = float(np.abs(np.diff(wrong, axis=0)).mean())
    return Judged(truth + wrong, flicker, float(np.abs(wrong).mean()))


@pytest.fixture(name="moving_plane")
def _moving_plane() -> Callable[..., list[tuple[np.ndarray, np.ndarray]]]:
    return moving_plane


@pytest.fixture
def flickering() -> type[Flickering]:
    """Return the estimator that knows the truth of a clip and flickers."""
    return Flickering


@pytest.fixture
def judged() -> Callable[..., Judged]:
    """Return the judge of maps against the truth of a clip."""
    return judge

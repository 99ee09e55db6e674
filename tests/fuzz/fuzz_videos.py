"""Good videos of a few frames, and playlists, which must never be opened."""

from __future__ import annotations

import functools
import io
import itertools
from fractions import Fraction

import numpy as np
from fuzz_damage import Chance, damaged_bytes, mixed

H, W, FRAMES = 48, 64, 6
PLAYLISTS = {
    "list.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n",
    "list.ffconcat": b"ffconcat version 1.0\nfile '/etc/hostname'\nduration 1\n",
    "list.mpd": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
    b"<BaseURL>file:///etc/hostname</BaseURL></Period></MPD>",
    "list.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    "list.mp4": b"\xef\xbb\xbf \n#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
}
KINDS = {
    "some.mp4": ("libx264", "aac", {}),
    "parts.mp4": ("libx264", None, {"movflags": "frag_keyframe+empty_moov"}),
    "hevc.mov": ("libx265", "pcm_s16le", {}),
    "some.webm": ("libvpx-vp9", "libopus", {}),
    "some.mkv": ("libx264", "flac", {}),
    "some.avi": ("mpeg4", "libmp3lame", {}),
    "some.ts": ("mpeg2video", "mp2", {}),
    "some.gif": ("gif", None, {}),
}


@functools.cache
def video_seeds() -> dict[str, bytes]:
    """Return the bytes of each video by its name."""
    return {name: _video(name, *kind) for name, kind in KINDS.items()}


def _video(name: str, codec: str, sound: str | None, options: dict[str, str]) -> bytes:
    import av

    out = io.BytesIO()
    out.name = name
    encoder = {"x265-params": "log-level=none"} if codec == "libx265" else {"threads": "1"}
    with av.open(out, "w", options=options) as container:
        video = container.add_stream(codec, rate=12, options=encoder)
        video.width, video.height = W, H
        video.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        audio = container.add_stream(sound, rate=48000) if sound else None
        noise = np.random.default_rng(5).integers(0, 255, (H, W, 3), np.uint8)
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, 3 * number, 1), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for packet in _sound(audio) if audio else ():
            container.mux(packet)
    return out.getvalue()


def _sound(audio):
    import av

    layout, form = audio.codec_context.layout.name, audio.codec_context.format.name
    samples = np.zeros((1, 1152 * 2), np.int16)
    resampler = av.AudioResampler(form, layout, 48000, frame_size=audio.codec_context.frame_size)
    for number in range(10):
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.rate, frame.pts, frame.time_base = 48000, number * 1152, Fraction(1, 48000)
        yield from itertools.chain.from_iterable(map(audio.encode, resampler.resample(frame)))
    yield from audio.encode()


def video(number: int, chance: Chance) -> tuple[str, bytes]:
    """Return a video as it is, damaged, or a playlist with some damage."""
    if number >= len(video_seeds()) and number % 7 == 0:
        name = list(PLAYLISTS)[number // 7 % len(PLAYLISTS)]
        content = PLAYLISTS[name]
        return f"list-{name}", damaged_bytes(content, chance) if number % 2 else content
    return mixed(video_seeds())(number, chance)

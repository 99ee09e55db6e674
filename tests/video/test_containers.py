"""What is opened as a video: containers that hold their own frames, and nothing they refer to."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest

from pullfocus.errors import UnreadableInputError
from pullfocus.video.media.reader import VideoSource

from .test_kept import pulled

CASES = Path(__file__).parents[3] / "shared" / "cases" / "video"


def lists(secret: Path) -> dict[str, str]:
    """Playlists of every kind that FFmpeg reads, each of which names a local file."""
    return {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret.name}\n#EXT-X-ENDLIST\n",
        "absolute": f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{secret.name}'\n",
        "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
        f"<AdaptationSet><Representation><BaseURL>{secret}</BaseURL></Representation>"
        "</AdaptationSet></Period></MPD>",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "smil": f'<smil><body><video src="{secret}"/></body></smil>',
        "utf16": f"\ufeff#EXTM3U\n#EXTINF:1,\n{secret}\n",
    }


@pytest.mark.parametrize("kind", ["m3u8", "absolute", "ffconcat", "mpd", "sdp", "smil", "utf16"])
@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.ffconcat", "list.sdp", "list"])
def test_a_playlist_opens_nothing(make_clip, tmp_path, kind, name):
    secret = make_clip("secret.mp4", audio=None)
    place = tmp_path / name
    place.write_text(lists(secret)[kind], encoding="utf-16" if kind == "utf16" else "utf-8")
    with pytest.raises(UnreadableInputError, match=r"is not a video") as told:
        VideoSource(place)
    assert name in str(told.value)


@pytest.mark.parametrize("kind", ["m3u8", "absolute", "ffconcat", "mpd", "sdp"])
def test_a_playlist_from_a_pipe_opens_nothing(make_clip, monkeypatch, kind):
    secret = make_clip("secret.mp4", audio=None)
    monkeypatch.chdir(secret.parent)
    with pytest.raises(UnreadableInputError, match="is not a video"):
        VideoSource(io.BytesIO(lists(secret)[kind].encode()), live=True)  # type: ignore[arg-type]


def test_a_playlist_is_named_as_what_it_is(make_clip, tmp_path):
    place = tmp_path / "list.mp4"
    place.write_text(lists(make_clip(audio=None))["m3u8"], encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="an m3u8 playlist"):
        VideoSource(place)


@pytest.mark.parametrize(
    "suffix", ["mp4", "mkv", "avi", "ts", "webm", "nut", "mov", "flv", "asf", "mxf"]
)
def test_containers_are_told_by_what_is_in_them(make_clip, suffix):
    codec = {"webm": "libvpx"}.get(suffix, "libx264")
    clip = make_clip(f"clip.{suffix}", codec=codec, audio=None)
    for name in ("list.m3u8", "%03d.png", "clip"):
        with closing(VideoSource(clip.rename(clip.with_name(name)))) as source:
            assert next(source.frames()).width == 64
        clip = clip.with_name(name)


@pytest.mark.parametrize("name", ["pipe:0.mp4", "concat:a.mp4", "tcp:x.mp4"])
def test_a_name_is_no_address(make_clip, monkeypatch, tmp_path, name):
    make_clip(audio=None).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with closing(VideoSource(Path(name))) as source:
        assert len(list(source.frames())) == 8


def test_a_video_that_is_cut_off_is_said(make_clip):
    clip = make_clip("clip.mkv", audio=None, options={"g": "1", "bf": "0"})
    whole = clip.read_bytes()
    output, report = pulled(clip, "whole.mkv")
    assert not [note for note in report.notes if "ends early" in note]
    clip.write_bytes(whole[: len(whole) // 2])
    output, report = pulled(clip, "half.mkv")
    assert output.is_file()
    assert [note for note in report.notes if "ends early" in note and "0.32 s" in note]


def test_a_real_video_that_is_cut_off_is_said():
    clip = CASES / "truncated-silent" / "trunc.mkv"
    if not clip.exists():
        pytest.skip("needs ../shared/cases")
    with closing(VideoSource(clip)) as source:
        count = len(list(source.frames()))
        assert count == 13
        assert [note for note in source.notes if "ends early" in note]

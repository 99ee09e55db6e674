"""What a video keeps on its way: times, sound, subtitles, rotation, colour tags, bits, alpha."""

from pathlib import Path

import av
import numpy as np
import pytest

from pullfocus.focus.script import FocusScript
from pullfocus.pipeline import Settings
from pullfocus.video.file_job import pull_focus
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.media.encoders import default_output

from .conftest import UNEVEN

FAR = FocusScript.parse({"decisions": [{"at_s": 0, "focus": {"disparity": 0.0}}]})
SHARP = Settings.parse(f_number=256, refine=False)
"""So small an aperture that nothing is blurred: what comes out must be what went in."""


def pulled(clip, name="out.mp4", settings=SHARP, **options):
    output = clip.parent / name
    chosen = FrameOptions(settings, FAR, **{"every": 100, **options})
    report = pull_focus(VideoJob(clip, output, chosen))
    assert report.output == str(output)
    return output, report


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov"])
def test_timestamps_and_sound_are_those_of_the_clip(make_clip, facts, name):
    clip = make_clip(name, times=UNEVEN)
    output, report = pulled(clip, f"out{clip.suffix}")
    before, after = facts(clip), facts(output)
    assert after.times == before.times
    assert report.frames == len(UNEVEN)
    assert len(before.copied["audio"]) > 8
    assert after.copied["audio"] == before.copied["audio"]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_sound_that_goes_on_after_the_last_frame_goes_on(make_clip, facts, name):
    clip = make_clip(name, times=UNEVEN[:3], sound_s=1.0)
    before, after = facts(clip), facts(pulled(clip, f"out{clip.suffix}")[0])
    assert after.copied["audio"] == before.copied["audio"]
    assert before.copied["audio"][-1][0] > 0.9


def test_a_clip_that_starts_late_starts_late(make_clip, facts):
    clip = make_clip(times=[n + 6400 for n in UNEVEN])
    before, after = facts(clip), facts(pulled(clip)[0])
    assert after.times == before.times
    assert float(after.times[0]) == 0.5


def test_subtitles_and_chapters_are_kept(make_clip, facts, tmp_path):
    clip = add_subtitles(make_clip("plain.mkv"), tmp_path / "clip.mkv")
    output = pulled(clip, "out.mkv")[0]
    before, after = facts(clip), facts(output)
    assert len(before.copied["subtitles"]) == 2
    assert after.copied == before.copied
    with av.open(str(output)) as video, av.open(str(clip)) as source:
        assert [s.disposition for s in video.streams] == [s.disposition for s in source.streams]
        assert [chapter["metadata"]["title"] for chapter in video.chapters()] == ["Beginning"]
        assert video.metadata["title"] == "A walk"


def add_subtitles(plain: Path, target: Path) -> Path:
    """Copy a clip and add SubRip subtitles, a chapter and a title."""
    lines = target.with_suffix(".srt")
    lines.write_text(
        "1\n00:00:00,000 --> 00:00:00,100\nOne\n\n2\n00:00:00,120 --> 00:00:00,200\nTwo\n"
    )
    with av.open(str(plain)) as clip, av.open(str(lines)) as text, av.open(str(target), "w") as out:
        out.metadata["title"] = "A walk"
        out.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 200,
                    "time_base": clip.streams[0].time_base,
                    "metadata": {"title": "Beginning"},
                }
            ]
        )
        copies = {
            stream: out.add_stream_from_template(stream, opaque=True) for stream in clip.streams
        }
        copies[text.streams[0]] = out.add_stream_from_template(text.streams[0])
        for source in (clip, text):
            for packet in source.demux():
                if packet.size:
                    packet.stream = copies[packet.stream]
                    out.mux(packet)
    return target


def test_streams_that_the_container_cannot_hold_are_named(make_clip):
    clip = make_clip("clip.mkv")
    output, report = pulled(clip, "out.webm", codec="vp9")
    assert any("audio (aac)" in note for note in report.notes)
    with av.open(str(output)) as video:
        assert [stream.type for stream in video.streams] == ["video"]


def test_other_pictures_are_named(make_clip, tmp_path):
    """A cover, or the thumbnails that some cameras add."""
    clip, both = make_clip("clip.mkv", times=UNEVEN[:2]), tmp_path / "both.mkv"
    with av.open(str(clip)) as source, av.open(str(both), "w") as out:
        copies = [out.add_stream_from_template(source.streams.video[0]) for _ in range(2)]
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = copies[0]
                out.mux(packet)
    report = pulled(both, "out.mkv")[1]
    assert report.notes == ["Stream 1, another picture, is left out."]


@pytest.mark.parametrize("turn_deg", [90, 180, -90])
def test_rotation_is_kept_and_the_picture_with_it(make_clip, facts, turn_deg):
    clip = make_clip(turn_deg=turn_deg)
    before, after = facts(clip), facts(pulled(clip)[0])
    assert after.rotation == before.rotation != 0
    assert after.size_hw == before.size_hw
    assert close(after, before)


def close(after, before, codes=6.0):
    """Say whether nothing but the encoder's loss lies between two clips."""
    top = 257 if after.frames[0].dtype == np.uint16 else 1
    pairs = zip(after.frames, before.frames, strict=True)
    return all(np.abs(a.astype(int) - b.astype(int)).mean() < codes * top for a, b in pairs)


def test_upright_is_what_the_network_sees(make_clip):
    """Depth, points and boxes are those of the upright picture, however the clip is stored."""
    from pullfocus.video.media.convert import FrameConverter
    from pullfocus.video.media.reader import VideoSource

    source = VideoSource(make_clip(turn_deg=90, audio=None))
    frame = next(source.frames())
    codes = FrameConverter(source.info, "yuv420p").to_codes(frame)
    stored = frame.to_ndarray(format="rgb24").astype(int)
    assert codes.shape == (64, 48, 3)
    assert np.abs(np.rot90(stored) - codes).mean() < 4
    source.close()


@pytest.mark.parametrize("tags", [(1, 1, 1), (5, 6, 5), (9, 16, 9), (9, 18, 9)])
def test_colour_tags_and_colours_are_kept(make_clip, facts, tags):
    clip = make_clip(tags=tags, pix_fmt="yuv420p10le")
    before, after = facts(clip), facts(pulled(clip, codec="h264")[0])
    assert after.container_tags == before.container_tags == tags
    assert close(after, before)


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt"),
    [
        ("h264", ".mp4", "yuv420p10le"),
        ("h265", ".mp4", "yuv420p10le"),
        ("av1", ".mkv", "yuv420p10le"),
        ("prores", ".mov", "yuv422p10le"),
        (None, ".mov", "yuv420p10le"),
    ],
)
def test_ten_bits_stay_ten(make_clip, facts, codec, suffix, pix_fmt):
    clip = make_clip("deep.mkv", pix_fmt="yuv420p10le", times=UNEVEN[:3], audio=None)
    after = facts(pulled(clip, f"out{suffix}", codec=codec)[0])
    assert after.pix_fmt == pix_fmt
    steps = np.unique(np.concatenate([frame[..., 1].ravel() for frame in after.frames]))
    assert len(steps) > 300  # no 8-bit picture has so many greens


@pytest.mark.parametrize(
    ("codec", "suffix"), [("h264", ".mkv"), ("h265", ".mp4"), ("vp9", ".webm"), ("av1", ".mp4")]
)
def test_codecs_and_odd_sizes(make_clip, facts, codec, suffix):
    clip = make_clip("odd.webm", codec="libvpx-vp9", audio=None, size_hw=(49, 65), times=UNEVEN[:3])
    before, after = facts(clip), facts(pulled(clip, f"out{suffix}", codec=codec)[0])
    assert after.size_hw == (49, 65)
    assert close(after, before)


def test_transparency_is_kept_by_prores_and_its_loss_is_said(make_clip, facts):
    clip = make_clip("clear.mov", codec="prores_ks", pix_fmt="yuva444p10le", times=UNEVEN[:2])
    before, after = facts(clip), facts(pulled(clip, "out.mov")[0])
    assert after.pix_fmt.startswith("yuva444p1")
    assert np.abs(after.frames[0][..., 3].astype(int) - before.frames[0][..., 3]).mean() < 300
    assert any("transparency" in note for note in pulled(clip, "out.mp4")[1].notes)
    assert facts(clip.with_name("out.mp4")).codec == "hevc"  # its bits are kept all the same
    assert facts(pulled(clip, "out.webm")[0]).pix_fmt == "yuv420p10le"


def test_one_frame(make_clip, facts):
    clip = make_clip(times=[0], audio=None)
    after = facts(pulled(clip)[0])
    assert len(after.times) == 1


def test_grey_video(make_clip, facts):
    clip = make_clip(pix_fmt="gray", audio=None, times=UNEVEN[:2])
    assert close(facts(pulled(clip)[0]), facts(clip))


def test_a_wide_aperture_blurs_what_is_not_in_focus(make_clip, facts):
    clip = make_clip(times=UNEVEN[:3], audio=None)
    wide = Settings.parse(f_number=1, focal_length_mm=150)
    sharp, soft = facts(pulled(clip, "sharp.mp4")[0]), facts(pulled(clip, "soft.mp4", wide)[0])
    detail = [np.abs(np.diff(f.frames[1].astype(int), axis=1)).mean() for f in (sharp, soft)]
    assert detail[1] < 0.8 * detail[0]


def test_preview_is_small_and_keeps_the_times(make_clip, facts):
    clip = make_clip(times=UNEVEN)
    before, after = facts(clip), facts(pulled(clip, preview=True, preview_lines=24)[0])
    assert after.size_hw == (24, 32)
    assert after.times == before.times


def test_names_of_outputs(tmp_path):
    assert default_output(Path("a/clip.mov")) == Path("a/clip.refocused.mov")
    assert default_output(Path("clip.avi"), tmp_path) == tmp_path / "clip.refocused.mp4"

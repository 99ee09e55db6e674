"""Videos and wishes that cannot be served: a sentence, an exit code, and nothing left behind."""

import struct
from contextlib import closing
from pathlib import Path

import av
import pytest

from pullfocus.errors import (
    CannotWriteError,
    TooLargeError,
    UnreadableInputError,
    UsageError,
)
from pullfocus.video.file_job import pull_focus
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.media.reader import VideoSource
from pullfocus.video.media.webcam import open_webcam
from pullfocus.video.media.writer import packets_until

from .conftest import add_sine
from .test_kept import FAR, SHARP, pulled


def packet_places(clip):
    """Return (position, size) of the video's packets in the file."""
    with av.open(str(clip)) as video:
        return [(packet.pos, packet.size) for packet in video.demux(video=0) if packet.size]


def break_packet(clip, number):
    """Overwrite one packet of the video with noise."""
    position, size = packet_places(clip)[number]
    content = bytearray(clip.read_bytes())
    content[position : position + size] = b"\xff" * size
    clip.write_bytes(content)


def test_a_broken_packet_in_the_middle_is_skipped_and_counted(make_clip, facts):
    whole = {"options": {"g": "1", "bf": "0"}}  # every frame for itself: one loss, one frame less
    clip = make_clip(**whole)
    sound = facts(clip).copied["audio"]
    break_packet(clip, 4)
    output, report = pulled(clip)
    after = facts(output)
    assert report.broken == 1
    assert report.frames == len(after.times) == 7
    assert after.copied["audio"] == sound


def test_a_clip_that_ends_early_is_done_as_far_as_it_goes(make_clip, facts):
    clip = make_clip("clip.mkv", audio=None, options={"g": "1", "bf": "0"})
    clip.write_bytes(clip.read_bytes()[: packet_places(clip)[5][0] + 10])
    output, report = pulled(clip, "out.mkv")
    assert 4 <= report.frames < 8
    assert len(facts(output).times) == report.frames


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "empty"), (b"no video at all" * 50, "not a video")]
)
def test_no_video(tmp_path, content, words):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=words):
        VideoSource(clip)


def test_a_clip_that_goes_meanwhile(make_clip):
    source = VideoSource(make_clip(audio=None))
    Path(source.name).unlink()
    with pytest.raises(UnreadableInputError, match=r"clip\.mp4"):
        source.again()
    source.close()


def test_a_moment_is_found_beside_a_broken_packet(make_clip):
    clip = make_clip(audio=None, options={"g": "4", "bf": "0"})
    break_packet(clip, 5)
    for time_s, wanted_s in ((0, 0), (0.12, 0.12), (0.2, 0.24), (9, 0.28)):
        with closing(VideoSource(clip)) as source:
            assert source.frame_at(time_s).time == pytest.approx(wanted_s)


def test_no_file(tmp_path):
    with pytest.raises(UnreadableInputError, match="There is no video"):
        VideoSource(tmp_path / "clip.mp4")


def test_sound_alone_is_no_video(tmp_path):
    clip = tmp_path / "sound.m4a"
    with av.open(str(clip), "w", format="mp4") as out:
        add_sine(out, out.add_stream("aac", rate=48000, layout="mono"), 0.2)
    with pytest.raises(UnreadableInputError, match="holds no video"):
        VideoSource(clip)


def test_a_header_without_frames(make_clip):
    clip = make_clip("clip.mkv", audio=None)
    clip.write_bytes(clip.read_bytes()[: packet_places(clip)[0][0] - 8])
    with pytest.raises(UnreadableInputError, match="not one frame"):
        VideoSource(clip)


def test_an_unknown_transfer_is_refused_with_a_sentence(make_clip):
    clip = make_clip(tags=(1, 10, 1), audio=None)
    with pytest.raises(UnreadableInputError, match=r"H\.273 code 10"):
        pulled(clip)
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"]


def test_the_clip_itself_is_never_written_over(make_clip):
    clip = make_clip(audio=None)
    before = clip.read_bytes()
    with pytest.raises(UsageError, match="would replace the video"):
        pull_focus(VideoJob(clip, clip, FrameOptions(SHARP, FAR), overwrite=True))
    assert clip.read_bytes() == before


def test_what_is_there_is_not_written_over_unasked(make_clip):
    clip = make_clip(audio=None)
    output = clip.with_name("out.mp4")
    output.write_bytes(b"mine")
    with pytest.raises(CannotWriteError, match="--overwrite"):
        pulled(clip)
    assert output.read_bytes() == b"mine"


def test_no_folder(make_clip):
    with pytest.raises(CannotWriteError, match="no folder"):
        pulled(make_clip(audio=None), "nowhere/out.mp4")


@pytest.mark.parametrize(
    ("name", "codec", "words"),
    [
        ("out.gif", None, "written as"),
        ("out.mp4", "prores", "does not go into"),
        ("out.mp4", "h266", "no codec"),
        ("out.webm", "vp9", "writes 8 here"),
    ],
)
def test_wishes_that_do_not_go_together(make_clip, name, codec, words):
    clip = make_clip(pix_fmt="yuv420p10le", audio=None)
    with pytest.raises(UsageError, match=words):
        pulled(clip, name, codec=codec)


def test_no_camera(tmp_path):
    with pytest.raises(UnreadableInputError, match=r"no camera|no picture"):
        open_webcam(str(tmp_path / "video9"))


def test_sound_that_goes_back_in_time_is_left_out_and_noted(make_clip, facts, monkeypatch):
    """A player needs times that rise; one damaged packet must not cost the whole film."""
    clip = make_clip()
    sound = facts(clip).copied["audio"]

    def swapped(container, streams, end_s):
        packets = list(packets_until(container, streams, end_s))
        packets[3], packets[5] = packets[5], packets[3]
        return iter(packets)

    monkeypatch.setattr("pullfocus.video.file_job.packets_until", swapped)
    output, report = pulled(clip)
    assert report.frames == len(facts(output).times) == 8
    assert "2 damaged packets of stream 1 (audio) could not be copied." in report.notes
    assert len(facts(output).copied["audio"]) == len(sound) - 2


def test_sound_without_a_sample_rate_is_left_out(make_clip, facts):
    clip = make_clip("clip.ts", audio="mp2")
    content = clip.read_bytes()
    clip.write_bytes(content.replace(b"\xff\xfd", bytes(2)).replace(b"\xff\xfc", bytes(2)))
    output, report = pulled(clip)
    assert len(facts(output).times) == report.frames > 4
    assert not facts(output).copied["audio"]
    assert any(note.startswith("Sound without a sample rate") for note in report.notes)


def test_sound_whose_description_is_damaged_is_left_out(make_clip, facts):
    clip = make_clip("clip.mkv", audio="libopus")
    content = clip.read_bytes()
    at = content.rindex(b"\x63\xa2", 0, content.index(b"OpusHead"))  # Matroska's CodecPrivate
    clip.write_bytes(content[:at] + b"\x63\xa1" + content[at + 2 :])
    output, report = pulled(clip)
    assert len(facts(output).times) == report.frames == 8
    assert not facts(output).copied["audio"]
    assert any(note.startswith("No sound and no other streams") for note in report.notes)


def y4m(words: str, frame_bytes: int) -> bytes:
    return f"YUV4MPEG2 {words} Ip A1:1 C420\n".encode() + (b"FRAME\n" + bytes(frame_bytes)) * 4


def test_frames_of_a_world_are_refused_unread(tmp_path):
    """37 bytes of GIF that ask for 256 megapixels a frame."""
    head = b"GIF89a" + struct.pack("<HHBBB", 16000, 16000, 0xF0, 0, 0) + bytes(6)
    frame = b"!\xf9\4\0\0\0\0\0," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2D\1\0"
    clip = tmp_path / "clip.gif"
    clip.write_bytes(head + frame * 9 + b";")
    with pytest.raises(TooLargeError, match="16000 x 16000 pixels"):
        VideoSource(clip)


def test_frames_of_one_line(tmp_path, facts):
    clip = tmp_path / "clip.y4m"
    clip.write_bytes(y4m("W4000 H1 F25:1", 8000))
    output, report = pulled(clip, "out.mkv")
    assert report.frames == len(facts(output).times) == 4


def test_a_container_that_refuses_a_clock_is_not_a_full_disk(tmp_path):
    clip = tmp_path / "clip.y4m"
    clip.write_bytes(y4m("W16 H16 F1:1000000000", 384))
    with pytest.raises(CannotWriteError, match="container") as refused:
        pulled(clip, "out.mp4")
    assert "free some space" not in str(refused.value)

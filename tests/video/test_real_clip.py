"""A real clip from ../shared/data/video, encoded here: a tennis player is followed to its end."""

from pathlib import Path

import av
import cv2
import pytest

from pullfocus.focus.script import FocusScript
from pullfocus.pipeline import Settings
from pullfocus.video.file_job import pull_focus
from pullfocus.video.job import FrameOptions, VideoJob

TENNIS = Path(__file__).resolve().parents[3] / "shared" / "data" / "video" / "tennis"
PLAYER = [0.53, 0.1, 0.72, 0.9]
COUNT = 10

pytestmark = pytest.mark.skipif(not TENNIS.is_dir(), reason="needs ../shared/data/video")


@pytest.fixture
def clip(tmp_path):
    """Encode the first frames at 320x180."""
    path = tmp_path / "tennis.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for picture in sorted(TENNIS.glob("*.jpg"))[:COUNT]:
            small = cv2.resize(cv2.imread(str(picture)), (320, 180), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(small, "bgr24")))
        out.mux(stream.encode(None))
    return path


def test_a_player_is_followed(clip, facts):
    script = FocusScript.parse(
        {
            "subjects": {"player": {"box": PLAYER}},
            "decisions": [{"at_s": 0, "focus": {"subject": "player"}}],
        }
    )
    output = clip.with_name("out.mp4")
    options = FrameOptions(Settings.parse(f_number=1.2), script)
    report = pull_focus(VideoJob(clip, output, options))
    before, after = facts(clip), facts(output)
    assert report.notes == []  # never lost
    assert after.times == before.times
    left, top, right, bottom = (
        int(side * n) for side, n in zip(PLAYER, (320, 180, 320, 180), strict=True)
    )
    player = [sharpness(f.frames[0][top:bottom, left:right]) for f in (after, before)]
    trees = [sharpness(f.frames[0][:50, :60]) for f in (after, before)]
    assert player[0] / player[1] > trees[0] / trees[1]


def sharpness(rgb):
    return float(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())

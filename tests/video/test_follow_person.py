"""`--follow person`: the focus stays on somebody, all of whom is one surface; lost and found."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.cli.video_focus import script_from
from pullfocus.focus.box import Box
from pullfocus.pipeline import Settings
from pullfocus.types import DepthMap
from pullfocus.video.file_job import pull_focus
from pullfocus.video.frame_pipeline import FrameLine
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.media.reader import VideoSource
from pullfocus.video.tracking.boxes import disparity_of, is_person

TENNIS = Path(__file__).resolve().parents[3] / "shared" / "data" / "video" / "tennis"
FOLLOWING = script_from(None, "person", None, Settings())


def looked(clip: Path):
    with closing(VideoSource(clip)) as source:
        yield from FrameLine(source, FrameOptions(script=FOLLOWING), ".mp4").looked()


def test_a_walker_is_one_surface_and_in_focus_all_the_way(red_coats, tmp_path):
    pictures = [red_coats.picture((60 + 5 * n, 80, 80)) for n in range(12)]
    for frame in looked(red_coats.clip(tmp_path / "walk.mp4", pictures)):
        disparity = frame.depth.disparity
        inside = cv2.resize(red_coats.inside(frame.rgb).astype(np.uint8), disparity.shape[::-1])
        inside = cv2.erode(inside, np.ones((5, 5))) > 0
        leaning = 0.3  # of the range, from head to feet, is what the estimator says
        assert np.ptp(np.quantile(disparity[inside], (0.05, 0.95))) < 0.4 * leaning
        assert abs(frame.focus.disparity - np.median(disparity[inside])) < 0.05


def test_who_leaves_and_returns_is_lost_and_found(red_coats, tmp_path):
    ways = [(100, 80, 80)] * 3 + [None] * 7 + [(180, 80, 80)] * 5
    pictures = [red_coats.picture(person) for person in ways]
    lost, back = notes_of(red_coats.clip(tmp_path / "c.mp4", pictures))
    assert lost == "0.40 s: followed was lost: the focus stays unless another is seen."
    assert float(back.removesuffix(" s: followed is back.")) in (2.0, 2.2, 2.4)  # the next estimate


def test_what_somebody_holds_is_not_the_person():
    """The person is far, the cup before the chest near; the mask takes the cup for person too."""
    disparity, person = np.full((90, 160), 0.1, np.float32), np.zeros((90, 160), np.float32)
    body, cup = Box(0.4, 0.1, 0.6, 0.9), Box(0.45, 0.4, 0.52, 0.5)
    disparity[body.slices((90, 160))], person[body.slices((90, 160))] = 0.5, 0.95
    disparity[cup.slices((90, 160))] = 0.55
    depth = DepthMap(disparity, person=person)
    assert is_person(body, depth)
    assert not is_person(cup, depth)
    wide = Box(0.3, 0.0, 0.7, 1.0)
    assert disparity_of(depth, wide, person=True) == pytest.approx(0.5)
    disparity[:, :60] = 0.9  # something near stands beside, in the same box
    assert disparity_of(depth, wide, person=True) == pytest.approx(0.5)


@pytest.mark.skipif(not TENNIS.is_dir(), reason="needs ../shared/data/video")
def test_a_tennis_player_is_followed_by_the_mask_of_the_network(encode_small, tmp_path):
    """The shipped network finds him; he stays in focus as a whole, is hidden, and is back."""
    clip = encode_small(tmp_path / "tennis.mp4", tennis())
    for frame in islice(looked(clip), 8):
        disparity = frame.depth.disparity
        left, top, right, bottom = 0.56, 0.15, 0.68, 0.85
        h, w = disparity.shape
        around = np.s_[int(top * h) : int(bottom * h), int(left * w) : int(right * w)]
        player = disparity[around][frame.depth.person[around] > 0.8]
        assert np.quantile(np.abs(player - frame.focus.disparity), 0.8) < 0.08
    assert [note.split(" s: ")[1] for note in notes_of(clip)] == [
        "followed was lost: the focus stays unless another is seen.",
        "followed is back.",
    ]


def notes_of(clip: Path) -> list[str]:
    plain = FrameOptions(Settings.parse(f_number=256, refine=False), FOLLOWING)
    return pull_focus(VideoJob(clip, clip.with_name("out.mp4"), plain)).notes


def tennis():
    """Yield the player; the court without him, covered by another part of it; and him again."""
    paths = sorted(TENNIS.glob("*.jpg"))[:10]
    for number, path in enumerate((*paths[:8], *paths[3:9], *paths[4:9])):
        picture = cv2.resize(cv2.imread(str(path)), (320, 180), interpolation=cv2.INTER_AREA)
        picture = np.ascontiguousarray(picture[..., ::-1])
        if 8 <= number < 14:
            picture[:, 165:240] = picture[:, 85:160]
        yield picture

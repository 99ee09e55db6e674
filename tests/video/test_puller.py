"""The plane over time, frame by frame: switches, pulls, cuts, and subjects lost and found."""

import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.focus.box import Box
from pullfocus.focus.script import FOUND, FocusScript, plane_at
from pullfocus.types import DepthMap
from pullfocus.video.focus_puller import Puller
from pullfocus.video.tracking.subjects import Subjects
from pullfocus.video.tracking.tracker import Lost, Seen

RATE = 25
RGB = np.zeros((40, 60, 3), np.uint8)
LEFT, RIGHT = (0.05, 0.2, 0.35, 0.8), (0.65, 0.2, 0.95, 0.8)


def depth(left=0.8, right=0.3, kind="relative"):
    """Left and right halves, with a subject in the middle of each."""
    disparity = np.full((40, 60), 0.1, np.float32)
    disparity[8:32, 3:21], disparity[8:32, 39:57] = left, right
    nothing = np.zeros((40, 60), np.float32)  # nobody and nothing salient
    return DepthMap(disparity, kind, person=nothing, salient=nothing)


class Told:
    """A tracker whose answers are told beforehand: the times between which it sees nothing."""

    def __init__(self, box, hidden=()):
        self.box, self.hidden, self.frame = Box(*box), hidden, 0

    def start(self, rgb, box, person=None):
        self.frame = 0

    def update(self, rgb, person=None):
        self.frame += 1
        if any(first <= self.frame / RATE < last for first, last in self.hidden):
            return Lost(self.box, 1)
        return Seen(self.box, self.box.centre, 1.0)


def script(*rows, **more):
    subjects = {"anna": {"box": LEFT}, "ben": {"box": RIGHT}}
    return FocusScript.parse({"subjects": subjects, "decisions": rows, **more})


def puller(chosen, anna=(), ben=()):
    trackers = iter([Told(LEFT, anna), Told(RIGHT, ben)])
    return Puller(chosen, Subjects(chosen.subjects, lambda: next(trackers)))


def run(follower, seconds, depths=lambda n: depth(), cuts=()):
    """Return the plane of every frame; frame n is at n / RATE."""
    frames = range(int(seconds * RATE) + 1)
    return np.array(
        [follower.focus(RGB, depths(n), n / RATE, n in cuts or n == 0).disparity for n in frames]
    )


ANNA_THEN_BEN = script(
    {"at_s": 0, "focus": {"subject": "anna"}},
    {"at_s": 1, "focus": {"subject": "ben"}, "pull_s": 0.4, "easing": "linear"},
)


def test_the_focus_switches_at_its_time_within_one_frame():
    planes = run(puller(ANNA_THEN_BEN), 2)
    assert planes[: RATE + 1] == pytest.approx(0.8)
    assert planes[RATE + 1] < 0.8
    assert planes[RATE + 10 :] == pytest.approx(0.3, abs=1e-6)
    assert (np.diff(planes) <= 1e-9).all()


def test_frame_by_frame_is_the_script_itself():
    planes = run(puller(ANNA_THEN_BEN), 2)
    where = {"anna": 0.8, "ben": 0.3}
    expected = [
        plane_at(ANNA_THEN_BEN, n / RATE, lambda target, _: where[target.subject])
        for n in range(len(planes))
    ]
    assert planes == pytest.approx(expected, abs=1e-6)


def test_a_subject_that_comes_nearer_is_followed():
    nearer = [0.3 + 0.4 * n / 50 for n in range(51)]
    chosen = script({"at_s": 0, "focus": {"subject": "anna"}})
    planes = run(puller(chosen), 2, lambda n: depth(left=nearer[n]))
    assert np.abs(planes - nearer).max() < 0.05 * 0.8  # of the disparity's range
    assert planes[-1] > 0.65


def test_a_hidden_second_is_sat_out_and_a_loss_is_told():
    chosen = script({"at_s": 0, "focus": {"subject": "anna"}})
    hidden = puller(chosen, anna=[(1.0, 1.9)])
    assert run(hidden, 3) == pytest.approx(0.8)
    assert hidden.events == []

    lost = puller(chosen, anna=[(1.0, 3.0)], ben=[(0.0, 9.0)])
    assert run(lost, 4) == pytest.approx(0.8)  # nobody else in sight: the plane is held
    assert [event.split(" s: ")[1] for event in lost.events if "anna" in event] == [
        "anna was lost: the focus stays unless another is seen.",
        "anna is back.",
    ]


def test_a_strong_focus_goes_to_who_is_there_and_comes_back():
    chosen = script({"at_s": 0, "focus": {"subject": "anna"}, "pull_s": 0.2})
    follower = puller(chosen, anna=[(1.0, 4.0)])
    planes = run(follower, 6)
    assert planes[int(1.9 * RATE)] == pytest.approx(0.8)
    assert planes[3 * RATE] == pytest.approx(0.3)
    assert planes[-1] == pytest.approx(0.8)
    assert [event.split(" s: ")[1] for event in follower.events] == [
        "anna was lost: the focus stays unless another is seen.",
        "the focus goes to ben.",
        "anna is back.",
        "the focus goes to anna.",
    ]


def test_after_a_cut_the_focus_jumps():
    chosen = script({"at_s": 0, "focus": {"point": [0.2, 0.5]}, "pull_s": 1})
    planes = run(puller(chosen), 2, lambda n: depth(left=0.8 if n < 25 else 0.5), cuts=(25,))
    assert planes[:25] == pytest.approx(0.8)
    assert planes[25:] == pytest.approx(0.5)


def test_a_held_point_keeps_its_plane_when_something_else_goes_through_it():
    chosen = script({"at_s": 0, "focus": {"point": [0.2, 0.5]}})
    assert run(puller(chosen), 1, lambda n: depth(left=0.8 if n < 5 else 0.2)) == pytest.approx(0.8)


def test_distances_need_metres():
    chosen = script({"at_s": 0, "focus": {"distance_m": 2}})
    assert run(puller(chosen), 0, lambda n: depth(kind="metric")) == pytest.approx(0.5)
    with pytest.raises(UsageError, match="no metres"):
        run(puller(chosen), 0)


def test_the_subject_that_is_found_is_found_anew_after_a_cut():
    found = Puller(FOUND, Subjects(FOUND.subjects, lambda: Told(LEFT)))
    run(found, 0.2)
    before = found.subjects.box("found")
    swapped = depth(left=0.1, right=0.9)
    found.focus(RGB, swapped, 1.0, True)
    assert before.centre[0] < 0.5 < found.subjects.box("found").centre[0]


def test_a_point_becomes_the_box_of_the_thing_there():
    chosen = FocusScript.parse(
        {
            "subjects": {"thing": {"point": [0.2, 0.5]}},
            "decisions": [{"at_s": 0, "focus": {"subject": "thing"}}],
        }
    )
    subjects = Subjects(chosen.subjects, lambda: Told(LEFT))
    Puller(chosen, subjects).focus(RGB, depth(), 0.0, True)
    assert subjects.box("thing") == pytest.approx((0.05, 0.25, 0.35, 0.75), abs=0.06)


def test_subjects_may_be_looked_for_more_seldom():
    told = Told(LEFT)
    chosen = script({"at_s": 0, "focus": {"subject": "anna"}})
    subjects = Subjects({"anna": chosen.subjects["anna"]}, lambda: told, pause_s=0.12)
    planes = run(Puller(chosen, subjects), 1)
    assert told.frame == (RATE + 1) // 3
    assert planes == pytest.approx(0.8)
    assert subjects.sightings(1.0)["anna"].hidden_s == 0


def test_of_many_who_are_lost_only_some_are_searched_for_in_one_frame():
    """A long film has many subjects who have left; whom the script is on is always searched for."""
    names = [f"s{n}" for n in range(6)]
    trackers = {name: Told(LEFT, [(0.0, 1.0)]) for name in names}
    waiting = iter(trackers.values())
    chosen = FocusScript.parse(
        {
            "subjects": {name: {"box": LEFT} for name in names},
            "decisions": [{"at_s": 0, "focus": {"subject": "s3"}}],
        }
    )
    follower = Puller(chosen, Subjects(chosen.subjects, lambda: next(waiting)))
    for n in range(12):
        follower.focus(RGB, depth(), n / RATE, n == 0)
    assert trackers["s3"].frame == 11
    assert sum(tracker.frame for tracker in trackers.values()) == 11 + 5 + 2 * 10
    assert min(tracker.frame for tracker in trackers.values()) >= 4


def test_nobody_there_yet_is_waited_for():
    chosen = FocusScript.parse(
        {
            "subjects": {"somebody": {"person": 1}},
            "decisions": [{"at_s": 0, "focus": {"subject": "somebody"}}],
        }
    )
    subjects = Subjects(chosen.subjects, lambda: Told(LEFT))
    planes = run(Puller(chosen, subjects), 0.8)
    assert planes == pytest.approx(0.8)  # the nearest thing, until then
    assert subjects.box("somebody") is None
    assert subjects.events == ["0.00 s: somebody is not seen yet."]


def test_the_aperture_is_that_of_the_script():
    chosen = script(
        {"at_s": 0, "focus": {"subject": "anna"}}, apertures=[{"at_s": 1, "f_number": 8}]
    )
    assert [puller(chosen).f_number(t, 2.0) for t in (0, 1)] == pytest.approx([2, 8])


def test_who_is_named_beside_the_subject_is_sharp_too():
    """Both lie in the range, which follows them; the plane stays with the subject."""
    chosen = script({"at_s": 0, "focus": {"subject": "anna"}, "also": ["ben"]})
    follower = puller(chosen)
    for n in range(60):
        focus = follower.focus(RGB, depth(right=0.3 - 0.003 * n), n / RATE, n == 0)
    assert focus.disparity == focus.near_disparity == pytest.approx(0.8)
    assert focus.far_disparity == pytest.approx(0.3 - 0.003 * 59, abs=0.01)


def test_a_range_widens_with_the_pull():
    chosen = script(
        {"at_s": 0, "focus": {"subject": "anna"}},
        {"at_s": 1, "focus": {"subject": "anna"}, "range": [0.9, 0.4], "pull_s": 0.4},
    )
    follower = puller(chosen)
    found = [follower.focus(RGB, depth(), n / RATE, n == 0) for n in range(2 * RATE)]
    assert found[RATE - 1].far_disparity is None
    ends = np.array([focus.far_disparity for focus in found[RATE + 1 :]])
    assert (np.diff(ends) <= 0).all()
    assert 0.4 < ends[0] < 0.8
    assert (found[-1].near_disparity, ends[-1]) == pytest.approx((0.9, 0.4))


def test_a_range_of_the_flags_is_for_decisions_without_their_own():
    chosen = script(
        {"at_s": 0, "focus": {"subject": "anna"}, "range": [0.7, 0.6]},
        {"at_s": 1, "focus": {"subject": "ben"}},
    ).with_sharp((0.9, 0.2))
    assert [row.range for row in chosen.decisions] == [(0.7, 0.6), (0.9, 0.2)]
    backwards = script({"at_s": 0, "focus": {"subject": "anna"}, "range": [0.2, 0.9]})
    with pytest.raises(UsageError, match="near to far"):
        run(puller(backwards), 0)


def test_also_speaks_only_of_subjects_that_are_there():
    with pytest.raises(UsageError, match="no subject 'eve'"):
        script({"at_s": 0, "focus": {"subject": "anna"}, "also": ["eve"]})

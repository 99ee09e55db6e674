"""The line: the order in which focus and depth are chosen, and what is refused."""

import numpy as np
import pytest

from pullfocus.errors import PullfocusError, TooLargeError, UsageError
from pullfocus.photo import load, save
from pullfocus.pipeline import Settings, apply, choose_focus, find_depth, memory, refocus
from pullfocus.types import DepthMap, Photo


def metric(depth):
    return DepthMap.from_depth_m(1.0 / depth.disparity)


def test_focus_comes_from_disparity_then_distance_then_point(photo, depth):
    assert choose_focus(photo, depth, Settings(focus_disparity=0.5, at=(0.1, 0.5))).disparity == 0.5
    assert choose_focus(photo, depth, Settings(at=(0.1, 0.5))).disparity == pytest.approx(0.8)
    near = choose_focus(photo, metric(depth), Settings(focus_m=4.0))
    assert near.disparity == pytest.approx(0.25)
    assert near.chosen == "distance"


def test_without_a_wish_the_subject_is_found_and_said(photo, depth):
    focus = choose_focus(photo, depth, Settings())
    assert focus.chosen in ("face", "salient subject")


def test_range_in_metres_and_in_disparity(photo, depth):
    focus = choose_focus(photo, depth, Settings(at=(0.1, 0.5), range=(0.9, 0.5)))
    assert (focus.near_disparity, focus.far_disparity) == (0.9, 0.5)
    focus = choose_focus(photo, metric(depth), Settings(focus_m=2.0, range=(1.0, 4.0)))
    assert (focus.near_disparity, focus.far_disparity) == (1.0, 0.25)
    assert choose_focus(photo, depth, Settings(range=(0.9, 0.5))).chosen == "range"


def two_people(depth):
    """Return depth in which the network saw two people: one near, one far."""
    person = np.zeros((60, 90), np.float32)
    person[20:55, 10:30] = person[20:55, 60:80] = 1.0
    return DepthMap(depth.disparity, person=person)


def test_a_subject_that_is_asked_for_is_sharp_as_a_whole(photo, depth):
    focus = choose_focus(photo, two_people(depth), Settings(subject="person"))
    assert focus.chosen == "person"
    assert focus.disparity == pytest.approx(0.8)
    assert focus.far_disparity <= focus.disparity <= focus.near_disparity
    box = choose_focus(photo, depth, Settings(subject="0.6,0.1,0.9,0.9"))
    assert (box.chosen, box.disparity) == ("box", pytest.approx(0.2))


def test_all_people_are_sharp_and_an_own_range_goes_before(photo, depth):
    people = two_people(depth)
    everyone = choose_focus(photo, people, Settings(all_people_sharp=True))
    assert (everyone.near_disparity, everyone.far_disparity) == (
        pytest.approx(0.8),
        pytest.approx(0.2),
    )
    at_left = choose_focus(photo, people, Settings(all_people_sharp=True, at=(0.1, 0.5)))
    assert at_left.disparity == pytest.approx(0.8)
    assert at_left.far_disparity == pytest.approx(0.2)
    own = choose_focus(photo, people, Settings(subject="#1", range=(0.9, 0.7)))
    assert (own.near_disparity, own.far_disparity) == (0.9, 0.7)


def test_nobody_to_keep_sharp_is_said(photo, depth):
    with pytest.raises(UsageError, match="Nobody"):
        choose_focus(photo, depth, Settings(all_people_sharp=True))
    with pytest.raises(UsageError, match="no person"):
        choose_focus(photo, depth, Settings(subject="person"))


@pytest.mark.parametrize("fields", [{"subject": "#2"}, {"all_people_sharp": True}])
def test_a_replayed_subject_gives_the_same_focus(photo, depth, fields):
    people = two_people(depth)
    done = apply(photo, Settings(**fields), depth=people)
    replayed = choose_focus(photo, people, Settings.parse(done.sidecar.to_json()["settings"]))
    assert replayed.disparity == done.focus.disparity
    assert replayed.near_disparity == done.focus.near_disparity
    assert replayed.far_disparity == done.focus.far_disparity


@pytest.mark.parametrize(
    ("fields", "is_metric", "words"),
    [
        ({"focus_m": 2.0}, False, "metres"),
        ({"range": (0.2, 0.8)}, False, "from near to far"),
        ({"range": (2.0, 1.0)}, False, "relative"),
        ({"range": (4.0, 1.0)}, True, "from near to far"),
        ({"range": (0.0, 1.0)}, True, "from near to far"),
    ],
)
def test_impossible_focus_is_refused(photo, depth, fields, is_metric, words):
    with pytest.raises(UsageError, match=words):
        choose_focus(photo, metric(depth) if is_metric else depth, Settings(**fields))


def test_depth_file_must_have_the_photos_shape(photo, tmp_path):
    np.save(tmp_path / "d.npy", np.random.default_rng(0).random((60, 60), np.float32))
    with pytest.raises(UsageError, match="60x60"):
        find_depth(photo, Settings(depth_file=str(tmp_path / "d.npy")))


def test_depth_file_of_another_size_is_fitted(photo, tmp_path):
    np.save(tmp_path / "d.npy", np.random.default_rng(0).random((30, 45), np.float32))
    assert find_depth(photo, Settings(depth_file=str(tmp_path / "d.npy"))).size_hw == (60, 90)


def test_a_limit_that_was_raised_holds_for_the_depth_file_too(photo, tmp_path, monkeypatch):
    """Else the advice of its error, to raise it, would do nothing."""
    np.save(tmp_path / "d.npy", np.random.default_rng(0).random((60, 90), np.float32))
    monkeypatch.setattr("pullfocus.photo.source.MAX_MEGAPIXELS", 0.005)
    with pytest.raises(TooLargeError):
        find_depth(photo, Settings(depth_file=str(tmp_path / "d.npy"), max_megapixels=0.005))
    settings = Settings(depth_file=str(tmp_path / "d.npy"), max_megapixels=0.006)
    assert find_depth(photo, settings).size_hw == (60, 90)


def test_depth_file_and_model_are_not_mixed(photo):
    with pytest.raises(UsageError, match="not both"):
        find_depth(photo, Settings(depth_file="d.npy", model="compact"))


def test_users_depth_file_goes_before_the_photos_own(photo, depth, tmp_path):
    np.save(tmp_path / "d.npy", np.full((60, 90), 0.5, np.float32))
    with_own = photo.with_linear(photo.linear, embedded_depth=metric(depth))
    assert find_depth(with_own, Settings()).kind == "metric"
    mine = find_depth(with_own, Settings(depth_file=str(tmp_path / "d.npy")))
    assert mine.disparity.max() == mine.disparity.min()


def test_refocus_is_the_six_statements(photo, depth, tmp_path):
    import pullfocus

    save(photo, tmp_path / "in.png")
    np.save(tmp_path / "d.npy", depth.disparity)
    target = tmp_path / "out.png"
    done = pullfocus.refocus(
        tmp_path / "in.png", output=target, at=(0.1, 0.5), depth_file=str(tmp_path / "d.npy")
    )
    assert done.output == target
    read = pullfocus.load(tmp_path / "in.png")
    focus = pullfocus.focus_at(depth, x=0.1, y=0.5)
    by_hand = pullfocus.render(read, depth, focus, pullfocus.Lens(f_number=1.8))
    assert np.array_equal(load(target).encoded, by_hand.encoded)


def test_nothing_is_written_without_an_output(photo, depth, tmp_path):
    save(photo, tmp_path / "in.png")
    np.save(tmp_path / "d.npy", depth.disparity)
    before = sorted(tmp_path.iterdir())
    refocus(tmp_path / "in.png", at="0.1,0.5", depth_file=str(tmp_path / "d.npy"))
    assert sorted(tmp_path.iterdir()) == before


def test_graded_style_goes_another_way(photo, depth):
    lens = apply(photo, Settings(at=(0.1, 0.5)), depth=depth)
    graded = apply(photo, Settings(at=(0.1, 0.5), style="graded", strength=4), depth=depth)
    assert not np.array_equal(lens.image.linear, graded.image.linear)
    assert np.array_equal(graded.image.linear[:, :40], photo.linear[:, :40])


def test_progress_tells_the_steps(photo, depth):
    heard = []
    apply(photo, Settings(at=(0.1, 0.5)), depth=depth, progress=heard.append)
    assert heard == ["depth", "focus", "render"]


def test_too_little_memory_is_refused_politely(monkeypatch, depth):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    with pytest.raises(PullfocusError, match="close programs"):
        apply(Photo.from_array(np.zeros((60, 90, 3), np.uint8)), Settings(), depth=depth)


def test_memory_is_read_from_the_system():
    free, total = memory.free_bytes(), memory.total_bytes()
    assert free is None or total is None or 0 < free <= total

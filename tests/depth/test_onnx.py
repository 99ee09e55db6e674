"""ONNX networks: sessions, cards from metadata, polarity, and what is said when files are bad."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pullfocus.depth import estimate_depth, find_card, open_estimator
from pullfocus.depth.onnx_card import GUESS_NOTE
from pullfocus.depth.onnx_session import open_session
from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.types import Photo


def test_convention_larger_is_nearer(write_onnx, plain, bright_left):
    path = write_onnx(
        kind="relative disparity", polarity="larger = nearer", licence="MIT", preprocessing=plain
    )
    depth = estimate_depth(Photo.from_array(bright_left), path)
    assert depth.size_hw == (48, 80)
    assert (depth.kind, depth.source, depth.licence) == ("relative", "tiny.onnx", "MIT")
    assert depth.at(0.2, 0.5) > 0.9
    assert depth.at(0.8, 0.5) < 0.1


def test_convention_larger_is_farther_is_turned_round(write_onnx, plain, bright_left):
    path = write_onnx(kind="relative depth", preprocessing=plain)
    depth = estimate_depth(Photo.from_array(bright_left), path)
    assert depth.at(0.2, 0.5) < 0.1
    assert depth.at(0.8, 0.5) > 0.9


def test_people_come_with_the_depth_where_the_file_knows_them(write_onnx, plain, bright_left):
    photo = Photo.from_array(bright_left)
    assert estimate_depth(photo, write_onnx(preprocessing=plain)).person.max() < 0.5
    path = write_onnx("people.onnx", sees_people=True, preprocessing=plain)
    person = estimate_depth(photo, path).person
    assert person.shape == (32, 64)
    np.testing.assert_allclose(person[:, :28], 210 / 255, atol=1e-5)
    np.testing.assert_allclose(person[:, 36:], 40 / 255, atol=1e-5)


def test_polarity_corrects_kind(write_onnx, plain):
    path = write_onnx(kind="relative disparity", polarity="larger = farther", preprocessing=plain)
    assert find_card(path).output == "relative_depth"


def test_metric_depth_becomes_one_over_metres(write_onnx, plain):
    grey = np.full((64, 64, 3), 51, np.uint8)  # code 0.2
    path = write_onnx(kind="metric depth", gain=10.0, preprocessing=plain)
    depth = estimate_depth(Photo.from_array(grey), path)
    assert depth.kind == "metric"
    np.testing.assert_allclose(depth.depth_m, 2.0, rtol=1e-4)


def test_the_sidecar_wins_over_the_file(write_onnx, plain):
    path = write_onnx(kind="relative disparity", licence="MIT", preprocessing=plain)
    path.with_name("tiny.onnx.json").write_text(
        json.dumps({"kind": "metric depth", "licence": "Apache-2.0"})
    )
    card = find_card(path)
    assert (card.output, card.licence) == ("metric_depth", "Apache-2.0")


def test_a_silent_file_is_guessed_and_says_so(write_onnx):
    card = find_card(write_onnx())
    assert card.note == GUESS_NOTE
    assert card.licence == "unknown"
    assert card.output == "relative_disparity"
    assert card.preprocessing.mean == (0.485, 0.456, 0.406)


def test_a_fixed_input_size_is_kept(write_onnx, bright_left):
    path = write_onnx(size_hw=(32, 96))
    raw = open_estimator(path).estimate(bright_left)
    assert raw.values.shape == (32, 96)
    assert estimate_depth(Photo.from_array(bright_left), path).size_hw == (48, 80)


@pytest.mark.parametrize(
    "metadata",
    [
        {"kind": "wobbly"},
        {"polarity": "sideways"},
        {"preprocessing": "{"},
        {"preprocessing": '{"colour": 1}'},
        {"preprocessing": '{"channels": "BGR"}'},
        {"preprocessing": '{"mean": [1, 2]}'},
        {"preprocessing": "[1]"},
    ],
)
def test_bad_metadata_is_refused_in_a_sentence(write_onnx, metadata):
    with pytest.raises(UnreadableInputError, match=r"tiny\.onnx cannot be understood"):
        find_card(write_onnx(**metadata))


def test_a_session_is_opened_once_even_from_threads(write_onnx):
    path = write_onnx()
    with ThreadPoolExecutor(4) as pool:
        sessions = list(pool.map(lambda _: open_session(path), range(8)))
    assert len({id(session) for session in sessions}) == 1


def test_idle_threads_do_not_spin(write_onnx):
    options = open_session(write_onnx()).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_changed_file_is_opened_again(write_onnx):
    first = open_session(write_onnx())
    assert open_session(write_onnx(gain=2.0, licence="MIT")) is not first


def test_no_such_file(tmp_path: Path):
    with pytest.raises(MissingModelError, match=r"nothing\.onnx is not there"):
        find_card(tmp_path / "nothing.onnx")


def test_not_a_network(tmp_path: Path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"this is no network")
    with pytest.raises(UnreadableInputError, match=r"broken\.onnx is not an ONNX network"):
        find_card(path)

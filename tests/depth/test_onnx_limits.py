"""Networks from outside: what they ask for, how long they take and what they answer has bounds."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from pullfocus.depth import estimate_depth, find_card, onnx_session, open_estimator
from pullfocus.depth.card import LARGEST_SIDE_PX, Preprocessing, embedded_path
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.normalise import checked_answer, to_disparity
from pullfocus.depth.onnx_session import MOST_SESSIONS, open_session, single_map
from pullfocus.errors import UnreadableInputError
from pullfocus.types import Photo

onnx = pytest.importorskip("onnx", reason="the networks are built with onnx (lab extra)")
FLOAT = onnx.TensorProto.FLOAT
RULE = {"mean": [0, 0, 0], "std": [1, 1, 1], "multiple_of": 32, "long_side": 64}
GREY = onnx.helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1)


def value(name, shape=None, kind=FLOAT):
    return onnx.helper.make_tensor_value_info(name, kind, shape)


PICTURE, DEPTH = value("image", [1, 3, "h", "w"]), value("depth", [1, 1, "h", "w"])


@pytest.fixture
def write(tmp_path):
    """Write a network of nodes, inputs, answers and constants."""

    def save(nodes, inputs=(PICTURE,), answers=(DEPTH,), name="odd.onnx", rule=None, **constants):
        held = [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
        graph = onnx.helper.make_graph(nodes, "odd", list(inputs), list(answers), held)
        opset = [onnx.helper.make_opsetid("", 14)]
        model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
        said = {"kind": "relative disparity", "preprocessing": json.dumps(RULE | (rule or {}))}
        onnx.helper.set_model_props(model, said)
        (tmp_path / name).write_bytes(model.SerializeToString())
        return tmp_path / name

    return save


@pytest.fixture
def photo():
    return Photo.from_array(np.random.default_rng(0).integers(0, 255, (48, 80, 3), np.uint8))


def node(does, *names, **more):
    *inputs, out = names
    return onnx.helper.make_node(does, inputs, [out], **more)


def endless():
    """A Loop that never stops: no trip count, and its condition stays true."""
    body = onnx.helper.make_graph(
        [node("Identity", "go", "go_on"), node("Identity", "x", "same")],
        "body",
        [
            value("i", [], onnx.TensorProto.INT64),
            value("go", [], onnx.TensorProto.BOOL),
            value("x"),
        ],
        [value("go_on", [], onnx.TensorProto.BOOL), value("same")],
    )
    return onnx.helper.make_node("Loop", ["", "true", "grey"], ["depth"], body=body)


def test_an_endless_loop_is_stopped(write, photo, monkeypatch):
    monkeypatch.setattr(onnx_session, "LOOP_DEADLINE_S", 0.5)
    path = write([GREY, endless()], true=np.array(True))
    with pytest.raises(UnreadableInputError, match=r"odd\.onnx has not answered after 0\.5 s"):
        estimate_depth(photo, path)


def test_only_networks_with_a_loop_have_the_short_deadline(write):
    plain = write([GREY, node("Identity", "grey", "depth")], name="plain.onnx")
    looped = write([GREY, endless()], true=np.array(True))
    assert [onnx_session._has_loop(path) for path in (plain, looped)] == [False, True]
    assert not onnx_session._has_loop(embedded_path())


def test_a_network_that_asks_for_too_much_memory_is_refused(write, photo):
    path = write([node("ConstantOfShape", "size", "depth")], size=np.int64([1, 1, 99999, 99999]))
    with pytest.raises(UnreadableInputError, match="PULLFOCUS_MODEL_MEMORY_GB"):
        estimate_depth(photo, path)


def test_a_huge_answer_is_refused():
    with pytest.raises(UnreadableInputError, match=r"odd answered with 25 million values"):
        single_map(np.broadcast_to(np.float32(0), (5000, 5000)), "odd")


def test_networks_that_take_no_picture(write, tmp_path):
    held = onnx.numpy_helper.from_array(np.ones((1, 1, 8, 8), np.float32))
    constant = onnx.helper.make_node("Constant", [], ["depth"], value=held)
    with pytest.raises(UnreadableInputError, match="takes 0 inputs"):
        find_card(write([constant], inputs=()))
    two = [PICTURE, value("more", [1])]
    with pytest.raises(UnreadableInputError, match="takes 2 inputs"):
        find_card(write([GREY, node("Add", "grey", "more", "depth")], inputs=two, name="two.onnx"))
    last = [node("Identity", "image", "depth")]
    with pytest.raises(UnreadableInputError, match="not a picture 1 x 3"):
        find_card(write(last, inputs=[value("image", [1, 64, 64, 3])], name="last.onnx"))


def test_an_answer_that_is_no_array_of_numbers(write, photo):
    text = value("depth", ["h"], onnx.TensorProto.STRING)
    nodes = [node("Cast", "image", "depth", to=onnx.TensorProto.STRING)]
    with pytest.raises(UnreadableInputError, match="no array of numbers"):
        estimate_depth(photo, write(nodes, answers=[text]))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_network_that_answers_no_number_is_refused(write, photo, number):
    path = write([GREY, node("Mul", "grey", "gain", "depth")], gain=np.float32([number]))
    with pytest.raises(UnreadableInputError, match=r"The network .*odd\.onnx answered without"):
        estimate_depth(photo, path)


@pytest.mark.parametrize("kind", ["relative_disparity", "metric_disparity", "relative_depth"])
def test_the_share_that_may_be_open(kind):
    values = np.linspace(1, 2, 100, dtype=np.float32).reshape(10, 10)
    values[0, :9] = np.nan
    assert np.isfinite(to_disparity(RawDepth(values, kind))[0]).all()
    values[:2] = np.nan
    with pytest.raises(UnreadableInputError, match="no number for 20% of the picture"):
        to_disparity(RawDepth(values, kind))


def test_infinite_depth_is_sky_and_not_a_fault():
    values = np.full((10, 10), 4, np.float32)
    values[:5] = np.inf
    disparity, _ = to_disparity(RawDepth(values, "metric_depth"))
    assert (disparity == 0.25).all()
    with pytest.raises(UnreadableInputError, match="without one usable number"):
        to_disparity(RawDepth(np.zeros((4, 4), np.float32), "metric_depth"))


def test_numbers_near_the_end_of_float32_are_no_depth():
    values = np.float32([[1, 2, 3e38, -3e38]] * 4)
    with pytest.raises(UnreadableInputError, match="50% of the picture"):
        to_disparity(RawDepth(values, "relative_disparity"))


def test_people_are_numbers_too():
    depth, person = np.ones((4, 4), np.float32), np.full((4, 4), np.nan, np.float32)
    with pytest.raises(UnreadableInputError, match=r"^Mine answered .* people"):
        checked_answer(RawDepth(depth, "relative_disparity", person), "Mine")


@pytest.mark.parametrize(
    "rule",
    [
        {"long_side": LARGEST_SIDE_PX + 1},
        {"long_side": -64},
        {"long_side": 1e999},
        {"size_hw": [64, 10**30]},
        {"multiple_of": 0},
        {"multiple_of": 10**9},
        {"second_long_side": 10**6},
        {"std": [1, 0, 1]},
        {"mean": [0, float("nan"), 0]},
        {"range": [0, 1e300]},
        {"range": [0]},
        {"long_side": [64]},
    ],
)
def test_numbers_in_metadata_are_bounded(write, rule):
    path = write([GREY, node("Identity", "grey", "depth")], rule=rule)
    with pytest.raises(UnreadableInputError, match=r"odd\.onnx cannot be understood") as refused:
        find_card(path)
    assert len(str(refused.value)) < 400 + len(str(path))


def test_a_fixed_input_is_bounded_too(write):
    wide = value("image", [1, 3, 32, 10**6])
    with pytest.raises(UnreadableInputError, match="width lies between 1 and 4096"):
        find_card(write([GREY, node("Identity", "grey", "depth")], inputs=[wide]))
    with pytest.raises(ValueError, match="height"):
        Preprocessing((0, 64))


def test_a_card_beside_the_network_is_read_as_any_json(write):
    path = write([GREY, node("Identity", "grey", "depth")])
    beside = path.with_name("odd.onnx.json")
    for content in ("[" * 100_000, '{"kind": NaN}', '{"licence": "\\ud800"}', " " * 1_000_001):
        beside.write_text(content)
        with pytest.raises(UnreadableInputError, match=r"The model card .*odd\.onnx\.json"):
            find_card(path)
    beside.write_text(json.dumps({"licence": "M\x1b[31mIT\n" * 99}))
    assert find_card(path).licence.isprintable()
    assert len(find_card(path).licence) < 100


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_network(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(UnreadableInputError, match="no regular file"):
        find_card(tmp_path / "pipe.onnx")


def test_sessions_do_not_pile_up(write):
    nodes = [GREY, node("Identity", "grey", "depth")]
    for number in range(MOST_SESSIONS + 3):
        open_session(write(nodes, name=f"{number}.onnx"))
    assert len(onnx_session._sessions) == MOST_SESSIONS
    path = write(nodes, name="0.onnx")
    for gain in range(3):
        open_session(
            write(
                [GREY, node("Mul", "grey", "g", "depth")], name="0.onnx", g=np.float32([gain + 0.5])
            )
        )
    assert [key[0] for key in onnx_session._sessions].count(str(path.resolve())) == 1


@pytest.mark.parametrize("name", [b"depth", b"image", b"preprocessing"])
def test_a_name_that_is_no_text(write, name):
    path = write([GREY, node("Identity", "grey", "depth")])
    path.write_bytes(path.read_bytes().replace(name, b"\xa0" * len(name)))
    with pytest.raises(UnreadableInputError, match=r"odd\.onnx is (damaged|not an ONNX network)"):
        find_card(path)


def test_a_damaged_network_is_a_sentence_or_still_a_network(tmp_path, photo):
    """Bits flipped all over the embedded network: refused, or it answers; nothing else."""
    whole = embedded_path().read_bytes()
    chance, outcomes = np.random.default_rng(5), set()
    for number in range(12):
        content = bytearray(whole)
        span = 4000 if number % 2 else len(content)
        for place in chance.integers(0, span, 4):
            content[place] ^= 1 << int(chance.integers(8))
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(content)
        try:
            depth = open_estimator(path).estimate(np.asarray(photo.encoded, np.uint8))
            outcomes.add("answered")
            assert np.isfinite(to_disparity(depth)[0]).all()
        except UnreadableInputError:
            outcomes.add("refused")
    assert outcomes == {"answered", "refused"}

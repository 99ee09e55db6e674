"""ONNX networks on the CPU: one cached onnxruntime session per file, and the estimator on it."""

from __future__ import annotations

import mmap
import os
import re
import stat
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.cores import worker_threads
from pullfocus.depth.card import ModelCard, embedded_path
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.normalise import checked_answer
from pullfocus.depth.preprocess import inner_part, prepare
from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.json_files import brief
from pullfocus.telemetry import onnxruntime

PERSON = "person"
"""Name of the output that holds the probability of a person, in files of the lab."""

MOST_SESSIONS = 4
"""Networks kept in memory; the one used longest ago is dropped first."""
DEADLINE_S = 600.0
LOOP_DEADLINE_S = 10.0
"""How long one answer may take. Only a Loop can go on without end, and no depth network known to
this project has one."""
MOST_MEMORY_GB = 1.8
"""What a network from outside may take while it runs, unless PULLFOCUS_MODEL_MEMORY_GB says."""
LARGE_FILE_BYTES = 300_000_000
"""Weights from which on a network legitimately takes more than MOST_MEMORY_GB."""
MOST_ANSWER_PX = 1 << 24
"""Pixels of an answer: LARGEST_SIDE_PX in a square."""


@dataclass(frozen=True, slots=True)
class _Kept:
    session: Any
    deadline_s: float


_Key = tuple[str, int, int]
_sessions: OrderedDict[_Key, _Kept] = OrderedDict()
_lock = threading.Lock()


def open_session(path: Path) -> Any:
    """Return the onnxruntime session of a file; the same object while the file is unchanged.

    Safe to call from several threads; `run` of the session is too. Spinning of idle threads is
    off, so that a waiting program burns no core.

    Raises:
        MissingModelError: no such file.
        UnreadableInputError: not a network that onnxruntime can run on one picture.
    """
    return _opened(path).session


def _opened(path: Path) -> _Kept:
    key = _key(path)
    with _lock:
        kept = _sessions.pop(key, None) or _new(path)
        for older in [other for other in _sessions if other[0] == key[0]]:
            del _sessions[older]  # of the same file, before it changed
        _sessions[key] = kept
        while len(_sessions) > MOST_SESSIONS:
            _sessions.popitem(last=False)
        return kept


def _key(path: Path) -> _Key:
    try:
        found = path.stat()
    except (OSError, ValueError):
        raise MissingModelError(
            f"The network {path} is not there; check the path, or run without --model."
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableInputError(f"The network {path} is no regular file; give an .onnx file.")
    return str(path.resolve()), found.st_mtime_ns, found.st_size


def _new(path: Path) -> _Kept:
    session = _new_session(path)
    try:  # names, sizes and metadata are read from the file's bytes here, not when it was opened
        _ = [(value.name, value.shape) for value in (*session.get_inputs(), *session.get_outputs())]
        _ = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError:
        raise UnreadableInputError(
            f"{path} is damaged: a name in it is no text; fetch or export it again."
        ) from None
    needed = len(session.get_inputs())
    if needed != 1 or not session.get_outputs():
        raise UnreadableInputError(
            f"{path} takes {needed} inputs and gives {len(session.get_outputs())} answers, so it "
            "does not turn one picture into depth; choose another model."
        )
    return _Kept(session, LOOP_DEADLINE_S if _has_loop(path) else DEADLINE_S)


def _has_loop(path: Path) -> bool:
    """Say whether the file holds a node of type Loop: field 4 of ONNX's NodeProto, by its bytes."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"\x22\x04Loop") >= 0


def _new_session(path: Path) -> Any:
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = worker_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if path != embedded_path() and path.stat().st_size < LARGE_FILE_BYTES and _has_memory_limit():
        options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's own errors have no common base class
        raise UnreadableInputError(
            f"{path} is not an ONNX network that this program can run "
            f"({brief(error)}); export it again or choose another model."
        ) from None


@cache
def _has_memory_limit() -> bool:
    """Register the allocator that networks from outside share; say whether there is one."""
    ort = onnxruntime()
    given = os.environ.get("PULLFOCUS_MODEL_MEMORY_GB", "")
    limit_gb = float(given) if re.fullmatch(r"\d{1,6}(\.\d*)?", given) else MOST_MEMORY_GB
    if limit_gb == 0:
        return False
    place = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    # extend strategy 1: only what is asked for, not the next power of two
    limits = ort.OrtArenaCfg({"max_mem": int(limit_gb * 1e9), "arena_extend_strategy": 1})
    try:
        ort.create_and_register_allocator(place, limits)
    except Exception:  # noqa: BLE001 - the program around us has registered its own
        return False
    return True


def answers_of(path: Path, tensor: Float32[np.ndarray, "1 3 h w"]) -> dict[str, np.ndarray]:
    """Run a network on one picture; return its answers by name, in the file's order.

    Raises:
        MissingModelError, UnreadableInputError: see `open_session`; or it failed, or took longer
            than its deadline.
    """
    kept = _opened(path)
    session, options = kept.session, onnxruntime().RunOptions()
    options.log_severity_level = 4
    late = threading.Event()

    def stop() -> None:
        late.set()
        options.terminate = True

    timer = threading.Timer(kept.deadline_s, stop)
    timer.daemon = True
    if path != embedded_path():  # which is known to end
        timer.start()
    try:
        found = session.run(None, {session.get_inputs()[0].name: tensor}, options)
    except Exception as error:  # noqa: BLE001 - as above
        raise UnreadableInputError(_why(path, tensor, error, kept, late.is_set())) from None
    finally:
        timer.cancel()
    return dict(zip((output.name for output in session.get_outputs()), found, strict=True))


def _why(path: Path, tensor: np.ndarray, error: Exception, kept: _Kept, late: bool) -> str:
    if late:
        return (
            f"The network {path} has not answered after {kept.deadline_s:g} s and was stopped; "
            "choose another model."
        )
    if "Available memory of" in str(error):  # what the allocator's limit says
        return (
            f"The network {path} asked for more memory than networks from outside may take; choose "
            "another, or raise the limit with the environment variable PULLFOCUS_MODEL_MEMORY_GB."
        )
    size = f"{tensor.shape[3]}x{tensor.shape[2]}"
    return (
        f"The network {path} did not accept a picture of {size} pixels ({brief(error)}); "
        "state its size in the file's metadata."
    )


@dataclass(frozen=True, slots=True)
class OnnxEstimator:
    """A depth network in an ONNX file: one picture in, a depth map out, `person` too if it can."""

    card: ModelCard
    path: Path

    @property
    def id(self) -> str:
        """The card's id."""
        return self.card.id

    def at_long_side(self, long_side_px: int) -> OnnxEstimator:
        """Return the same network, run once per picture and at another size."""
        size_hw = (long_side_px, long_side_px)
        rule = self.card.preprocessing
        rule = replace(rule, size_hw=size_hw, second_long_side=0)
        return replace(self, card=replace(self.card, preprocessing=rule))

    def estimate(self, rgb: UInt8[np.ndarray, "h w 3"]) -> RawDepth:
        """Run the network at the size its card asks for.

        Raises:
            MissingModelError, UnreadableInputError: see `answers_of`; or the network's answer is
                not a map of finite values.
        """
        given = prepare(rgb, self.card.preprocessing)
        answers = answers_of(self.path, given.tensor)
        depth_name, *others = answers
        found = answers[PERSON] if PERSON in others else None
        person = None if found is None else inner_part(single_map(found, self.path), given.inner_hw)
        values = inner_part(single_map(answers[depth_name], self.path), given.inner_hw)
        return checked_answer(
            RawDepth(values, self.card.output, person), f"The network {self.path}"
        )


def single_map(answer: Any, origin: object) -> Float32[np.ndarray, "h w"]:
    """Take the (h, w) map out of an answer of shape (1, h, w), (1, 1, h, w) or (h, w).

    Raises:
        UnreadableInputError: another shape.
    """
    if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "fiub":
        raise UnreadableInputError(
            f"{origin} answered with something that is no array of numbers; choose a depth model."
        )
    if answer.size > MOST_ANSWER_PX:
        raise UnreadableInputError(
            f"{origin} answered with {answer.size / 1e6:.0f} million values, more than a depth map "
            "can have; choose another model."
        )
    values = np.asarray(answer, dtype=np.float32)
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or 0 in values.shape:
        raise UnreadableInputError(
            f"{origin} answered with shape {np.shape(answer)}, not one depth map; "
            "choose a depth model."
        )
    return np.ascontiguousarray(values)

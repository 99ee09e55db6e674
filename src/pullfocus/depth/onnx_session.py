"""ONNX networks on the CPU: one cached onnxruntime session per file, and the estimator on it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.cores import worker_threads
from pullfocus.depth.card import ModelCard
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.preprocess import inner_part, prepare
from pullfocus.errors import MissingModelError, UnreadableInputError

PERSON = "person"
"""Name of the output that holds the probability of a person, in files of the lab."""

_sessions: dict[tuple[str, int, int], Any] = {}
_lock = threading.Lock()


def open_session(path: Path) -> Any:
    """Return the onnxruntime session of a file; the same object while the file is unchanged.

    Safe to call from several threads; `run` of the session is too. Spinning of idle threads is
    off, so that a waiting program burns no core.

    Raises:
        MissingModelError: no such file.
        UnreadableInputError: not a network that onnxruntime can run.
    """
    try:
        stat = path.stat()
    except OSError:
        raise MissingModelError(
            f"The network {path} is not there; check the path, or run without --model."
        ) from None
    key = (str(path.resolve()), stat.st_mtime_ns, stat.st_size)
    with _lock:
        if key not in _sessions:
            _sessions[key] = _new_session(path)
        return _sessions[key]


def _new_session(path: Path) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = worker_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's own errors have no common base class
        raise UnreadableInputError(
            f"{path} is not an ONNX network that this program can run "
            f"({_first_line(error)}); export it again or choose another model."
        ) from None


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:160]


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
            MissingModelError, UnreadableInputError: see `open_session`; or the network's answer is
                not a map.
        """
        session = open_session(self.path)
        given = prepare(rgb, self.card.preprocessing)
        try:
            answers = session.run(None, {session.get_inputs()[0].name: given.tensor})
        except Exception as error:  # noqa: BLE001 - as above
            raise UnreadableInputError(
                f"The network {self.path} did not accept a picture of "
                f"{given.tensor.shape[3]}x{given.tensor.shape[2]} pixels ({_first_line(error)}); "
                "state its size in the file's metadata."
            ) from None
        names = [output.name for output in session.get_outputs()]
        found = answers[names.index(PERSON)] if PERSON in names[1:] else None
        person = None if found is None else inner_part(single_map(found, self.path), given.inner_hw)
        depth = inner_part(single_map(answers[0], self.path), given.inner_hw)
        return RawDepth(depth, self.card.output, person)


def single_map(answer: Any, origin: object) -> Float32[np.ndarray, "h w"]:
    """Take the (h, w) map out of an answer of shape (1, h, w), (1, 1, h, w) or (h, w).

    Raises:
        UnreadableInputError: another shape.
    """
    values = np.asarray(answer, dtype=np.float32)
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or 0 in values.shape:
        raise UnreadableInputError(
            f"{origin} answered with shape {np.shape(answer)}, not one depth map; "
            "choose a depth model."
        )
    return np.ascontiguousarray(values)

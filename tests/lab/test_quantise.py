"""Int8 twins: nearly the same answers, a smaller file, what the file says stays said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from pullfocus import samples  # noqa: E402
from pullfocus.depth.onnx_card import card_of_onnx  # noqa: E402
from pullfocus.errors import UnreadableInputError, UsageError  # noqa: E402
from pullfocus.lab.cli import EMBEDDED, main  # noqa: E402
from pullfocus.lab.export.byte_weights import read_weights  # noqa: E402
from pullfocus.lab.export.quantise import quantise  # noqa: E402


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    photos = Path(samples.__file__).parent
    assert main(["quantise", str(EMBEDDED), "-o", str(path), "--photos", str(photos)]) == 0
    return path


def test_it_answers_nearly_as_the_float_network(twin: Path):
    rgb = np.asarray(samples_picture())[None].transpose(0, 3, 1, 2).astype(np.float32) / 255
    exact, near = (
        onnxruntime.InferenceSession(str(p)).run(None, {"image": rgb}) for p in (EMBEDDED, twin)
    )
    assert np.corrcoef(exact[0].ravel(), near[0].ravel())[0, 1] > 0.995
    for one, other in zip(exact[1:], near[1:], strict=True):  # the person mask, where there is one
        assert np.abs(one - other).mean() < 0.05
    assert not np.array_equal(exact[0], near[0])


def samples_picture() -> np.ndarray:
    import cv2

    path = next(Path(samples.__file__).parent.glob("street.jpg"))
    return cv2.resize(cv2.imread(str(path))[..., ::-1], (256, 192), interpolation=cv2.INTER_AREA)


def test_the_file_is_a_quarter_of_float32_and_says_the_same(twin: Path):
    weights = read_weights(onnx.load(str(EMBEDDED))).values()
    assert twin.stat().st_size < 0.3 * sum(4 * weight.numel() for weight in weights)
    before, after = card_of_onnx(EMBEDDED), card_of_onnx(twin)
    assert (after.preprocessing, after.output, after.licence) == (
        before.preprocessing,
        before.output,
        before.licence,
    )
    said = {p.key: p.value for p in onnx.load(str(twin)).metadata_props}
    assert said["model_id"].endswith("-int8")


def test_without_photos_or_network_a_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match="needs photos"):
        quantise(EMBEDDED, tmp_path / "out.onnx", [])
    with pytest.raises(UnreadableInputError, match="empty"):
        main(
            [
                "quantise",
                str(EMBEDDED),
                "-o",
                str(tmp_path / "o.onnx"),
                "--photos",
                str(empty(tmp_path)),
            ]
        )


def empty(folder: Path) -> Path:
    made = folder / "empty"
    made.mkdir()
    return made

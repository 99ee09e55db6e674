"""What needs ../shared/data: the teacher at any size, the measured sets."""

from pathlib import Path

import numpy as np
import pytest

from pullfocus.lab.data import truth
from pullfocus.lab.teachers import STAGE_TENSORS, Teacher, teacher_path

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not on this machine")


def test_freed_teacher_agrees_with_the_published_file():
    pytest.importorskip("onnx")
    import onnxruntime

    image = np.random.default_rng(0).random((2, 3, 192, 320), np.float32)
    published = onnxruntime.InferenceSession(str(teacher_path(DATA)))
    expected = [published.run(None, {"input": one[None] * 255})[0][0, 0] for one in image]
    teacher = Teacher(teacher_path(DATA))
    np.testing.assert_allclose(teacher(image), expected, atol=1e-3)
    disparity, stages = teacher.stages(image[:, :, :96, :64])
    assert disparity.shape == (2, 96, 64)
    assert set(stages) == set(STAGE_TENSORS)
    assert stages["e4"].shape == (2, 192, 6, 4)


@pytest.mark.parametrize("name", list(truth.MEASURED))
def test_measured_sets_have_believable_depth(name):
    frame = next(iter(truth.MEASURED[name](DATA)))
    assert frame.rgb.shape[:2] == frame.depth_m.shape == frame.valid.shape
    assert frame.valid.mean() > 0.01
    assert 0.1 < np.median(frame.depth_m[frame.valid]) < 100


def test_held_out_frames_do_not_train():
    trained = {f.rgb.tobytes() for f in truth.sensor_training(DATA)}
    for frames in (truth.hololens_held_out, truth.kinect_held_out):
        assert not trained & {f.rgb.tobytes() for f in frames(DATA)}

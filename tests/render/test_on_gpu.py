"""The tensor path agrees with `fast`, here on CPU tensors."""

import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.render.layered.renderer import render_linear
from pullfocus.types import Lens

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.lab


def _scene(h=160, w=200):
    rng = np.random.default_rng(3)
    picture = np.kron(rng.random((h // 8, w // 8, 3)), np.ones((8, 8, 1))).astype(np.float32)
    d = np.repeat(np.linspace(0, 0.5, h, dtype=np.float32)[:, None], w, axis=1)
    d[40:120, 60:140] = 0.8
    return picture, d


def _psnr(a, b):
    return -10 * np.log10(np.mean((np.clip(a, 0, 1) - np.clip(b, 0, 1)) ** 2))


@pytest.mark.parametrize("focus", [0.0, 0.4, 0.8])
def test_agrees_with_fast_to_45_db(focus):
    from pullfocus.render.layered.torch_backend import render_on_device, upload_scene

    picture, d = _scene()
    gain, lens = 30.0, Lens(blades=6, highlights=0.0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    scene = upload_scene(picture, d, 1.0 * gain, 30.0, device=device)
    tensor = render_on_device(scene, gain, focus, focus, lens).cpu().numpy().transpose(1, 2, 0)
    fast = render_linear(picture, (gain * (d - focus)).astype(np.float32), lens)
    assert _psnr(tensor, fast) >= 45


def test_lamps_are_those_of_fast():
    from pullfocus.render.layered.torch_backend import render_on_device, upload_scene

    picture, d = _scene()
    picture *= 0.1
    rng = np.random.default_rng(4)
    picture[rng.integers(0, 160, 30), rng.integers(0, 200, 30)] = rng.uniform(2, 40, (30, 3))
    gain, lens = 40.0, Lens(blades=7, highlights=0.0)
    scene = upload_scene(picture, d, gain, 40.0, device="cpu")
    tensor = render_on_device(scene, gain, 0.3, 0.3, lens).numpy().transpose(1, 2, 0)
    fast = render_linear(picture, (gain * (d - 0.3)).astype(np.float32), lens)
    assert _psnr(tensor, fast) >= 45


def test_a_cats_eye_is_refused():
    from pullfocus.render.layered.torch_backend import render_on_device, upload_scene

    picture, d = _scene()
    scene = upload_scene(picture, d, 10.0, 10.0, device="cpu")
    with pytest.raises(UsageError, match="CPU only"):
        render_on_device(scene, 10.0, 0.5, 0.5, Lens(cats_eye=0.5))

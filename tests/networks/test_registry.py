"""The registry: every name builds, every slip gets a sentence."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.errors import UsageError  # noqa: E402
from pullfocus.networks.monodepth import Monodepth  # noqa: E402
from pullfocus.networks.registry import NAMES, build  # noqa: E402


@pytest.mark.parametrize("name", NAMES)
def test_every_name_builds_a_module_with_weights(name):
    with torch.device("meta"):
        assert sum(p.numel() for p in build(name).parameters()) > 1e6


def test_settings_reach_the_network():
    with torch.device("meta"):
        net = build("monodepth-resnet50", stereo_input=True)
        small = build("compact", decoder=(8, 16, 32))
    assert isinstance(net, Monodepth)
    assert net.trunk.encoder.stem[0].weight.shape == (64, 6, 7, 7)
    assert small.config.decoder == (8, 16, 32)


@pytest.mark.parametrize(
    ("name", "config", "sentence"),
    [
        ("monodepth-vg", {}, 'no network "monodepth-vg"; did you mean "monodepth-vgg"'),
        ("xyz", {}, "it can be one of compact, monodepth-vgg"),
        ("deep3d", {"shift": 3}, 'no setting "shift"; did you mean "shifts"'),
        ("monodepth-vgg", {"encoder": "vgg"}, "it can be one of stereo_input"),
        ("unet", {"colour": 3}, "it can be one of widths"),
        ("dpt-s", {"heads": "dept"}, 'knows no heads "dept"; did you mean "depth"'),
        ("dpt-s", {"family": "mae"}, "it can be one of vit, dinov2, None"),
        ("compact", {"block": "residul"}, 'did you mean "residual"'),
    ],
)
def test_a_slip_gets_a_sentence_with_a_suggestion(name, config, sentence):
    with pytest.raises(UsageError, match=sentence):
        build(name, **config)

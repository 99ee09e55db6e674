"""A traced graph answers at sizes it was not traced at: what export to ONNX lives on."""

import warnings

import pytest

torch = pytest.importorskip("torch")

from pullfocus.networks.registry import build  # noqa: E402

CASES = [
    ("monodepth-vgg", {"thin": 16}, (128, 128), (128, 256)),
    ("unet", {"widths": (4, 4, 4, 4)}, (32, 48), (50, 33)),
    ("dynamic-depth", {"thin": 16}, (32, 64), (96, 32)),
    ("dpt-ti", {"heads": "both"}, (32, 48), (64, 16)),
]


def _flat(answer):
    """Return a network's answer as a list of tensors."""
    if isinstance(answer, dict):
        return list(answer.values())
    return list(answer) if isinstance(answer, list | tuple) else [answer]


class _Listing(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        return tuple(_flat(self.net(image)))


@pytest.mark.parametrize(("name", "config", "traced_hw", "other_hw"), CASES)
def test_traced_graphs_take_other_sizes(name, config, traced_hw, other_hw):
    net = _Listing(build(name, **config)).eval()
    image = torch.rand(1, 3, *other_hw)
    with torch.no_grad(), warnings.catch_warnings():
        # Warnings of the tracer itself stay errors: each is a size frozen into the graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        graph = torch.jit.trace(net, torch.rand(1, 3, *traced_hw), check_trace=False)
        for own, traced in zip(net(image), graph(image), strict=True):
            torch.testing.assert_close(traced, own)

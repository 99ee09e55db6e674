"""From an exported ONNX file back to torch, to go on training from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from pullfocus.lab.export.byte_weights import read_weights
from pullfocus.networks.blocks import ConvNorm
from pullfocus.networks.compact import Compact


@torch.no_grad()
def start_from_onnx(path: Path, net: Compact, images: torch.Tensor) -> Compact:
    """Return net with the weights of an exported file, its norms measured on some pictures.

    Args:
        path: an exported file of the same configuration.
        net: the network to fill; left in evaluation mode.
        images: b 3 h w in 0..1, ordinary pictures; b h w / 1024 should be some hundreds.

    Layers that the file does not hold (those of a head that is new) stay as they were made.
    """
    weights = read_weights(onnx.load(str(path)))
    for name, module in net.named_modules():
        if isinstance(module, ConvNorm) and f"{name}.0.weight" in weights:
            conv, norm = _pair(module)
            conv.weight.copy_(weights[f"{name}.0.weight"])
            norm.bias.copy_(weights[f"{name}.0.bias"])
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.add_(norm.running_mean)
            module.register_forward_hook(_measure_norm)
    state = net.state_dict()
    state |= {n: w for n, w in weights.items() if n in state and _is_plain(n)}
    net.load_state_dict(state)
    net.eval()(images)
    for module in net.modules():
        module._forward_hooks.clear()
    return net


def _is_plain(name: str) -> bool:
    """Tell whether weights belong to a layer without a norm: the two outputs and the context."""
    return name.startswith(("out.", "person.")) or ".mix." in name


def _pair(module: nn.Module) -> tuple[nn.Conv2d, Any]:
    """Return the convolution and the norm of a ConvNorm."""
    conv, norm = list(module.children())[:2]
    assert isinstance(conv, nn.Conv2d)
    return conv, norm


def _measure_norm(module: nn.Module, inputs: tuple[torch.Tensor], _: torch.Tensor) -> None:
    """Give a norm the statistics of what flows in, and gains that keep its answer as it was."""
    conv, norm = _pair(module)
    flow = conv(inputs[0])
    mean, variance = flow.mean((0, 2, 3)), flow.var((0, 2, 3))
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    norm.bias.add_(gain * (mean - norm.running_mean))
    norm.weight.copy_(gain * (variance + norm.eps).sqrt())
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)

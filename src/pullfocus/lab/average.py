"""The mean of exported embedded networks, one of which was trained on from the other.

Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", section 3: what further
    training forgets of a network comes back when both are averaged weight by weight.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from pullfocus.errors import UsageError
from pullfocus.lab.byte_weights import read_weights, round_to_bytes
from pullfocus.lab.export import export, folded
from pullfocus.lab.model_card import METADATA
from pullfocus.networks.compact import Compact


def average(networks: list[Path], path: Path) -> None:
    """Write the network whose every weight is the mean over exported files of `Compact`.

    Raises:
        UsageError: a file that holds another network.
    """
    net = folded(Compact().eval())
    state = {name: value for name, value in net.state_dict().items() if name not in ("mean", "std")}
    stored = [read_weights(onnx.load(str(file))) for file in networks]
    for file, weights in zip(networks, stored, strict=True):
        if any(name not in weights or weights[name].shape != state[name].shape for name in state):
            raise UsageError(f"{file} is no embedded network as this version trains them.")
    means = {name: torch.stack([weights[name] for weights in stored]).mean(0) for name in state}
    net.load_state_dict(means, strict=False)
    round_to_bytes(net)
    export(net, path, METADATA)

"""Public backbones' tensors under our names; reading them from disk is ``lab.pretrained``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pullfocus.errors import UsageError
from pullfocus.networks.resnet import ResNet
from pullfocus.networks.vit import ViT, resample_positions

State = Mapping[str, Tensor]

_VIT_NAMES = (
    (r"embeddings\.cls_token", "token"),
    (r"embeddings\.position_embeddings", "positions"),
    (r"embeddings\.patch_embeddings\.projection", "patches"),
    (r"encoder\.layer\.(\d+)\.(?:norm1|layernorm_before)", r"blocks.\1.norm1"),
    (r"encoder\.layer\.(\d+)\.(?:norm2|layernorm_after)", r"blocks.\1.norm2"),
    (r"encoder\.layer\.(\d+)\.attention\.attention\.", r"blocks.\1.attention."),
    (r"encoder\.layer\.(\d+)\.attention\.output\.dense", r"blocks.\1.attention.out"),
    (r"encoder\.layer\.(\d+)\.(?:intermediate\.dense|mlp\.fc1)", r"blocks.\1.mlp.0"),
    (r"encoder\.layer\.(\d+)\.(?:output\.dense|mlp\.fc2)", r"blocks.\1.mlp.2"),
    (r"encoder\.layer\.(\d+)\.layer_scale(\d)\.lambda1", r"blocks.\1.scale\2.gain"),
)
"""Names in transformers' files of ViT and Dinov2, and ours."""

_RESNET_NAMES = (
    (r"embedder\.embedder\.", "stem.0."),
    (r"encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.", r"stages.\1.\2.shortcut."),
    (
        r"encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d+)\.",
        lambda m: f"stages.{m[1]}.{m[2]}.body.{2 * int(m[3])}.",
    ),
)


def _renamed(state: State, prefixes: str, names: tuple) -> dict[str, Tensor]:
    """Return the tensors whose names the table knows, renamed; a model's own prefix is dropped."""
    out = {}
    for name, tensor in state.items():
        short = re.sub(rf"^(?:{prefixes})\.", "", name)
        for pattern, ours in names:
            renamed, hits = re.subn(f"^{pattern}", ours, short)
            if hits:
                out[renamed] = tensor
                break
    return out


def load_vit(net: ViT, state: State) -> None:
    """Put the weights of a Hugging Face ViT or DINOv2 into the backbone.

    Positions learned on another grid are resampled.

    Raises:
        UsageError: the tensors are of another architecture or size.
    """
    ours = _renamed(state, "vit|dinov2", _VIT_NAMES)
    for index in range(net.config.depth):
        for kind in ("weight", "bias"):
            at = f"blocks.{index}.attention."
            parts = [ours.pop(f"{at}{part}.{kind}", None) for part in ("query", "key", "value")]
            whole = [part for part in parts if part is not None]
            if len(whole) == len(parts):
                ours[f"{at}qkv.{kind}"] = torch.cat(whole)
    positions = ours.get("positions")
    if positions is not None and positions.shape[1] != net.positions.shape[1]:
        grid, theirs = net.config.grid, math.isqrt(positions.shape[1] - 1)
        ours["positions"] = resample_positions(positions.float(), theirs, (grid, grid))
    _fill(net, ours)


def load_resnet(net: ResNet, state: State) -> None:
    """Put the weights of a Hugging Face ResNet into the encoder.

    Raises:
        UsageError: the tensors are of another architecture or size.
    """
    ours = _renamed(state, "resnet", _RESNET_NAMES)
    kinds = (("convolution", "0"), ("normalization", "1"))
    for theirs, own in kinds:
        ours = {name.replace(f".{theirs}.", f".{own}."): value for name, value in ours.items()}
    _fill(net, ours)


def _fill(net: nn.Module, state: dict[str, Tensor]) -> None:
    own = net.state_dict()
    missing, foreign = own.keys() - state.keys(), state.keys() - own.keys()
    misfits = [k for k in own.keys() & state.keys() if own[k].shape != state[k].shape]
    if missing or foreign or misfits:
        example = min([*missing, *foreign, *misfits])
        raise UsageError(
            f"The weights do not fit this backbone ({len(missing)} tensors missing, "
            f"{len(foreign)} too many, {len(misfits)} of another shape, such as {example}); "
            "take those of the same architecture, size and patch."
        )
    net.load_state_dict(state)

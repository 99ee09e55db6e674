"""Every network by its name: what recipes and checkpoints call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from torch import nn

from pullfocus.errors import UsageError
from pullfocus.networks.compact import Compact, CompactConfig
from pullfocus.networks.deep3d import Deep3D
from pullfocus.networks.dynamic_depth import DynamicDepth
from pullfocus.networks.dynamic_motion import DynamicMotion
from pullfocus.networks.laina import UpProjection
from pullfocus.networks.monodepth import Monodepth
from pullfocus.networks.resnet_unet import ResNetUNet
from pullfocus.networks.unet import UNet


def _compact(**config: Any) -> Compact:
    return Compact(CompactConfig(**config))


Entry = tuple[Callable[..., nn.Module], Callable[..., object], dict[str, object]]
"""What builds the network, whose signature names its settings, and the settings the name fixes."""

_ENTRIES: dict[str, Entry] = {
    "compact": (_compact, CompactConfig, {}),
    "monodepth-vgg": (Monodepth, Monodepth, {"encoder": "vgg"}),
    "monodepth-resnet50": (Monodepth, Monodepth, {"encoder": "resnet50"}),
    "deep3d": (Deep3D, Deep3D, {}),
    "dynamic-depth": (DynamicDepth, DynamicDepth, {}),
    "dynamic-motion": (DynamicMotion, DynamicMotion, {}),
    "unet": (UNet, UNet, {}),
    "resnet34-unet": (ResNetUNet, ResNetUNet, {}),
    "laina": (UpProjection, UpProjection, {}),
}

NAMES = tuple(_ENTRIES)
"""Names that ``build`` knows."""


def build(name: str, **config: object) -> nn.Module:
    """Return the named network with fresh weights.

    Args:
        name: one of ``NAMES``.
        config: settings of that network, named as in its class's signature.

    Raises:
        UsageError: no network has that name, or the network has no such setting; the sentence
            suggests what was meant.
    """
    if name not in _ENTRIES:
        raise UsageError(f'There is no network "{name}"; {_suggest(name, NAMES)}.')
    make, signed, fixed = _ENTRIES[name]
    known = [key for key in inspect.signature(signed).parameters if key not in fixed]
    for key in config:
        if key not in known:
            raise UsageError(
                f'The network "{name}" has no setting "{key}"; {_suggest(key, known)}.'
            )
    settings: Mapping[str, Any] = {**fixed, **config}
    return make(**settings)


def _suggest(word: str, known: list[str] | tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1)
    if close:
        return f'did you mean "{close[0]}"'
    return f"it can be one of {', '.join(known)}" if known else "it takes none"

"""Every network by its name: what recipes and checkpoints call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from torch import nn

from pullfocus.errors import UsageError
from pullfocus.networks.compact import Compact, CompactConfig
from pullfocus.networks.deep3d import Deep3D
from pullfocus.networks.dpt import DPT, SIZES
from pullfocus.networks.dynamic_depth import DynamicDepth
from pullfocus.networks.dynamic_motion import DynamicMotion
from pullfocus.networks.laina import UpProjection
from pullfocus.networks.monodepth import Monodepth
from pullfocus.networks.unet import ResNetUNet, UNet


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
    **{f"dpt-{size.lower()}": (DPT, DPT, {"size": size}) for size in SIZES},
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
    parameters = inspect.signature(signed, eval_str=True).parameters
    free = {key: _choices(given.annotation) for key, given in parameters.items()}
    for key in fixed:
        del free[key]
    for key, value in config.items():
        if key not in free:
            said = f'has no setting "{key}"; {_suggest(key, list(free))}'
            raise UsageError(f'The network "{name}" {said}.')
        if free[key] and value not in free[key]:
            said = f'knows no {key} "{value}"; {_suggest(str(value), [*map(str, free[key])])}'
            raise UsageError(f'The network "{name}" {said}.')
    settings: Mapping[str, Any] = {**fixed, **config}
    return make(**settings)


def _choices(hint: object) -> tuple[object, ...]:
    """Return what a Literal, or a union of Literals and None, allows; () for other types."""
    if hint is NoneType:
        return (None,)
    if get_origin(hint) is Literal:
        return get_args(hint)
    parts = [_choices(part) for part in get_args(hint)]
    is_union = get_origin(hint) in (Union, UnionType)
    return tuple(chain(*parts)) if is_union and all(parts) else ()


def _suggest(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 1)
    if close:
        return f'did you mean "{close[0]}"'
    return f"it can be one of {', '.join(known)}"

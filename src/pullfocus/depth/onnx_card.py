"""Read what an ONNX file says about itself, or guess it in the documented way.

Metadata of the file (ONNX metadata_props) or of `NAME.onnx.json` beside it, which wins:

    kind            "relative_disparity" | "metric_disparity" | "relative_depth" | "metric_depth"
                    ("relative" = relative_disparity, "metric" = metric_depth)
    polarity        "near_is_large" | "far_is_large": turns disparity into depth or back in `kind`
    preprocessing   JSON: size_hw [h, w], multiple, rule, scale, mean [3], std [3]
    licence         SPDX identifier

Without them: the input's fixed size, else 384 on the longer side in multiples of 32; ImageNet mean
and deviation over 0..1; relative disparity, larger = nearer, as MiDaS and its descendants.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

from pullfocus.depth.card import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    OUTPUT_KINDS,
    ModelCard,
    OutputKind,
    Preprocessing,
)
from pullfocus.depth.onnx_session import open_session
from pullfocus.errors import UnreadableInputError

GUESS_NOTE = (
    "The file says nothing about its kind or preprocessing: taken as relative disparity from an "
    "ImageNet-normalised picture."
)
_SHORT = {"relative": "relative_disparity", "metric": "metric_depth"}


def card_of_onnx(path: Path) -> ModelCard:
    """Make the card of a local ONNX file.

    Raises:
        MissingModelError, UnreadableInputError: see `open_session`; or bad metadata.
    """
    session = open_session(path)
    said = {**session.get_modelmeta().custom_metadata_map, **_sidecar(path)}
    shape = session.get_inputs()[0].shape
    try:
        kind = _kind(said)
        rule = _preprocessing(said, shape)
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableInputError(
            f"The metadata of {path} cannot be understood ({error}); correct it or remove it."
        ) from None
    note = "" if "kind" in said and "preprocessing" in said else GUESS_NOTE
    return ModelCard(
        id=path.name,
        licence=str(said.get("licence") or said.get("license") or "unknown"),
        output=kind,
        source="onnx",
        preprocessing=rule,
        location=path,
        size_mb=path.stat().st_size / 1e6,
        note=note,
    )


def _sidecar(path: Path) -> dict[str, Any]:
    beside = path.with_name(path.name + ".json")
    if not beside.is_file():
        return {}
    try:
        said = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableInputError(
            f"{beside} is not readable JSON ({error}); correct it."
        ) from None
    if not isinstance(said, dict):
        raise UnreadableInputError(f"{beside} must hold one JSON object; correct it.")
    return said


def _kind(said: Mapping[str, Any]) -> OutputKind:
    kind = str(said.get("kind", "relative_disparity"))
    kind = _SHORT.get(kind, kind)
    if kind not in OUTPUT_KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(OUTPUT_KINDS)}")
    unit = kind.split("_")[0]
    polarity = said.get("polarity")
    if polarity == "near_is_large":
        kind = f"{unit}_disparity"
    elif polarity == "far_is_large":
        kind = f"{unit}_depth"
    elif polarity is not None:
        raise ValueError(f"polarity {polarity!r} is neither near_is_large nor far_is_large")
    return cast(OutputKind, kind)


def _preprocessing(said: Mapping[str, Any], shape: list[Any]) -> Preprocessing:
    height, width = shape[-2:] if len(shape) == 4 else (None, None)
    rule = Preprocessing(mean=IMAGENET_MEAN, std=IMAGENET_STD)
    if isinstance(height, int) and isinstance(width, int):
        rule = replace(rule, size_hw=(height, width), multiple=1, rule="fixed")
    given = said.get("preprocessing", {})
    given = json.loads(given) if isinstance(given, str) else given
    known = {field.name for field in fields(Preprocessing)}
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"preprocessing has no {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in given.items()
    }
    return replace(rule, **values)

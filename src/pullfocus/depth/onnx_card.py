"""Read what an ONNX file says about itself, or guess it in the documented way.

Metadata of the file (ONNX metadata_props, as the lab's export writes them) or of `NAME.onnx.json`
beside it, which wins:

    kind            "relative disparity" | "metric disparity" | "relative depth" | "metric depth"
    polarity        "larger = nearer" | "larger = farther"; turns disparity into depth or back
    preprocessing   JSON: mean [3], std [3], range [0, 1] or [0, 255], channels "RGB", multiple_of,
                    and long_side (keeps the aspect) or size_hw [h, w] (does not); with long_side,
                    second_long_side asks for flip averaging at that size (person_long_side of
                    older exports is ignored: people come from the embedded subject network)
    licence         SPDX identifier

Without them: the input's fixed size, else 384 on the longer side in multiples of 32; ImageNet mean
and deviation over 0..1; relative disparity, larger = nearer, as MiDaS and its descendants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pullfocus.depth.card import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    OUTPUT_KINDS,
    ModelCard,
    OutputKind,
    Preprocessing,
    Triple,
)
from pullfocus.depth.onnx_session import open_session
from pullfocus.errors import UnreadableInputError
from pullfocus.json_files import brief, parse_json, read_json

GUESS_NOTE = (
    "The file says nothing about its kind or preprocessing: taken as relative disparity from an "
    "ImageNet-normalised picture."
)
_KEYS = {
    "mean",
    "std",
    "range",
    "channels",
    "multiple_of",
    "long_side",
    "size_hw",
    "second_long_side",
    "person_long_side",
}


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
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise UnreadableInputError(
            f"The metadata of {path} cannot be understood ({brief(error)}); correct it or remove "
            "it."
        ) from None
    note = "" if "kind" in said and "preprocessing" in said else GUESS_NOTE
    return ModelCard(
        id=path.name,
        licence=brief(said.get("licence") or said.get("license") or "unknown", 80),
        output=kind,
        source="onnx",
        preprocessing=rule,
        location=path,
        size_mb=path.stat().st_size / 1e6,
        note=note,
    )


def _sidecar(path: Path) -> dict[str, Any]:
    beside = path.with_name(path.name + ".json")
    if not beside.exists():
        return {}
    said = read_json(beside, "The model card")
    if not isinstance(said, dict):
        raise UnreadableInputError(f"{beside} must hold one JSON object; correct it.")
    return said


def _kind(said: Mapping[str, Any]) -> OutputKind:
    kind = str(said.get("kind", "relative_disparity")).replace(" ", "_")
    if kind not in OUTPUT_KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(OUTPUT_KINDS)}")
    unit = kind.split("_")[0]
    polarity = said.get("polarity")
    if polarity == "larger = nearer":
        kind = f"{unit}_disparity"
    elif polarity == "larger = farther":
        kind = f"{unit}_depth"
    elif polarity is not None:
        raise ValueError(f"polarity {polarity!r} is not 'larger = nearer' or 'larger = farther'")
    return cast(OutputKind, kind)


def _preprocessing(said: Mapping[str, Any], shape: list[Any]) -> Preprocessing:
    rule = Preprocessing(mean=IMAGENET_MEAN, std=IMAGENET_STD)
    given = said.get("preprocessing", {})
    given = parse_json(given) if isinstance(given, str) else given
    if unknown := set(given) - _KEYS:
        raise ValueError(f"preprocessing has no {', '.join(sorted(unknown))}")
    if given.get("channels", "RGB") != "RGB":
        raise ValueError("only RGB networks can be used")
    if "long_side" in given:
        rule = replace(rule, size_hw=(int(given["long_side"]),) * 2)
    if "size_hw" in given:
        height, width = given["size_hw"]
        rule = replace(rule, size_hw=(int(height), int(width)), rule="fixed")
    low, high = given.get("range", (0, 1))
    if low != 0 or high <= 0:
        raise ValueError(f"range {given['range']} does not start at 0")
    rule = replace(
        rule,
        multiple=int(given.get("multiple_of", rule.multiple)),
        scale=high / 255.0,
        mean=_triple(given.get("mean", rule.mean)),
        std=_triple(given.get("std", rule.std)),
        second_long_side=int(given.get("second_long_side", 0)),
    )
    return _fixed(rule, shape)


def _fixed(rule: Preprocessing, shape: list[Any]) -> Preprocessing:
    """Let a size that is fixed in the network's input win over everything said."""
    channels = shape[1] if len(shape) == 4 else 3
    if len(shape) not in (0, 4) or (isinstance(channels, int) and channels != 3):
        raise ValueError(f"its input is {shape}, not a picture 1 x 3 x height x width")
    height, width = shape[-2:] if shape else (None, None)
    if isinstance(height, int) and isinstance(width, int):
        rule = replace(rule, second_long_side=0)
        return replace(rule, size_hw=(height, width), multiple=1, rule="fixed")
    return rule


def _triple(values: Any) -> Triple:
    red, green, blue = (float(v) for v in values)
    return red, green, blue

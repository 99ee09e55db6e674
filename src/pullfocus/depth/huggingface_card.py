"""Read a transformers depth model's own configuration into a card: kind, metres, preprocessing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pullfocus.depth.card import HALF, ModelCard, OutputKind, Preprocessing, Triple
from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.json_files import brief, read_json

_METRIC_DEPTH = ("zoedepth", "glpn")
_METRIC_DISPARITY = ("depth_pro",)
_RELATIVE = ("dpt", "depth_anything")
LARGEST_NUMBER = 65536
"""In a configuration: the largest known depth network has 4096 channels."""


def card_of_folder(folder: Path) -> ModelCard:
    """Make the card of a folder written by transformers' save_pretrained.

    Raises:
        MissingModelError: no config.json in it.
        UnreadableInputError: not a depth model that this program knows.
    """
    card = ModelCard(
        id=folder.name,
        licence="unknown",
        output="relative_disparity",
        source="folder",
        location=folder,
    )
    return completed(card, folder)


def completed(card: ModelCard, folder: Path) -> ModelCard:
    """Return the card with output kind and preprocessing as the files in `folder` state them.

    Raises:
        MissingModelError, UnreadableInputError: as `card_of_folder`.
    """
    config = _read_json(folder / "config.json")
    if config is None:
        raise MissingModelError(
            f"{folder} holds no config.json, so it is no transformers model; give the folder that "
            "save_pretrained wrote."
        )
    kind = _output_kind(config, folder)
    _check_sizes(config, folder)
    processor = _read_json(folder / "preprocessor_config.json")
    try:
        rule = card.preprocessing if processor is None else _preprocessing(processor, config)
        if processor is None and card.source == "folder":
            rule = _default_rule(config)
    except (ValueError, TypeError, OverflowError) as error:
        raise UnreadableInputError(
            f"The preprocessing in {folder} cannot be understood ({brief(error)}); fetch it again."
        ) from None
    return replace(card, output=kind, preprocessing=rule)


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    said = read_json(path, "The model file", "fetch it again")
    return said if isinstance(said, dict) else {}


def _check_sizes(config: dict[str, Any], folder: Path) -> None:
    """Refuse sizes that no network has, before memory is taken for them."""
    waiting: list[Any] = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, int) and value > LARGEST_NUMBER:
            raise UnreadableInputError(
                f"The config.json in {folder} asks for a network with {value:.3g} parts of a kind; "
                "fetch it again or choose another model."
            )


def _output_kind(config: dict[str, Any], folder: Path) -> OutputKind:
    """Convention: DPT and Depth Anything say larger = nearer; metric heads say metres.

    Source: transformers, `depth_estimation_type` of DepthAnythingConfig; the post-processing of
        ZoeDepth, GLPN (depth) and DepthPro (inverse depth).
    """
    family = brief(config.get("model_type"), 60)
    if family in _METRIC_DEPTH or config.get("depth_estimation_type") == "metric":
        return "metric_depth"
    if family in _METRIC_DISPARITY:
        return "metric_disparity"
    if family in _RELATIVE:
        return "relative_disparity"
    raise UnreadableInputError(
        f"{folder} holds a {family!r} model, which is not a depth model this program knows; "
        "`pullfocus models` lists some."
    )


def _default_rule(config: dict[str, Any]) -> Preprocessing:
    """Choose what the family was trained with, where no preprocessor_config.json says it."""
    from pullfocus.depth.card import IMAGENET_MEAN, IMAGENET_STD

    patch = config.get("patch_size")
    if config.get("model_type") == "depth_anything":
        multiple = patch if isinstance(patch, int) else 14
        return Preprocessing(
            (518, 518), multiple, "short_side", mean=IMAGENET_MEAN, std=IMAGENET_STD
        )
    if config.get("model_type") == "zoedepth":
        return Preprocessing((384, 512), 32, "pad", mean=HALF, std=HALF)
    if config.get("model_type") == "glpn":
        return Preprocessing((640, 640), 32, "long_side")
    side = config.get("image_size")
    aim = side if isinstance(side, int) else 384
    multiple = 32 if config.get("is_hybrid") or not isinstance(patch, int) else patch
    return Preprocessing((aim, aim), multiple, "fixed", mean=HALF, std=HALF)


def _preprocessing(said: dict[str, Any], config: dict[str, Any]) -> Preprocessing:
    default = _default_rule(config)
    mean = _triple(said.get("image_mean"), default.mean)
    std = _triple(said.get("image_std"), default.std)
    scale = float(said.get("rescale_factor", 1 / 255)) if said.get("do_rescale", True) else 1.0
    if not said.get("do_normalize", config.get("model_type") != "glpn"):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    rule = replace(default, mean=mean, std=std, scale=scale)
    size = said.get("size")
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        rule = replace(rule, size_hw=(int(size["height"]), int(size["width"])))
        keep = said.get("keep_aspect_ratio", False)
        rule = replace(rule, rule="short_side" if keep else "fixed")
        if keep and said.get("do_pad") and config.get("model_type") == "zoedepth":
            rule = replace(rule, rule="pad")
    if _is_square_only(config):
        rule = replace(rule, rule="fixed")
    multiple = said.get("ensure_multiple_of")
    if isinstance(multiple, int) and multiple > 0:
        rule = replace(rule, multiple=max(multiple, 1))
    return rule


def _is_square_only(config: dict[str, Any]) -> bool:
    """Say whether the model takes square pictures only: DPT without a backbone of its own.

    Source: transformers, DPTForDepthEstimation.forward passes no patch grid in that case.
    """
    has_backbone = bool(config.get("backbone_config") or config.get("backbone"))
    return config.get("model_type") == "dpt" and (config.get("is_hybrid") or not has_backbone)


def _triple(values: Any, otherwise: Triple) -> Triple:
    if not isinstance(values, list) or len(values) != 3:
        return otherwise
    red, green, blue = (float(v) for v in values)
    return red, green, blue

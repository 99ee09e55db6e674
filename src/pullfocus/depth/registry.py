"""Every depth model by name: the embedded network, Hugging Face ids, folders and ONNX files."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pullfocus.depth.card import (
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    ModelCard,
    OutputKind,
    Preprocessing,
    embedded_path,
)
from pullfocus.depth.estimator import Estimator
from pullfocus.errors import MissingModelError, UsageError

EMBEDDED = "pullfocus-depth"

_EMBEDDED_RULE = Preprocessing((416, 416), 32, "long_side", second_long_side=320)
"""Where the embedded network scores best (weights/MODEL_CARD.md); its file says the same."""
_DPT = Preprocessing((384, 384), 32, "fixed", mean=HALF, std=HALF)
_ANYTHING = Preprocessing((518, 518), 14, "short_side", mean=IMAGENET_MEAN, std=IMAGENET_STD)
_ZOE = Preprocessing((384, 512), 32, "pad", mean=HALF, std=HALF)
_PRO = Preprocessing((1536, 1536), 1, "fixed", mean=HALF, std=HALF)
_GLPN = Preprocessing((640, 640), 32, "long_side")
_NON_COMMERCIAL = "Its weights may not be used commercially."


def _hub(
    id_: str,
    licence: str,
    output: OutputKind,
    rule: Preprocessing,
    *,
    millions: float,
    note: str = "",
) -> ModelCard:
    return ModelCard(
        id=id_,
        licence=licence,
        output=output,
        source="huggingface",
        preprocessing=rule,
        parameters_m=millions,
        size_mb=round(millions * 4, 1),
        note=note,
    )


_DAV2 = "depth-anything/Depth-Anything-V2-"
CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id=EMBEDDED,
        licence="MIT",
        output="relative_disparity",
        source="embedded",
        preprocessing=_EMBEDDED_RULE,
        note="Inside the wheel, no download; trained by this project's lab.",
    ),
    _hub(_DAV2 + "Small-hf", "Apache-2.0", "relative_disparity", _ANYTHING, millions=24.8),
    _hub(
        _DAV2 + "Base-hf",
        "CC-BY-NC-4.0",
        "relative_disparity",
        _ANYTHING,
        millions=97.5,
        note=_NON_COMMERCIAL,
    ),
    _hub(
        _DAV2 + "Large-hf",
        "CC-BY-NC-4.0",
        "relative_disparity",
        _ANYTHING,
        millions=335.3,
        note=_NON_COMMERCIAL,
    ),
    _hub(
        _DAV2 + "Metric-Indoor-Small-hf",
        "Apache-2.0",
        "metric_depth",
        _ANYTHING,
        millions=24.8,
        note="Metres up to 20 m.",
    ),
    _hub(
        _DAV2 + "Metric-Outdoor-Small-hf",
        "Apache-2.0",
        "metric_depth",
        _ANYTHING,
        millions=24.8,
        note="Metres up to 80 m.",
    ),
    _hub(
        "LiheYoung/depth-anything-small-hf",
        "Apache-2.0",
        "relative_disparity",
        _ANYTHING,
        millions=24.8,
    ),
    _hub("Intel/dpt-hybrid-midas", "Apache-2.0", "relative_disparity", _DPT, millions=123.0),
    _hub("Intel/dpt-large", "Apache-2.0", "relative_disparity", _DPT, millions=343.0),
    _hub("Intel/zoedepth-nyu-kitti", "MIT", "metric_depth", _ZOE, millions=345.0),
    _hub(
        "vinvino02/glpn-nyu", "Apache-2.0", "metric_depth", _GLPN, millions=61.2, note="Rooms only."
    ),
    _hub(
        "apple/DepthPro-hf",
        "apple-amlr",
        "metric_disparity",
        _PRO,
        millions=952.0,
        note="Apple's research licence: not for commercial use; slow on a CPU.",
    ),
)
_BY_ID = {card.id.lower(): card for card in CARDS}
_ALIASES = {"compact": EMBEDDED, "embedded": EMBEDDED, "pullfocus-compact": EMBEDDED}
"""Other names of the embedded network; `pullfocus-compact` stands in sidecars of older versions."""


def models() -> tuple[ModelCard, ...]:
    """Return the cards of all models known by name, the embedded one first."""
    return CARDS


def find_card(model: str | Path | None = None) -> ModelCard:
    """Find or make the card for what a person gave as the model.

    model: None (the embedded network), a known name, a Hugging Face id "owner/name", a folder
        written by transformers' save_pretrained, or an .onnx file.

    Raises:
        UsageError: a name that is none of these.
        MissingModelError, UnreadableInputError: a local model that is not there or is broken.
    """
    if model is None:
        return _BY_ID[EMBEDDED]
    name = str(model)
    known = _BY_ID.get(_ALIASES.get(name.lower(), name.lower()))
    if known is not None:
        return known
    path = Path(os.path.expanduser(name))
    if path.suffix.lower() == ".onnx":
        from pullfocus.depth.onnx_card import card_of_onnx

        return card_of_onnx(path)
    if name and path.is_dir():
        from pullfocus.depth.huggingface_card import card_of_folder

        return card_of_folder(path)
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        return ModelCard(
            id=name,
            licence="unknown",
            output="relative_disparity",
            source="huggingface",
            note="Not in the list: kind and preprocessing come from its own configuration.",
        )
    raise UsageError(
        f"{name!r} is no depth model: give one of the names that `pullfocus models` lists, a "
        "Hugging Face id (owner/name), a folder or an .onnx file."
    )


def open_estimator(
    model: str | Path | ModelCard | None = None, *, long_side_px: int | None = None
) -> Estimator:
    """Return the estimator for a model, ready to look at pictures; opened once and kept.

    long_side_px: size at which the embedded network looks, where its card's is too slow; other
        models keep theirs.

    Raises:
        MissingModelError: the weights or an optional package are not on this machine.
        UsageError, UnreadableInputError: see `find_card`.
    """
    card = model if isinstance(model, ModelCard) else find_card(model)
    if long_side_px is not None and card.source == "embedded":
        rule = replace(card.preprocessing, size_hw=(long_side_px, long_side_px))
        card = replace(card, preprocessing=rule)
    return _opened(card)


@lru_cache(maxsize=2)
def _opened(card: ModelCard) -> Estimator:
    if card.source in ("embedded", "onnx"):
        from pullfocus.depth.onnx_session import OnnxEstimator

        path = card.location or embedded_path()
        if not path.is_file():
            raise MissingModelError(
                f"The network {card.id} is not in this installation ({path} is missing); "
                "reinstall pullfocus or choose another with --model."
            )
        return OnnxEstimator(card, path)
    from pullfocus.depth.huggingface import open_huggingface

    return open_huggingface(card)

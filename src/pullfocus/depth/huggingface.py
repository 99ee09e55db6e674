"""Depth models of the Hugging Face hub: weights by huggingface_hub, networks by transformers.

torch and transformers are imported here only, when such a model is opened. Pictures are prepared by
`preprocess` from the model's own preprocessor_config.json, so torchvision is not needed.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pullfocus.depth.card import ModelCard
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.huggingface_card import completed
from pullfocus.depth.normalise import checked_answer
from pullfocus.depth.onnx_session import single_map
from pullfocus.depth.preprocess import inner_part, prepare
from pullfocus.errors import MissingModelError, UnreadableInputError

CONFIGURATION = ["config.json", "preprocessor_config.json"]
ANSWER_TIMEOUT_S = 8.0
"""How long the hub may take to answer before it counts as out of reach."""


@dataclass(frozen=True, slots=True, eq=False)
class HuggingFaceEstimator:
    """A transformers depth model, ready to look at pictures."""

    card: ModelCard
    network: Any

    @property
    def id(self) -> str:
        """The card's id."""
        return self.card.id

    def estimate(self, rgb: UInt8[np.ndarray, "h w 3"]) -> RawDepth:
        """Run the model on the CPU at the size its card asks for."""
        import torch

        given = prepare(rgb, self.card.preprocessing)
        with torch.inference_mode():
            answer = self.network(pixel_values=torch.from_numpy(given.tensor))
        values = single_map(answer.predicted_depth.float().numpy(), self.card.id)
        view_deg = getattr(answer, "field_of_view", None)
        if view_deg is not None:
            values = values * np.float32(_width_in_focal_lengths(float(view_deg.reshape(-1)[0])))
        raw = RawDepth(inner_part(values, given.inner_hw), self.card.output)
        return checked_answer(raw, f"The model {self.card.id}")


def _width_in_focal_lengths(view_deg: float) -> float:
    """Source: transformers, DepthProImageProcessor.post_process_depth_estimation."""
    return float(2.0 * np.tan(0.5 * np.deg2rad(view_deg)))


def open_huggingface(card: ModelCard) -> HuggingFaceEstimator:
    """Load a model from a folder, the hub's cache or the hub.

    Raises:
        MissingModelError: an optional package is missing, or the weights are not here and cannot
            be fetched.
        UnreadableInputError: the files are not a depth model.
    """
    loader = _loader()
    folder = card.location or _fetched(card.id)
    card = completed(card, folder)
    try:
        with _quiet():
            network = loader.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # noqa: BLE001 - transformers raises whatever its parts raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        raise UnreadableInputError(
            f"The model {card.id} in {folder} cannot be loaded ({reason}); fetch it again or "
            "choose another with --model."
        ) from None
    return HuggingFaceEstimator(card, network.eval())


def _loader() -> Any:
    try:
        import torch  # noqa: F401
        from transformers import AutoModelForDepthEstimation
    except ImportError:
        raise MissingModelError(
            "Hugging Face models need torch and transformers: "
            "pip install 'pullfocus[huggingface]', or run without --model."
        ) from None
    return AutoModelForDepthEstimation


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' progress bars and advice off the terminal while a model is loaded."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _fetched(id_: str) -> Path:
    """Return the folder of a hub model: from the cache, else downloaded.

    HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE are huggingface_hub's own and hold here too. The hub is
    asked once with a short timeout first: snapshot_download itself waits without limit.
    """
    from huggingface_hub import HfApi, snapshot_download

    try:
        folder = Path(snapshot_download(id_, local_files_only=True))
        if any(folder.glob("*.safetensors")) or any(folder.glob("*.bin")):
            return folder
    except Exception:  # noqa: BLE001, S110 - not in the cache: fetch it
        pass
    try:
        about = HfApi().model_info(id_, timeout=ANSWER_TIMEOUT_S)
        names = [file.rfilename for file in about.siblings or ()]
        safe = any(name.endswith(".safetensors") for name in names)
        patterns = [*CONFIGURATION, "model*.safetensors*" if safe else "pytorch_model*.bin*"]
        return Path(snapshot_download(id_, revision=about.sha, allow_patterns=patterns))
    except Exception as error:  # noqa: BLE001 - hub, network and disk errors share no base class
        raise MissingModelError(
            f"The weights of {id_} are not on this machine and could not be fetched "
            f"({_reason(error)}); connect to the network once, copy them into HF_HOME, or run "
            "without --model."
        ) from None


def _reason(error: BaseException) -> str:
    name = type(error).__name__
    if name == "OfflineModeIsEnabled":
        return "HF_HUB_OFFLINE is set"
    if name in ("RepositoryNotFoundError", "HFValidationError"):
        return "the hub has no such model, or it is private"
    if name == "GatedRepoError":
        return "its licence must be accepted on huggingface.co first"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    return "no connection to the hub"

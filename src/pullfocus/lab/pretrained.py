"""Fetch a public backbone's weights from a folder or the Hugging Face hub into a lab network."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.networks.dpt import DPT
from pullfocus.networks.laina import UpProjection
from pullfocus.networks.pretrained import load_resnet, load_vit
from pullfocus.networks.unet import ResNetUNet

FILE = "model.safetensors"


def load_backbone(net: DPT | ResNetUNet | UpProjection, source: str | Path) -> None:
    """Put a public backbone's weights into the network's encoder.

    Args:
        net: DPT takes a ViT or DINOv2 of its size, the others a ResNet34 or ResNet50.
        source: a folder that holds model.safetensors, or a model's name on the hub, such as
            facebook/dinov2-small, google/vit-base-patch16-384 or microsoft/resnet-34.

    Raises:
        MissingModelError: neither here nor to be had from the hub.
        UnreadableInputError: the file is damaged.
        UsageError: the weights are of another architecture or size.
    """
    state = read_weights(source)
    if isinstance(net, DPT):
        load_vit(net.backbone, state)
    else:
        load_resnet(net.encoder, state)


def read_weights(source: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a folder's or a hub model's model.safetensors by name."""
    path = Path(source) / FILE if Path(source).is_dir() else _fetch(str(source))
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise MissingModelError(f"{source} holds no {FILE}; give the folder it is in.") from error
    except (SafetensorError, OSError) as error:
        raise UnreadableInputError(
            f"{path} cannot be read as tensors ({error}); fetch it again."
        ) from error


def _fetch(name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(hf_hub_download(name, FILE))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise MissingModelError(
            f'The weights "{name}" are neither a folder here nor could be fetched from the hub; '
            f"check the name and the network, or give a folder with {FILE}."
        ) from error

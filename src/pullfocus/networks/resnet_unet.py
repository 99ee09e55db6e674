"""The transfer-learning U-Net of the CS231N project: a ResNet34 on the way down."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from pullfocus.networks.resnet import resnet34
from pullfocus.networks.sides import Standardise
from pullfocus.networks.unet import SkipDecoder


class ResNetUNet(nn.Module):
    """Inverse depth at half size: ResNet34 encoder, four up blocks as in ``UNet``.

    The encoder starts at random; ``networks.pretrained.load_resnet`` puts ImageNet weights in.

    Convention: input b 3 h w RGB in 0..1, sides >= 32 px; output b 1 ceil(h/2) ceil(w/2),
    unbounded, taught as ``max_depth / depth`` (larger = nearer).

    Source: Gulve and Gupta, Monocular depth estimation (CS231N), "Resnet 34 architecture"; half
    size as in Alhashim and Wonka 2018, section 3.1.
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (256, 128, 64, 32), thin: int = 1
    ) -> None:
        """Take the channels on the way up and what to divide those of the encoder by."""
        super().__init__()
        self.standardise = Standardise()
        self.encoder = resnet34(thin)
        stem, _, *stages = self.encoder.channels
        coarse_first = [*stages[-2::-1], stem]
        self.up = SkipDecoder(stages[-1], coarse_first, widths)
        self.out = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h/2 w/2"]:
        """Return inverse depth at half the size of the image."""
        stem, _, *stages = self.encoder(self.standardise(image))
        return self.out(self.up(stages[-1], [*stages[-2::-1], stem]))

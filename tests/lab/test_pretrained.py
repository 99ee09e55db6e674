"""Public backbones from disk: a model that the test itself saves through transformers."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pullfocus.errors import MissingModelError, UnreadableInputError, UsageError  # noqa: E402
from pullfocus.lab.pretrained import load_backbone  # noqa: E402
from pullfocus.networks.dpt import DPT  # noqa: E402
from pullfocus.networks.unet import ResNetUNet  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a ViT-Ti of random weights, made for 48 px."""
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=192, num_attention_heads=3, intermediate_size=768, image_size=48
    )
    path = tmp_path_factory.mktemp("vit")
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(path)
    return path


def test_dpt_takes_a_backbone_and_resamples_its_positions(folder):
    net = DPT("Ti", "both").eval()
    load_backbone(net, folder)
    theirs = transformers.ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
    assert net.backbone.positions.shape == (1, 1 + 24 * 24, 192)
    image = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        expected = theirs(2 * image - 1, output_hidden_states=True).hidden_states
        ours = net.backbone(net.standardise(image), net.hooks)
    # 3 x 3 positions went to 24 x 24 and back: near, not equal.
    for own, hook in zip(ours[:3], net.hooks[:3], strict=True):
        torch.testing.assert_close(own, expected[hook + 1], atol=0.02, rtol=0.05)


def test_a_backbone_of_another_kind_is_refused(folder):
    with pytest.raises(UsageError, match="do not fit this backbone"):
        load_backbone(ResNetUNet(), folder)


def test_a_folder_without_weights_and_a_damaged_file_get_sentences(tmp_path):
    net = DPT("Ti")
    with pytest.raises(MissingModelError, match=r"holds no model\.safetensors"):
        load_backbone(net, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not a header")
    with pytest.raises(UnreadableInputError, match="cannot be read as tensors"):
        load_backbone(net, tmp_path)


def test_a_name_that_the_hub_cannot_give_gets_a_sentence(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingModelError, match="neither a folder here nor"):
        load_backbone(DPT("Ti"), "nobody/no-such-model")

"""DPT: published counts, answers by head, backbones of transformers give the same features."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.errors import UsageError  # noqa: E402
from pullfocus.networks.dpt import DPT, Fuse, PreActivation  # noqa: E402
from pullfocus.networks.pretrained import load_resnet, load_vit  # noqa: E402
from pullfocus.networks.resnet import ResNet  # noqa: E402
from pullfocus.networks.vit import ViT, ViTConfig, resample_positions  # noqa: E402


def _count(module):
    return sum(p.numel() for p in module.parameters())


def _dpt_count(size, unread=False):
    with torch.device("meta"):
        net = DPT(size)
        readouts = sum(_count(level.readout) for level in net.reassemble) if unread else 0
        features = net.fuse[0].out.in_channels
        # The releases hold a residual unit that the deepest fusion never calls.
        return _count(net) - readouts + _count(PreActivation(features))


def test_large_has_the_343_million_parameters_of_the_paper():
    assert _dpt_count("L") == pytest.approx(343e6, rel=1e-3)


def test_small_without_readout_is_depth_anything_v2_small():
    # It reads no class token out; its release holds a last norm and a mask token besides.
    assert _dpt_count("S", unread=True) + 2 * 384 + 384 == 24_785_089


def test_fresh_person_logits_say_that_people_are_rare():
    torch.manual_seed(0)
    with torch.no_grad():
        share = DPT("Mi", "person").eval()(torch.rand(1, 3, 64, 96))["person"].sigmoid()
    assert 0.03 < share.mean() < 0.25


@pytest.mark.parametrize(("size", "millions"), [("Ti", 7.1), ("S", 26.0), ("B", 110.9), ("L", 343)])
def test_counts_of_all_sizes(size, millions):
    assert _dpt_count(size) == pytest.approx(millions * 1e6, rel=0.01)


@pytest.fixture(scope="module")
def both():
    torch.manual_seed(0)
    return DPT("Ti", "both").eval()


@pytest.mark.parametrize("hw", [(16, 16), (48, 32), (80, 48)])
def test_both_heads_answer_at_the_size_of_the_image(both, hw):
    with torch.no_grad():
        answers = both(torch.rand(2, 3, *hw))
    assert {name: tuple(a.shape) for name, a in answers.items()} == {
        "depth": (2, 1, *hw),
        "person": (2, 1, *hw),
    }
    assert (answers["depth"] >= 0).all()
    assert (answers["person"] < 0).any() or (answers["person"] > 0).any()


def test_depth_head_starts_open_and_every_weight_learns(both):
    both.zero_grad()
    answers = both(torch.rand(1, 3, 32, 32))
    assert (answers["depth"] > 0).float().mean() > 0.9
    sum(a.sum() for a in answers.values()).backward()
    assert [name for name, p in both.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("heads", ["depth", "person"])
def test_one_head_is_laid_when_one_is_asked_for(heads):
    with torch.device("meta"):
        assert list(DPT("Ti", heads).heads) == [heads]


def test_sides_must_be_multiples_of_the_patch():
    with torch.device("meta"), pytest.raises(UsageError, match="multiples of 14 px"):
        DPT("S")(torch.rand(1, 3, 32, 28))


def test_fusion_adds_the_skip_before_it_works_on_the_sum():
    fuse, x, skip = Fuse(4, True), torch.rand(1, 4, 3, 3), torch.rand(1, 4, 3, 3)
    whole = fuse(x, skip, (6, 6))
    by_hand = fuse.work(x + fuse.skip(skip))
    by_hand = torch.nn.functional.interpolate(
        by_hand, size=(6, 6), mode="bilinear", align_corners=True
    )
    torch.testing.assert_close(whole, fuse.out(by_hand))


def test_convention_positions_keep_the_class_token_and_the_corner_order():
    positions = torch.zeros(1, 5, 1)
    positions[0, :, 0] = torch.tensor([9.0, 0, 1, 2, 3])
    torch.testing.assert_close(resample_positions(positions, 2, (2, 2)), positions)
    wide = resample_positions(positions, 2, (2, 4))[0, :, 0]
    assert wide[0] == 9
    rows = wide[1:].view(2, 4)
    assert (rows.diff(dim=1) > 0).all()
    assert (rows.diff(dim=0) > 0).all()


def _shaken(model):
    """Return the model with every tensor moved: gains and biases must not hide at 1 and 0."""
    for p in model.parameters():
        p.data += 0.1 * torch.randn_like(p)
    return model.eval()


def test_vit_of_transformers_gives_the_same_features():
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = transformers.ViTConfig(**sizes, intermediate_size=96, image_size=32, patch_size=8)
    theirs = _shaken(transformers.ViTModel(config))
    ours = ViT(ViTConfig(24, 3, 2, patch=8, grid=4)).eval()
    _agree(ours, theirs)


def test_dinov2_of_transformers_gives_the_same_features():
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = transformers.Dinov2Config(**sizes, image_size=32, patch_size=8)
    theirs = _shaken(transformers.Dinov2Model(config))
    ours = ViT(ViTConfig(24, 3, 2, patch=8, grid=4, layer_scale=True, eps=1e-6)).eval()
    _agree(ours, theirs)


def _agree(ours, theirs):
    load_vit(ours, _saved_state(theirs))
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = theirs(image, output_hidden_states=True).hidden_states[1:]
        taps = ours(image, (0, 1, 2))
    # The last of theirs may be told after the final norm, which ours leaves out.
    for own, their in zip(taps[:2], expected[:2], strict=True):
        torch.testing.assert_close(own, their, atol=1e-5, rtol=1e-4)


def _saved_state(model):
    """Return the tensors as transformers writes them to disk, whatever it calls them inside."""
    import tempfile

    from safetensors.torch import load_file

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(f"{folder}/model.safetensors")


@pytest.mark.parametrize(("kind", "widths"), [("basic", 1), ("bottleneck", 4)])
def test_resnet_of_transformers_gives_the_same_features(kind, widths):
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(
        hidden_sizes=[64 * widths, 128 * widths, 256 * widths, 512 * widths],
        depths=[1, 2, 1, 1],
        layer_type=kind,
    )
    theirs = transformers.ResNetModel(config).eval()
    ours = ResNet(kind, (1, 2, 1, 1)).eval()
    load_resnet(ours, {f"resnet.{name}": t for name, t in _saved_state(theirs).items()})
    image = torch.rand(1, 3, 32, 64)
    with torch.no_grad():
        expected = theirs(image, output_hidden_states=True).hidden_states
        features = ours(image)
    for own, their in zip(features[1:], expected, strict=True):
        torch.testing.assert_close(own, their, atol=1e-4, rtol=1e-4)


def test_weights_of_another_size_are_refused_with_a_sentence():
    ours, other = ViT(ViTConfig(24, 2, 2, 8, 4)), ViT(ViTConfig(12, 2, 2, 8, 4))
    with pytest.raises(UsageError, match="28 tensors missing"):
        load_vit(ours, other.state_dict())

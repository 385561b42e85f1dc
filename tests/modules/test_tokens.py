"""Tokens against torchvision's vision transformer and patch merging, or against the paper's formula."""

import math

import pytest
import torch
from torch import nn
from torchvision.models import VisionTransformer
from torchvision.models.swin_transformer import PatchMerging as TorchvisionPatchMerging

from specforge.modules import (
    ClassToken,
    Crop,
    MultiHeadAttention,
    PatchEmbedding,
    PatchMerging,
    PositionEmbedding,
    SinusoidalEmbedding,
)


def test_tokens_are_those_of_torchvisions_vision_transformer() -> None:
    """Patches, class token, positions and attention, with its weights by their place in its state."""
    torch.manual_seed(0)
    theirs = VisionTransformer(image_size=8, patch_size=2, num_layers=1, num_heads=2, hidden_dim=12, mlp_dim=4).eval()
    nn.init.normal_(theirs.class_token)
    patches, token = PatchEmbedding(3, 12, patch_size=(2, 2)), ClassToken(12)
    positions, attention = PositionEmbedding(17, 12), MultiHeadAttention(12, 2)
    state = theirs.state_dict()
    patches.load_state_dict({"proj.weight": state["conv_proj.weight"], "proj.bias": state["conv_proj.bias"]})
    token.load_state_dict({"weight": state["class_token"]})
    positions.load_state_dict({"weight": state["encoder.pos_embedding"]})
    layer = theirs.encoder.layers[0]
    attention.load_state_dict(layer.self_attention.state_dict())
    seen: list[torch.Tensor] = []
    layer.ln_1.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    layer.self_attention.register_forward_hook(lambda module, inputs, output: seen.extend((inputs[0], output[0])))
    images = torch.rand(3, 3, 8, 8)
    theirs(images)
    torch.testing.assert_close(positions(token(patches(images))), seen[0])
    torch.testing.assert_close(attention(seen[1]), seen[2])


@pytest.mark.parametrize("size", [(8,), (4, 6), (2, 4, 6)])
def test_a_token_is_a_linear_function_of_its_patch(size: tuple[int, ...]) -> None:
    module = PatchEmbedding(3, 5, patch_size=(2,) * len(size))
    x = torch.rand(1, 3, *size)
    first = x[(0, slice(None), *[slice(0, 2)] * len(size))]
    last = x[(0, slice(None), *[slice(-2, None)] * len(size))]
    weight = module.proj.weight.flatten(1)
    tokens = module(x)[0]
    torch.testing.assert_close(tokens[0], weight @ first.flatten() + module.proj.bias)
    torch.testing.assert_close(tokens[-1], weight @ last.flatten() + module.proj.bias)
    second = x[(0, slice(None), *[slice(0, 2)] * (len(size) - 1), slice(2, 4))]
    torch.testing.assert_close(tokens[1], weight @ second.flatten() + module.proj.bias)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (4, 5), (1, 1)])
def test_patch_merging_is_torchvisions(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    theirs = TorchvisionPatchMerging(6)
    torch.manual_seed(0)
    ours = PatchMerging(6, 12)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.rand(2, *size, 6)
    torch.testing.assert_close(ours(x), theirs(x))


def test_sinusoids_follow_the_formula() -> None:
    module = SinusoidalEmbedding(50, 8)
    waves = module(torch.zeros(1, 50, 8))[0]
    for place, channel in ((0, 0), (0, 1), (3, 2), (49, 5), (17, 6), (17, 7)):
        angle = place / 10000 ** (channel // 2 * 2 / 8)
        expected = math.cos(angle) if channel % 2 else math.sin(angle)
        assert waves[place, channel].item() == pytest.approx(expected, abs=1e-6)
    assert not module.state_dict(), "it follows from the shape"


def test_positions_start_small_and_class_tokens_at_zero() -> None:
    torch.manual_seed(0)
    assert PositionEmbedding(100, 100).weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not ClassToken(4).weight.any()


@pytest.mark.parametrize(("there", "wanted", "first"), [(9, 5, 2), (9, 4, 2), (8, 5, 1), (5, 5, 0)])
def test_a_crop_is_centred_and_drops_one_more_behind(there: int, wanted: int, first: int) -> None:
    row = Crop(size=(wanted,))(torch.arange(there).view(1, 1, -1))
    assert row[0, 0].tolist() == list(range(first, first + wanted))

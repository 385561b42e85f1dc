"""Modules go wherever torch's own go: torch.compile, torch.export, deepcopy, pickle."""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import nn

from specforge import modules
from specforge.shapes import Shape

MODULES: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "cbam": (lambda: modules.Cbam(6, 2, 3), (6, 5, 4)),
    "class_token": (lambda: modules.ClassToken(6), (4, 6)),
    "crop_to_size": (lambda: modules.Crop(size=(3, 2)), (2, 6, 5)),
    "crop_margins": (lambda: modules.Crop(margins=((1, 2), (0, 1))), (2, 6, 5)),
    "layer_scale": (lambda: modules.LayerScale(6, trailing=2), (6, 3, 3)),
    "mean": (lambda: modules.Mean(1), (4, 6)),
    "multi_head_attention": (lambda: modules.MultiHeadAttention(6, 2), (4, 6)),
    "patch_embedding": (lambda: modules.PatchEmbedding(3, 6, patch_size=(2, 2)), (3, 4, 6)),
    "patch_merging": (lambda: modules.PatchMerging(6, 12), (5, 4, 6)),
    "permute": (lambda: modules.Permute((2, 3, 1)), (3, 4, 5)),
    "position_embedding": (lambda: modules.PositionEmbedding(4, 6), (4, 6)),
    "reshape": (lambda: modules.Reshape((2, -1)), (4, 6)),
    "scale": (lambda: modules.Scale(0.25), (3, 4, 5)),
    "select": (lambda: modules.Select(1, 0), (4, 6)),
    "sinusoidal_embedding": (lambda: modules.SinusoidalEmbedding(4, 6), (4, 6)),
    "slice": (lambda: modules.Slice(2, start=1, step=2), (4, 6)),
    "squeeze_excite": (
        lambda: modules.SqueezeExcite(6, 2, axes=2, activation=nn.ReLU(), gate=nn.Sigmoid()),
        (6, 5, 4),
    ),
    "stochastic_depth": (lambda: modules.StochasticDepth(0.5), (3, 4, 5)),
    "window_attention": (lambda: modules.WindowAttention(6, 2, (2, 2)), (4, 6, 6)),
    "window_attention_shifted": (lambda: modules.WindowAttention(6, 2, (3, 2), shift=(1, 1)), (5, 4, 6)),
}
EACH = pytest.mark.parametrize(("make", "input"), MODULES.values(), ids=MODULES.keys())


def fresh(make: Callable[[], nn.Module], input: Shape) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    return make(), torch.rand(2, *input)


@EACH
@pytest.mark.parametrize("training", [True, False])
def test_compiles_to_one_graph(make: Callable[[], nn.Module], input: Shape, training: bool) -> None:
    module, x = fresh(make, input)
    module.train(training)
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.manual_seed(1)
    expected = module(x)
    torch.manual_seed(1)
    torch.testing.assert_close(compiled(x), expected)


@EACH
def test_exports(make: Callable[[], nn.Module], input: Shape) -> None:
    module, x = fresh(make, input)
    module.eval()
    exported = torch.export.export(module, (x,)).module()
    torch.testing.assert_close(exported(x), module(x))


@EACH
@pytest.mark.parametrize("way", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_copies(make: Callable[[], nn.Module], input: Shape, way: Callable[[nn.Module], nn.Module]) -> None:
    module, x = fresh(make, input)
    module.eval()
    copied = way(module)
    assert torch.equal(copied(x), module(x))
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.add_(1)
    assert all((ours != theirs).all() for ours, theirs in zip(copied.parameters(), module.parameters(), strict=True))


@EACH
def test_weights_survive_a_file(make: Callable[[], nn.Module], input: Shape) -> None:
    module, x = fresh(make, input)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other = make()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other.eval()(x), module.eval()(x))


@EACH
def test_runs_on_any_device(make: Callable[[], nn.Module], input: Shape) -> None:
    """Nothing is made on the CPU behind its back: what it computes on the meta device stays there."""
    module, x = fresh(make, input)
    expected = module(x).shape
    assert module.to("meta")(x.to("meta")).shape == expected


@EACH
def test_computes_in_half_precision(make: Callable[[], nn.Module], input: Shape) -> None:
    module, x = fresh(make, input)
    half = module.bfloat16()(x.bfloat16())
    assert half.dtype == torch.bfloat16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert make()(x).isfinite().all()

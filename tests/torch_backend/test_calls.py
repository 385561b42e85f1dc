"""Constructor expressions are built from the table and from nothing else."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from specforge.catalog.definition import Call
from specforge.torch_backend.calls import TABLE, evaluate


def test_builds_a_module_from_its_arguments() -> None:
    module = evaluate(Call("torch.nn.Conv2d", {"in_channels": 3, "out_channels": 8, "kernel_size": (3, 1)}))
    assert isinstance(module, nn.Conv2d)
    assert module.kernel_size == (3, 1)


def test_positional_arguments_go_first() -> None:
    children = OrderedDict(stem=nn.Linear(4, 2))
    assert evaluate(Call("torch.nn.Sequential"), children).stem is children["stem"]


def test_nested_calls_are_built_first() -> None:
    norm = Call("torch.nn.LayerNorm", {"normalized_shape": 8})
    layer = Call("torch.nn.TransformerEncoderLayer", {"d_model": 8, "nhead": 2, "batch_first": True})
    built = evaluate(Call("torch.nn.TransformerEncoder", {"encoder_layer": layer, "num_layers": 1, "norm": norm}))
    assert isinstance(built.norm, nn.LayerNorm)


def test_initialisers_change_their_tensor() -> None:
    tensor = torch.zeros(3)
    evaluate(Call("torch.nn.init.constant_", {"val": 2.0}), tensor)
    assert tensor.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "target",
    ["os.system", "builtins.eval", "torch.load", "torch.nn.init.torch", "torch.nn.__builtins__", "nn.ReLU", ""],
)
def test_anything_else_is_unknown(target: str) -> None:
    with pytest.raises(KeyError):
        evaluate(Call(target))


OPTIMIZERS = ("torch.optim", "specforge.torch_backend.muon")
INITIALIZERS = ("torch.nn.init", "specforge.torch_backend.initializers")


def test_the_table_holds_modules_optimizers_initialisers_and_tensors_only() -> None:
    for target, built in TABLE.items():
        room, _, name = target.rpartition(".")
        if room in INITIALIZERS:
            assert name.endswith("_")
        elif target == "torch.tensor":  # the weights of classes
            assert built is torch.tensor
        else:
            base = torch.optim.Optimizer if room in OPTIMIZERS else nn.Module
            assert isinstance(built, type)
            assert issubclass(built, base)
    assert {target.rpartition(".")[0] for target in TABLE} == {
        "torch", "torch.nn", *OPTIMIZERS, *INITIALIZERS, "specforge.modules",
    }  # fmt: skip

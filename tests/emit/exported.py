"""Exported Python files, run as a user runs them, beside the modules that specforge builds."""

import ast
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from specforge.emit.python import to_python
from specforge.graph import Graph
from specforge.spec import Spec
from specforge.torch_backend import build

SEED = 1


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported file's text and what running it defines."""

    text: str
    names: dict[str, Any]

    def network(self) -> nn.Module:
        """The last class of the file is the network."""
        module = self.names[self.classes[-1]]()
        assert isinstance(module, nn.Module)
        return module

    @property
    def classes(self) -> list[str]:
        return [node.name for node in ast.parse(self.text).body if isinstance(node, ast.ClassDef)]

    @property
    def imports(self) -> set[str]:
        """The packages that it needs."""
        found = set()
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
        return found


def exported(spec: Spec, graph: Graph, texts: dict[str, str] | None = None) -> Exported:
    text = to_python(spec, graph, texts)
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, f"{spec.name}.py", "exec", dont_inherit=True), names)
    return Exported(text, names)


def scatter(module: nn.Module) -> None:
    """Give every tensor values by which a wrong one is noticed: shifts, scales and running statistics too."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not tensor.is_floating_point():
                continue
            if tensor.dim() < 2:
                low, high = (-0.3, 0.3) if name.endswith("bias") or "mean" in name else (0.5, 1.5)
            else:
                low = -((3 / max(tensor[0].numel(), 1)) ** 0.5)
                high = -low
            tensor.uniform_(low, high, generator=generator)


def same_outputs(ours: nn.Module, theirs: nn.Module, graph: Graph, *, batch: int = 2, training: bool = True) -> None:
    """The same in evaluation and training, dropout included; so are the outputs of side branches."""
    images = torch.randn(batch, *graph.input, generator=torch.Generator().manual_seed(SEED))
    for mode in (False, True) if training else (False,):
        found, expected = (_outputs(module.train(mode), images) for module in (theirs, ours))
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            scale = float(tensor.nan_to_num().abs().max().clamp(min=1e-6))
            torch.testing.assert_close(found[name], tensor, rtol=1e-6, atol=1e-6 * scale, equal_nan=True)


def _outputs(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(SEED)
    with torch.no_grad():
        result = module(images)
    if isinstance(result, tuple):
        assert module.training
        return {"": result[0], **result[1]}
    return {"": result}


def equal_networks(graph: Graph, file: Exported, *, batch: int = 2, training: bool = True) -> None:
    """Same keys in the same order, and the same outputs with the same tensors."""
    ours = build(graph, seed=SEED)
    scatter(ours)
    with torch.device("meta"):
        skeleton = file.network()
    assert list(skeleton.state_dict()) == list(ours.state_dict())
    assert [p.requires_grad for p in skeleton.parameters()] == [p.requires_grad for p in ours.parameters()]
    theirs = file.network()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    same_outputs(ours, theirs, graph, batch=batch, training=training)

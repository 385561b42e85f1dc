"""What an imported network must equal: torchvision's, in counts, cost, and outputs with everything drawn at random.

Nothing of torchvision's side is counted by specforge: parameters by torch, MACs by its FLOP counter.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from specforge.analysis import analyse
from specforge.diagnostics import Findings
from specforge.graph import Graph
from specforge.importing.specs import Imported, spec_of
from specforge.importing.torch_networks.torchvision_models import read_torchvision
from specforge.source import Overlaid
from specforge.spec import Spec
from specforge.torch_backend import build
from specforge.torch_backend.torchvision_modules import module_on_meta
from specforge.torch_backend.weights import key_map, renamed, shapes
from tests.randomising import randomise

TOLERANCE = 1e-5
MOST_PARAMETERS = 400_000_000  # two networks of more, and what they compute, take over 6 GB


@dataclass
class Comparison:
    """One network of torchvision beside its import."""

    name: str
    imported: Imported
    spec: Spec
    graph: Graph

    @property
    def lines(self) -> int:
        return len(self.imported.text.splitlines())

    def unexplained(self) -> list[str]:
        """Findings that the spec does not accept."""
        found = analysed(self.name, self.imported.text)[2]
        return [f"{each.span}: {each.message}" for each in found if not each.accepted]

    def parameters(self) -> tuple[int, int]:
        """Ours and theirs, running statistics included."""
        reference = module_on_meta(self.name)
        kept = [*reference.parameters(), *(each for each in reference.buffers() if each.is_floating_point())]
        ours = self.graph.trainable_parameters + self.graph.non_trainable_parameters
        return ours, sum(each.numel() for each in kept)

    def macs(self) -> tuple[int, int]:
        """Ours and theirs, of one image."""
        images = torch.zeros(1, *self.graph.input, device="meta")
        reference = module_on_meta(self.name).eval()
        with FlopCounterMode(display=False) as counter:  # with gradients enabled, else it does not see attention
            reference(images)
        return self.graph.macs, counter.get_total_flops() // 2

    def keys_agree(self) -> bool:
        """Whether `weights map` finds, by order and the spec's keys, what the import knows."""
        theirs = shapes(module_on_meta(self.name).state_dict())
        return key_map(self.graph.state(), theirs, self.spec.weights) == dict(self.imported.names)

    def difference(self) -> float:
        """The largest difference of both outputs for a random image, relative to the largest output."""
        options = {"init_weights": False} if self.name in ("googlenet", "inception_v3") else {}
        with torch.no_grad():
            reference = models.get_model(self.name, weights=None, **options).eval()
            randomise(reference)
            images = torch.rand(1, *self.graph.input, generator=torch.Generator().manual_seed(3))
            expected = reference(images)
            state = renamed(reference.state_dict(), self.imported.names)
            del reference
            module = build(self.graph, seed=0).eval()
            module.load_state_dict(state, assign=True)
            found = module(images)
        assert expected.std() > 1e-3 * expected.abs().max()
        return float((found - expected).abs().max() / expected.abs().max())


def compared(name: str) -> Comparison:
    """A network of torchvision, imported."""
    imported = spec_of(read_torchvision(name), comment="from a test")
    spec, graph, _ = analysed(name, imported.text)
    return Comparison(name, imported, spec, graph)


def analysed(name: str, text: str) -> tuple[Spec, Graph, Findings]:
    """A spec's text, which must be right, and what is found in it."""
    path = Path.cwd() / f"{name}.yaml"
    analysis = analyse(path, files=Overlaid({path: text}))
    return *analysis.require(), analysis.findings

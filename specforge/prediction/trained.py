"""A trained network that can be asked, exported or bundled: its card, its spec, and the weights that are tested.

In: a run's folder, or a file of weights that carries its spec. Out: a `Trained`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from specforge.analysis import analyse
from specforge.catalog.datasets.definition import Facts
from specforge.checks.dataset_fit import mismatches
from specforge.data.prepare import prepare
from specforge.graph import Graph
from specforge.prediction.card import Card, Normalization, damaged
from specforge.prediction.errors import PredictionError
from specforge.resolved import spec_hash
from specforge.shapes import Shape
from specforge.spec import Normalize, Spec
from specforge.torch_backend import build
from specforge.training.final_test import tested_weights
from specforge.training.learner import load_weights
from specforge.training.manifest import Damage, read
from specforge.training.parsing import LARGEST, parsed
from specforge.training.result import Result
from specforge.training.run_directory import RunDirectory

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Trained:
    """`states` are the weights of one network, or of each member of an ensemble. `notes` are for the user."""

    card: Card
    spec: Spec
    graph: Graph
    states: Sequence[State]
    notes: tuple[str, ...] = ()
    result: Result | None = None
    environment: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def networks(self, device: torch.device) -> list[nn.Module]:
        """The networks with these weights, in evaluation mode."""
        return [self._network(state, device) for state in self.states]

    def _network(self, state: State, device: torch.device) -> nn.Module:
        module = build(self.graph)
        load_weights(module, dict(state))
        return module.eval().to(device)


def trained_run(folder: Path, *, data_dir: Path, download: bool = False) -> Trained:
    """The weights of a run that its test takes. The data set is read only where it alone knows what is needed.

    Raises `SpecError`, `TrainingError` for a damaged run or one without weights, `DataError`.
    """
    run = RunDirectory.open(folder)
    spec, graph = analyse(folder / "spec.yaml").require()
    if spec.train is None or spec.data is None:
        raise PredictionError(f"{folder} is not a run: its spec has no `data` or no `train`")
    weights, result = tested_weights(run, spec.train), run.result()
    normalization, image = _normalization(spec, graph, result), graph.input
    names = None if result is None else tuple(entry.name for entry in result.per_class)
    if normalization is None or names is None or not _is_sized(spec, graph):
        prepared = prepare(spec.data, data_dir=data_dir, device=torch.device("cpu"), download=download)
        normalization, names = Normalization(mean=prepared.mean, std=prepared.std), prepared.class_names
        image = prepared.image
    ensemble = f"ensemble of epochs {', '.join(map(str, weights))}"
    averaged = "averaged " if spec.train.ema is not None else ""
    card = card_of(
        spec,
        graph,
        file=str(folder),
        text=run.spec_text,
        image=image,
        class_names=names,
        normalization=normalization,
        members=len(weights),
        tested=ensemble if len(weights) > 1 else f"{averaged}weights of epoch {next(iter(weights))}",
    )
    demand_fit(card, graph, str(folder))
    return Trained(
        card, spec, graph, tuple(weights.values()), _notes(folder, spec, result), result, _environment(folder)
    )


def card_of(
    spec: Spec,
    graph: Graph,
    *,
    file: str,
    text: str,
    image: Shape | None = None,
    class_names: Sequence[str] = (),
    normalization: Normalization | None = None,
    members: int = 1,
    tested: str | None = None,
) -> Card:
    """The card of a spec's network; raises `PredictionError`, which names the file, for what no card may say."""
    # of the data sets, only folders of images are resized, and say how
    resize = getattr(None if spec.data is None else spec.data.dataset, "resize", "crop")
    record = {
        "name": spec.name,
        "spec": text,
        "spec_hash": spec_hash(spec),
        "image": image or graph.input,
        "class_names": tuple(class_names),
        "normalization": normalization,
        "resize": resize,
        "members": members,
        "tested": tested,
    }
    return Card.of(file, record)


def demand_fit(card: Card, graph: Graph, file: str) -> None:
    """Raises `PredictionError`, which names the file, where a card's images or classes are not those of the network."""
    facts = Facts(image=card.image, classes=len(card.class_names) or None)
    for misfit in mismatches(graph, facts, card.name):
        raise damaged(file, misfit.message)


def known_normalization(spec: Spec, graph: Graph) -> Normalization | None:
    """What the spec itself says; None where it is measured on the training images."""
    if spec.data is None or spec.data.normalize == "auto":
        return None
    if isinstance(spec.data.normalize, Normalize):
        return Normalization(mean=spec.data.normalize.mean, std=spec.data.normalize.std)
    channels = graph.input[0]
    return Normalization(mean=(0.0,) * channels, std=(1.0,) * channels)


def _normalization(spec: Spec, graph: Graph, result: Result | None) -> Normalization | None:
    """What the spec says, or what was measured as the run's result says; None where it does not."""
    if result is None or result.normalization is None:
        return known_normalization(spec, graph)
    try:
        return Normalization(mean=result.normalization.mean, std=result.normalization.std)
    except ValidationError:
        hint = "`specforge verify` looks at all files of a run"
        raise PredictionError("result.json is damaged: its `normalization` are no numbers", hint=hint) from None


def _is_sized(spec: Spec, graph: Graph) -> bool:
    """Whether the size of an image is known without the data: a name in `input` stands for any."""
    assert spec.data is not None
    return spec.data.dataset.facts().image is not None or not any(isinstance(axis, str) for axis in graph.axes)


def _environment(folder: Path) -> dict[str, Any]:
    """What the run was made with; nothing where that is not known."""
    try:
        record = parsed(read(folder / "environment.json", most=LARGEST))
    except (Damage, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _notes(folder: Path, spec: Spec, result: Result | None) -> tuple[str, ...]:
    assert spec.train is not None
    notes = []
    if result is None:
        notes.append(f"{folder} has no result yet: these are the weights that would be tested now")
    if spec.train.evaluate.test_time_augmentation is not None:
        notes.append("the test of this run averages several views of an image; here each image is seen as it is")
    return tuple(notes)

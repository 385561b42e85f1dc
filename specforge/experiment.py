"""A spec -> a network, a finished run, a run tested again, a sheet of pictures, or a learning rate.

What `compile`, `train`, `evaluate`, `preview` and `lr-find` do.
"""

import os
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from specforge.analysis import analyse
from specforge.catalog.discovery import word_for
from specforge.checks.dataset_fit import mismatches
from specforge.diagnostics import Findings, Span, SpecError, define
from specforge.graph import Graph, fast_forms, lower, plan, weights_of
from specforge.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from specforge.data.prepare import Prepared
    from specforge.training.finder import Curve
    from specforge.training.listener import Listener
    from specforge.training.result import Result

INCOMPLETE = define(
    "SF601",
    "nothing-to-train",
    "Training needs `data:` and `train:` beside the model. A spec may leave them out until it is trained.",
)
DEFAULT_DATA_DIR = Path("data")
# How long a thread of torch's OpenMP runtime spins before it sleeps: a few microseconds. Its own default spins for
# milliseconds, which makes a small network ten times slower as soon as another process wants a core.
SPINS = "2000"
# torchvision only downloads, so a run can do without it
TRAINING_PACKAGES = ("torch", "torchvision", "numpy", "safetensors", "matplotlib")


class MissingExtra(Exception):
    """A package that only training needs is not installed."""

    def __init__(self, package: str):
        self.package = package
        self.message = f"`{package}` is not installed: the core alone can't train"
        self.hint = f"pip install {' '.join(TRAINING_PACKAGES)}"
        super().__init__(f"{self.message}; hint: {self.hint}")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its folder, its result, and the report."""

    path: Path
    result: "Result"
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A sheet of training images: its file, how many images, and which epochs, none where nothing changes images."""

    path: Path
    images: int
    epochs: range


@dataclass(frozen=True, slots=True)
class FoundRate:
    """What the learning-rate finder tried, and its picture.

    `chosen` is None where no rate helped; `how` says what was looked for in the curve: its steepest fall, or a place
    well below its rise. `path` is where the rate stands in the spec, as for `--set`.
    """

    curve: "Curve"
    picture: Path
    chosen: float | None
    how: str | None
    path: str


def compile(  # noqa: A001  the word of the phase, as in `re.compile`
    spec: str | Path | Spec,
    *,
    settings: tuple[str, ...] = (),
    seed: int | None = None,
    weights: "str | Path | Mapping[str, torch.Tensor] | None" = None,
    download: bool = False,
) -> "torch.nn.Module":
    """The network of a spec file or of a loaded spec, on the CPU, with fresh weights (repeatable with a `seed`).

    `weights`, a file or a state dict, fill it instead, under our names or in the order that the spec's `weights:` says.
    Its `pretrained` parts have their published weights, which `download` fetches where they are missing.
    Raises `SpecError` with every error of a spec that is not right, `WeightsError` for weights that can't be used.
    """
    require_training_packages()
    from specforge.torch_backend import build, load_pretrained, load_weights

    found, graph = _spec_and_graph(spec, settings)
    module = build(graph, seed=seed)
    if weights is None:
        load_pretrained(module, graph, download=download)
    else:
        load_weights(module, weights, found.weights)
    return module


def train(
    spec: str | Path | Spec,
    *,
    settings: tuple[str, ...] = (),
    out: Path | str | None = None,
    resume: bool = False,
    force: bool = False,
    device: str | None = None,
    data_dir: Path | str | None = None,
    download: bool = False,
    listener: "Listener | None" = None,
    track: tuple[str, ...] = (),
) -> Run:
    """Train a spec and write its run directory, by default `runs/NAME`. No other process writes there meanwhile.

    Of the processes that `torchrun` starts, each has its share of every batch and the first writes; all get the run.
    `track` names where epochs are sent as they end: `tensorboard`, `mlflow:http://localhost:5000`.

    With `resume` it goes on with what the directory holds; with `force` also if the spec has changed since, as far as
    the epochs so far are what they would have been: `SpecChanged`, a `TrainingError`, says what else has changed.

    Raises `SpecError` for a spec that is not right, `DataError` for data that cannot be read, `TrainingError` for a run
    that cannot start or go on, `WeightsError` for published weights that are missing (`download` fetches them and the
    data) or damaged, and `Interrupted` after a signal, with a run that can be resumed.
    """
    found, graph = _to_train(spec, settings)
    found = found.model_copy(update={"search": None})  # a run is one training
    assert found.train is not None
    from specforge.tracking.live import tracking
    from specforge.tracking.tracker import target_of
    from specforge.training import fit
    from specforge.training.listener import Silence
    from specforge.training.opening import opened_run
    from specforge.training.processes import joined

    targets, told, named = tuple(map(target_of, track)), listener or Silence(), None if out is None else Path(out)
    with (
        joined(device) as (processes, chosen),
        opened_run(found, graph, out=named, resume=resume, force=force, processes=processes, tell=told.on_message) as (
            run,
            is_new,
        ),
    ):

        def ready() -> tuple["Prepared", "torch.nn.Module"]:
            count = processes.local_count
            prepared = _prepared(found, graph, data_dir=data_dir, device=chosen, download=download, processes=count)
            return prepared, _module(found, graph, prepared, device=chosen, download=download, is_new=is_new)

        prepared, module = processes.in_turn(ready) if download else ready()
        plans = plan(found.train, weights_of(graph))
        with tracking(targets if processes.is_first else (), run.path, told) as heard:
            result = fit(
                module, found, prepared, plans=plans, run=run, device=chosen, resume=resume, listener=heard,
                processes=processes,
            )  # fmt: skip
        return Run(run.path, result, processes.from_first(lambda: write_reports(run.path, found, graph)))


def evaluate(
    run: Path | str, *, device: str | None = None, data_dir: Path | str | None = None, download: bool = False
) -> "Result":
    """Test the tested weights of a finished run again, on the test part that its spec names."""
    require_training_packages()
    from specforge.torch_backend import build
    from specforge.training import RunDirectory, choose_device, evaluate_run

    folder = RunDirectory.open(Path(run)).path
    found, graph = _to_train(folder / "spec.yaml")
    chosen = choose_device(device)
    prepared = _prepared(found, graph, data_dir=data_dir, device=chosen, download=download)
    return evaluate_run(build(graph, device=chosen), found, prepared, run=folder, device=chosen)


def preview(
    spec: str | Path | Spec,
    out: Path | str = "preview.png",
    *,
    settings: tuple[str, ...] = (),
    images: int = 8,
    epoch: int = 1,
    epochs: int = 6,
    data_dir: Path | str | None = None,
    download: bool = False,
) -> Preview:
    """Draw training images beside what the `epochs` from `epoch` on (counted from 1) show the network of them.

    Raises `SpecError` and `DataError` as `train` does, and `ValueError` for an epoch that the recipe does not have.
    """
    found, graph = _to_train(spec, settings)
    assert found.data is not None
    assert found.train is not None
    if not 1 <= epoch <= found.train.total_epochs:
        raise ValueError(f"the recipe has the epochs 1 to {found.train.total_epochs}, not {epoch}")
    import torch

    from specforge.data.preview import strips
    from specforge.report.preview import caption, write_preview

    prepared = _prepared(found, graph, data_dir=data_dir, device=torch.device("cpu"), download=download)
    columns = range(epoch, min(epoch + epochs, found.train.total_epochs + 1))
    shown = strips(found, prepared, images=images, epochs=[column - 1 for column in columns])
    title, changes = f"{found.name}: training images of {word_for(found.data.dataset)}", caption(found.data)
    columns = columns if shown[0].shown else range(0)
    return Preview(write_preview(Path(out), shown, title=title, caption=changes, epochs=columns), len(shown), columns)


def find_rate(
    spec: str | Path | Spec,
    out: Path | str = "lr_find.png",
    *,
    settings: tuple[str, ...] = (),
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    device: str | None = None,
    data_dir: Path | str | None = None,
    download: bool = False,
) -> FoundRate:
    """Raise the learning rate from `low` to `high` over the first steps of a spec's training, and draw the loss.

    Whatever the spec's own rate is; of several stages, the first. Raises what `train` raises.
    """
    found, graph = _to_train(spec, settings)
    assert found.data is not None
    assert found.train is not None
    from specforge.data.batches import train_batches
    from specforge.report.lr_find import RateCurve, write_rate_curves
    from specforge.training import choose_device
    from specforge.training.allocation import kept_pages
    from specforge.training.device import repeatable
    from specforge.training.finder import curve, with_rate_to_find
    from specforge.training.learner import Learner

    on = choose_device(device)
    prepared = _prepared(found, graph, data_dir=data_dir, device=on, download=download)
    module = _module(found, graph, prepared, device=on, download=download)
    first = plan(found.train, weights_of(graph))[0]
    learner = Learner(module, found.train, device=on, class_counts=prepared.class_counts)
    size, seed = first.stage.batch_size, found.train.seed
    batches = train_batches(found.data, prepared, batch_size=size, seed=seed)
    with repeatable(bitwise=found.train.deterministic), kept_pages(on):
        tried = curve(learner, found.train, with_rate_to_find(first), batches, low=low, high=high, steps=steps)
    rate, how = _chosen(tried)
    where = "train.optimizer.lr"
    if found.train.stages:
        where = f"train.stages.0.optimizer.{word_for(first.stage.optimizer)}.lr"
    drawn = RateCurve(**{**asdict(tried), "stage": tried.stage + 1}, chosen=rate, how=how)
    return FoundRate(tried, write_rate_curves(Path(out), [drawn], title=found.name), rate, how, where)


def _chosen(curve: "Curve") -> tuple[float | None, str | None]:
    """The rate and why that one; nothing where all rates are too large, or too small to change anything."""
    from specforge.training import TrainingError
    from specforge.training.finder import as_written, chosen

    try:
        rate, how = chosen(curve)
    except TrainingError:
        return None, None
    return (as_written(rate), how) if rate > curve.rates[0] else (None, None)


def _to_train(spec: str | Path | Spec, settings: tuple[str, ...] = ()) -> tuple[Spec, Graph]:
    """A spec with data and a recipe; raises `SpecError` for one without, and `MissingExtra`."""
    found, graph = _spec_and_graph(spec, settings)
    if found.data is None or found.train is None:
        raise SpecError(incomplete(found.name if isinstance(spec, Spec) else str(spec)))
    require_training_packages()
    return found, graph


def _prepared(
    found: Spec, graph: Graph, *, data_dir: Path | str | None, device: "torch.device", download: bool,
    processes: int = 1,
) -> "Prepared":  # fmt: skip
    """The data. What is known only now that it was read must fit the network, as `validate` checks for the rest."""
    from specforge.catalog.datasets.definition import DataError, Facts
    from specforge.data.prepare import prepare

    assert found.data is not None
    folder = Path(data_dir or DEFAULT_DATA_DIR)
    prepared = prepare(found.data, data_dir=folder, device=device, download=download, processes=processes)
    facts = Facts(image=prepared.image, classes=len(prepared.class_names))
    for misfit in mismatches(graph, facts, word_for(found.data.dataset)):
        raise DataError(misfit.message, hint=misfit.hint)
    return prepared


def _module(
    found: Spec, graph: Graph, prepared: "Prepared", *, device: "torch.device", download: bool, is_new: bool = True
) -> "torch.nn.Module":
    """The network as it trains fastest, with its first weights if the run `is_new`: a checkpoint has them otherwise."""
    from specforge.data.first_images import first_images
    from specforge.data.randomness import key
    from specforge.torch_backend import build, fill_from_images, load_pretrained

    assert found.train is not None
    module = build(fast_forms(graph, device=device.type), seed=key(found.train.seed, "init"), device=device)
    if is_new:
        load_pretrained(module, graph, download=download)
        fill_from_images(module, graph, partial(first_images, prepared))
    return module


def write_reports(folder: Path, spec: Spec, graph: Graph) -> Path:
    """`curves.png` and `report.html` of a run, `lr_find.png` where a rate was found; returns the report's path."""
    from specforge.report import write_curves, write_lr_find, write_report
    from specforge.summary import rows, totals

    source = spec.source.model_dump(exclude_none=True) if spec.source else {}
    write_curves(folder)
    write_lr_find(folder, name=spec.name)
    return write_report(
        folder,
        name=spec.name,
        description=spec.description,
        source=", ".join(str(value) for value in source.values()) or None,
        layers=[row._asdict() for row in rows(graph)],
        totals={**totals(graph)._asdict(), "macs": graph.macs},
        reported=spec.reported,
        graph=graph,
    )


def _spec_and_graph(spec: str | Path | Spec, settings: tuple[str, ...]) -> tuple[Spec, Graph]:
    if not isinstance(spec, Spec):
        return analyse(spec, settings).require()
    if settings:
        raise ValueError("settings change the text of a spec file; this spec is loaded already: pass them to `load`")
    findings = Findings()
    image = None if spec.data is None else spec.data.dataset.facts().image
    graph = None if spec.model is None or spec.model.layers is None else lower(spec.model, findings, image=image)
    if graph is None:
        raise SpecError(findings)
    return spec, graph


def incomplete(name: str) -> Findings:
    """The finding for a spec without data or recipe; `name` is its file."""
    findings = Findings()
    findings.add(INCOMPLETE, Span(name, 1, 1, 1, 1), "there is nothing to train", "add `data:` and `train:`")
    return findings


def require_training_packages() -> None:
    """Find what training imports, and set what must be set before torch is loaded."""
    from importlib.util import find_spec

    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)

    for package in TRAINING_PACKAGES:
        if package != "torchvision" and find_spec(package) is None:
            raise MissingExtra(package)

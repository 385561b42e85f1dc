"""Going on with an edited spec: what is refused and why, what `--force` allows, and how that ends."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import specforge
from specforge.analysis import analyse
from specforge.experiment import evaluate
from specforge.resolved import spec_hash, to_yaml
from specforge.training import checksums, epochs
from specforge.training.changed_spec import change_of
from specforge.training.errors import Interrupted, SpecChanged, TrainingError
from specforge.training.run_directory import Change, RunDirectory
from tests.training.experiments import Recorder

SPEC = """\
specforge: 1
name: small
description: A small one.
model: {input: [3, 8, 8], layers: [flatten, {linear: 8}, relu, {linear: 4}]}
data:
  dataset: {synthetic: {image: [3, 8, 8], classes: 4, train: 64, test: 24}}
  split: {train: 0.75, validation: 0.25}
train: {epochs: 4, batch_size: 16, optimizer: {adam: {lr: 1e-2}}, loss: cross_entropy}
reported: [{metric: test_accuracy, value: 0.5}]
"""
Settings = tuple[str, ...]
Begin = Callable[[Settings], Path]
WORSE = ("train.optimizer={sgd: 5}", "train.keep_every=1")  # with every epoch
STAGES = ("train.epochs=", "train.stages=[{epochs: 2}, {epochs: 2}]")
CHAIN = ("train.epochs=", "train.schedule=cosine", "train.stages=[{epochs: 2}, {epochs: 2, continue: true}]")


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """No pictures, and a checkpoint after every epoch."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("specforge.experiment.write_reports", lambda folder, *_: folder / "report.html")
        patched.setattr(epochs, "SAVING_SHARE", 1.0)
        yield


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("specs") / "small.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def begun(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Begin:
    """A run of four epochs, made once for each of its settings; not to be written to."""
    known: dict[Settings, Path] = {}

    def begin(settings: Settings) -> Path:
        if settings not in known:
            known[settings] = tmp_path_factory.mktemp("runs") / "run"
            specforge.train(spec, settings=settings, out=known[settings])
        return known[settings]

    return begin


def _decision(spec: Path, folder: Path, settings: Settings, *, force: bool = True) -> Change | None:
    found, graph = analyse(spec, settings).require()
    return change_of(RunDirectory(folder, to_yaml(found), spec_hash(found)), found, graph, force=force)


SAFE: list[tuple[Settings, Settings]] = [
    ((), ("train.epochs=6",)),
    ((), ("train.epochs=1000000",)),
    ((), ("train.compile=never",)),
    ((), ("train.keep_every=2",)),
    ((), ("train.evaluate={every_epoch: test}",)),
    ((), ("train.evaluate={test_time_augmentation: {augment: [horizontal_flip]}}",)),
    ((), ("train.early_stopping={patience: 10}",)),
    ((), ("train.on_nan=skip",)),
    ((), ("data.memory=streamed", "train.epochs=5", "train.keep_every=1", "name=other")),
    (("train.checkpoint=best_validation_loss",), ("train.checkpoint=last",)),
    (("train.keep_every=1",), ("train.keep_every=1", "train.checkpoint=best_validation_accuracy")),
    (("train.early_stopping={patience: 1, min_delta: 100}",), ()),
    (WORSE, (*WORSE, "train.checkpoint=best_validation_loss", "train.epochs=6")),
    ((WORSE[0], "train.epochs=1"), (WORSE[0], "train.checkpoint=best_validation_loss", "train.epochs=5")),
    (
        ("train.schedule={multi_step: {milestones: [2]}}",),
        ("train.schedule={multi_step: {milestones: [2]}}", "train.epochs=9"),
    ),
    (("train.schedule={cosine: {t_max: 3}}",), ("train.schedule={cosine: {t_max: 3}}", "train.epochs=9")),
    (("train.schedule={exponential: 0.9}",), ("train.schedule={exponential: 0.9}", "train.epochs=9")),
    (
        ("train.schedule={cyclic: {base_lr: 1e-3, step_size_up: 2}}",),
        ("train.schedule={cyclic: {base_lr: 1e-3, step_size_up: 2}}", "train.epochs=9"),
    ),
    (STAGES, (STAGES[0], "train.stages=[{epochs: 2}, {epochs: 5, name: long}]")),
]


@pytest.mark.parametrize(("own", "given"), SAFE, ids=str)
def test_what_changes_no_step_so_far_may_change(spec: Path, begun: Begin, own: Settings, given: Settings) -> None:
    folder = begun(own)
    with pytest.raises(SpecChanged, match="holds a run of another spec") as caught:
        _decision(spec, folder, given, force=False)
    assert "`--resume --force` goes on with these changes" in (caught.value.hint or "")
    assert caught.value.difference is not None
    assert not caught.value.difference.same
    change = _decision(spec, folder, given)
    assert change is not None
    assert change.means_else
    assert change.settings


UNSAFE: list[tuple[Settings, Settings, str]] = [
    ((), ("train.epochs=2",), "`train.epochs` (the run is in epoch 4 already)"),
    ((), ("train.optimizer.lr=0.02",), "`train.optimizer.lr` (its state is that of steps"),
    ((), ("train.optimizer={sgd: 0.1}",), "`train.optimizer` (its state"),
    ((), ("train.optimizer.weight_decay=0.1",), "`train.optimizer.weight_decay`"),
    ((), ("train.batch_size=32",), "`train.batch_size` (order of images"),
    ((), ("train.seed=1",), "`train.seed` (initial weights"),
    ((), ("train.loss={cross_entropy: {label_smoothing: 0.1}}",), "`train.loss.label_smoothing` (the epochs so far"),
    ((), ("train.l2=0.1",), "`train.l2`"),
    ((), ("train.gradient_clipping={norm: 1}",), "`train.gradient_clipping`"),
    ((), ("train.precision=bfloat16",), "`train.precision`"),
    ((), ("train.ema={decay: 0.9}",), "`train.ema`"),
    ((), ("train.schedule=cosine",), "`train.schedule` (the steps so far had other learning rates)"),
    ((), ("train.groups=[{select: {parameter: bias}, l2: 0.1}]",), "`train.groups[0]`"),
    ((), STAGES, "`train.stages[0]`"),
    ((), ("train.snapshots={cycles: 2}",), "`train.snapshots`"),
    ((), ("data.augment=[horizontal_flip]",), "`data.augment[0]` (the epochs so far saw other images)"),
    ((), ("data.mix=mixup",), "`data.mix`"),
    ((), ("data.sampling=balanced",), "`data.sampling`"),
    ((), ("data.normalize=none",), "`data.normalize`"),
    ((), ("data.split.seed=1",), "`data.split.seed`"),
    ((), ("data.split={train: 0.5, validation: 0.5}",), "`data.split.train`"),
    ((), ("data.dataset.synthetic.train=128",), "`data.dataset.train`"),
    (
        (),
        ("model.layers.0=relu", "model.layers.1=flatten"),
        "`model` (the weights so far are those of another network)",
    ),
    ((), ("model.init=[{select: {parameter: weight}, initializer: xavier_uniform}]",), "`model` (the weights"),
    ((), ("train.early_stopping={patience: 1, min_delta: 100}",), "(the run would have stopped after epoch 2)"),
    (
        ("train.schedule=cosine",),
        ("train.schedule=cosine", "train.epochs=8"),
        "`train.epochs` (the schedule spans all epochs",
    ),
    (
        ("train.schedule=one_cycle",),
        ("train.schedule=one_cycle", "train.epochs=8"),
        "`train.epochs` (the schedule spans",
    ),
    (
        ("train.schedule=polynomial",),
        ("train.schedule=polynomial", "train.epochs=8"),
        "`train.epochs` (the schedule spans",
    ),
    (("train.snapshots={cycles: 2}",), ("train.snapshots={cycles: 2}", "train.epochs=8"), "`train.epochs` (the cycles"),
    (
        ("train.groups=[{select: {parameter: bias}, schedule: cosine}]",),
        ("train.groups=[{select: {parameter: bias}, schedule: cosine}]", "train.epochs=8"),
        "`train.epochs` (the schedule spans",
    ),
    (STAGES, (STAGES[0], "train.stages=[{epochs: 3}, {epochs: 2}]"), "`train.stages[0].epochs` (that stage is over)"),
    (STAGES, (STAGES[0], "train.stages=[{epochs: 2}, {epochs: 1}]"), "`train.stages[1].epochs` (the run is in epoch 2"),
    (STAGES, (STAGES[0], "train.stages=[{epochs: 2}, {epochs: 2, freeze: linear_1}]"), "`train.stages[1].freeze`"),
    (
        CHAIN,
        (*CHAIN[:2], "train.stages=[{epochs: 2}, {epochs: 5, continue: true}]"),
        "`train.stages[1].epochs` (the schedule",
    ),
]


@pytest.mark.parametrize("force", [False, True], ids=["asked", "forced"])
@pytest.mark.parametrize(("own", "given", "reason"), UNSAFE, ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_epochs_so_far_follow_from_may_not_even_by_force(
    spec: Path, begun: Begin, own: Settings, given: Settings, reason: str, force: bool
) -> None:
    folder = begun(own)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(SpecChanged) as caught:
        _decision(spec, folder, given, force=force)
    assert reason in (caught.value.hint or "")
    assert ("not even by `--force`" in caught.value.message) == force
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_safe_changes_do_not_carry_unsafe_ones(spec: Path, begun: Begin) -> None:
    with pytest.raises(SpecChanged) as caught:
        _decision(spec, begun(()), ("train.epochs=8", "train.seed=3", "train.batch_size=8"))
    hint = caught.value.hint or ""
    assert "`train.seed`" in hint
    assert "`train.batch_size`" in hint
    assert "`train.epochs`" not in hint


def test_weights_that_were_not_kept_can_not_be_the_best(spec: Path, begun: Begin, tmp_path: Path) -> None:
    shutil.copytree(begun(WORSE), tmp_path / "run")
    given = (*WORSE, "train.checkpoint=best_validation_loss")
    assert _decision(spec, tmp_path / "run", given) is not None
    (tmp_path / "run" / "checkpoints" / "epoch-0001").rename(tmp_path / "elsewhere")
    with pytest.raises(SpecChanged) as caught:
        _decision(spec, tmp_path / "run", given)
    assert "the best epoch so far is 1, whose weights were not kept" in (caught.value.hint or "")


def test_before_the_first_checkpoint_everything_may_change(spec: Path, begun: Begin, tmp_path: Path) -> None:
    shutil.copytree(
        begun(()), tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints", "result.json", "checksums*")
    )
    given = (
        "train.seed=1",
        "train.batch_size=8",
        "data.augment=[horizontal_flip]",
        "model.layers.1.linear=16",
        "name=x",
    )
    specforge.train(spec, settings=given, out=tmp_path / "run", resume=True, force=True)
    specforge.train(spec, settings=given, out=tmp_path / "whole")
    _same_end(tmp_path / "whole", tmp_path / "run")
    (entry,) = json.loads((tmp_path / "run" / "environment.json").read_text())["changes"]
    paths = [setting["path"] for setting in entry["settings"]]
    assert paths == ["model", "name", "data.augment[0]", "train.batch_size", "train.seed"]
    assert entry["settings"][0] == {"path": "model", "before": "1,580 parameters", "after": "3,156 parameters"}


def _weights(folder: Path) -> dict[str, bytes]:
    last = max(path.name for path in (folder / "checkpoints").glob("epoch-????"))
    return {last: (folder / "checkpoints" / last / "weights.safetensors").read_bytes()}


def _result(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "result.json").read_text())
    del found["seconds"]
    return found


def _same_end(one: Path, other: Path) -> None:
    """The same weights, the same test, the same spec, and files that are all whole."""
    assert _weights(one) == _weights(other)
    assert _result(one) == _result(other)
    assert (one / "spec.yaml").read_text() == (other / "spec.yaml").read_text()
    assert checksums.problems(other) == {}


ENDS = [pair for pair in SAFE if not any("1000000" in setting for setting in pair[1])]


@pytest.mark.parametrize(("own", "given"), ENDS, ids=str)
def test_a_finished_run_that_goes_on_ends_as_if_it_had_begun_so(
    spec: Path, begun: Begin, tmp_path: Path, own: Settings, given: Settings
) -> None:
    shutil.copytree(begun(own), tmp_path / "run")
    recorder = Recorder()
    specforge.train(spec, settings=given, out=tmp_path / "run", resume=True, force=True, listener=recorder)
    specforge.train(spec, settings=given, out=tmp_path / "whole")
    _same_end(tmp_path / "whole", tmp_path / "run")
    (entry,) = json.loads((tmp_path / "run" / "environment.json").read_text())["changes"]
    assert entry["test_accuracy"] == _result(begun(own))["test_accuracy"]
    assert entry["epoch"] == len((begun(own) / "metrics.jsonl").read_text().splitlines())
    assert all(setting["path"] in recorder.messages[0] for setting in entry["settings"])
    evaluated = evaluate(tmp_path / "run")
    assert evaluated.test_loss == pytest.approx(_result(tmp_path / "run")["test_loss"])


def test_an_interrupted_run_that_goes_on_longer(spec: Path, tmp_path: Path) -> None:
    recorder = Recorder(at={(2, 2): lambda: os.kill(os.getpid(), signal.SIGINT)})
    with pytest.raises(Interrupted):
        specforge.train(spec, settings=("train.epochs=3",), out=tmp_path / "run", listener=recorder)
    with pytest.raises(SpecChanged):
        specforge.train(spec, settings=("train.epochs=5",), out=tmp_path / "run", resume=True)
    specforge.train(spec, settings=("train.epochs=5",), out=tmp_path / "run", resume=True, force=True)
    specforge.train(spec, settings=("train.epochs=5",), out=tmp_path / "whole")
    _same_end(tmp_path / "whole", tmp_path / "run")
    assert specforge.train(spec, settings=("train.epochs=5",), out=tmp_path / "run", resume=True).result


def test_a_found_rate_stays(spec: Path, tmp_path: Path) -> None:
    find = ("train.optimizer.lr=find",)
    specforge.train(spec, settings=find, out=tmp_path / "run")
    assert _decision(spec, tmp_path / "run", find, force=False) is None
    with pytest.raises(SpecChanged, match="not even by") as caught:
        _decision(spec, tmp_path / "run", (*find, "train.epochs=6"))
    assert "`train.optimizer.lr` (it was found already: write " in (caught.value.hint or "")
    longer = _decision(tmp_path / "run" / "spec.yaml", tmp_path / "run", ("train.epochs=6",))
    assert longer is not None
    assert [setting.path for setting in longer.settings] == ["train.epochs"]
    said = _decision(spec, tmp_path / "run", (*find, "description=Other words."), force=False)
    assert said is not None
    assert "find" not in said.spec_text
    assert "description: Other words." in said.spec_text


SAID = [
    ("name=other",),
    ("description=Other words.",),
    ("description=",),
    ("source={document: A book, year: 2020}",),
    ("assumed=[train.optimizer]",),
    ("expect={total_parameters: 1580}",),
    ("reported=[{metric: test_loss, value: 1.5}]",),
    ("data.memory=streamed",),
    ("data.memory=resident", "description=Other words."),
]


@pytest.mark.parametrize("given", SAID, ids=str)
def test_what_a_spec_says_of_itself_changes_without_force(
    spec: Path, begun: Begin, tmp_path: Path, given: Settings
) -> None:
    shutil.copytree(begun(()), tmp_path / "run")
    result = (tmp_path / "run" / "result.json").read_bytes()
    recorder = Recorder()
    specforge.train(spec, settings=given, out=tmp_path / "run", resume=True, listener=recorder)
    assert recorder.steps == []
    assert "the spec has changed" in recorder.messages[0]
    assert (tmp_path / "run" / "result.json").read_bytes() == result
    assert (tmp_path / "run" / "spec.yaml").read_text() == to_yaml(specforge.load(spec, settings=given))
    (entry,) = json.loads((tmp_path / "run" / "environment.json").read_text())["changes"]
    told = {setting["path"].partition(".")[0] for setting in entry["settings"]}
    assert {path.partition("[")[0] for path in told} == {
        setting.partition("=")[0].partition(".")[0] for setting in given
    }
    assert checksums.problems(tmp_path / "run") == {}
    assert _decision(spec, tmp_path / "run", given, force=False) is None


class _Killed(BaseException):
    """Stands for a death that nothing can react to."""


@pytest.mark.parametrize("at", ["result.json", "environment.json", "spec.yaml"])
def test_killed_while_the_spec_is_taken_over(
    spec: Path, begun: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    shutil.copytree(begun(()), tmp_path / "run")
    given = ("train.epochs=6",)
    with monkeypatch.context() as patched:
        for name in ("write", "remove"):
            _die_at(patched, name, at)
        with pytest.raises(_Killed):
            specforge.train(spec, settings=given, out=tmp_path / "run", resume=True, force=True)
    adopted = at == "spec.yaml"
    if not adopted:  # nothing has changed yet: the old spec goes on as well
        shutil.copytree(tmp_path / "run", tmp_path / "old")
        specforge.train(spec, out=tmp_path / "old", resume=True)
        assert _result(tmp_path / "old") == _result(begun(()))
    specforge.train(spec, settings=given, out=tmp_path / "run", resume=True, force=not adopted)
    specforge.train(spec, settings=given, out=tmp_path / "whole")
    _same_end(tmp_path / "whole", tmp_path / "run")
    assert len(json.loads((tmp_path / "run" / "environment.json").read_text())["changes"]) == 1


def _die_at(patched: pytest.MonkeyPatch, function: str, at: str) -> None:
    original = getattr(checksums, function)

    def fatal(folder: Path, name: str, *arguments: bytes) -> object:
        if name == at:
            raise _Killed
        return original(folder, name, *arguments)

    patched.setattr(checksums, function, fatal)


@pytest.mark.parametrize("content", ["", "{", "specforge: 2\n", "name: x\n", SPEC.replace("relu", "gelu")])
def test_a_spec_in_the_folder_that_is_not_the_runs(spec: Path, begun: Begin, tmp_path: Path, content: str) -> None:
    shutil.copytree(begun(()), tmp_path / "run", ignore=shutil.ignore_patterns("checksums.json"))
    (tmp_path / "run" / "spec.yaml").write_text(content)
    with pytest.raises(SpecChanged, match=r"its own spec.yaml does not say which"):
        _decision(spec, tmp_path / "run", ("train.epochs=6",))
    recorder = Recorder()
    specforge.train(spec, out=tmp_path / "run", resume=True, listener=recorder)
    assert recorder.steps == []
    assert (tmp_path / "run" / "spec.yaml").read_text() == to_yaml(specforge.load(spec)), (
        "the hash says that it is this"
    )


def test_force_alone_overwrites_nothing(spec: Path, begun: Begin) -> None:
    with pytest.raises(TrainingError, match="already holds a run"):
        specforge.train(spec, settings=("train.epochs=6",), out=begun(()), force=True)

"""Runs in TensorBoard and MLflow, read back with their own readers, against `metrics.jsonl`."""

import json
import os
import shutil
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("tensorboard", reason="the extra `tracking` is not installed")
pytest.importorskip("mlflow", reason="the extra `tracking` is not installed")

import specforge
from specforge.tracking import tensorboard_events, tracker
from specforge.tracking.content import epochs, settings
from specforge.tracking.mlflow_runs import MlflowRun
from specforge.tracking.tensorboard_events import Events
from specforge.tracking.tracker import Target, opened, target_of
from specforge.training import Interrupted, TrainingError
from specforge.training import epochs as loop
from tests.training.experiments import Recorder

SPEC = """\
specforge: 1
name: tiny
model: {input: [1, 8, 8], layers: [flatten, {linear: 10}]}
data: {dataset: digits, split: {train: 0.3, validation: 0.1, test: 0.2}, augment: [{crop: {padding: 1}}]}
train:
  epochs: 3
  batch_size: 64
  optimizer: {sgd: {lr: 0.05, momentum: 0.9}}
  groups: [{select: {parameter: bias}, optimizer: {sgd: {lr: 0.1}}}]
  loss: cross_entropy
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty one: MLflow takes seconds to make it."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert MlflowClient(f"sqlite:///{path}").get_experiment_by_name("specforge") is None
    return path


@pytest.fixture(autouse=True)
def _here(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(database, tmp_path / "mlflow.db")
    monkeypatch.setattr(loop, "SAVING_SHARE", 1.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    (tmp_path / "tiny.yaml").write_text(SPEC)


def _train(*track: str, out: str = "run", **options: Any) -> list[str]:
    recorder = Recorder(options.pop("at", None))
    specforge.train("tiny.yaml", out=out, device="cpu", track=track, listener=recorder, **options)
    return recorder.messages


def _lines(run: str = "run") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]


class Seen(NamedTuple):
    """By the name of the metric, the values of its steps in their order; and the settings."""

    values: dict[str, list[tuple[int, float]]]
    settings: dict[str, str]
    is_finished: bool


def _in_tensorboard(folder: Path = Path("run/tensorboard")) -> Seen:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    read = EventAccumulator(str(folder))
    read.Reload()
    values = {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
    sessions = read.PluginTagToContent("hparams")
    data = HParamsPluginData.FromString(sessions["_hparams_/session_start_info"]).session_start_info.hparams
    given = {name: str(getattr(value, value.WhichOneof("kind"))) for name, value in data.items()}
    return Seen(values, given, "_hparams_/session_end_info" in sessions)


def _in_mlflow() -> Seen:
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    (experiment,) = (one for one in client.search_experiments() if one.name == "specforge")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "run"
    values = {
        name: [(entry.step, entry.value) for entry in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }
    return Seen(values, dict(run.data.params), run.info.status == "FINISHED")


@pytest.fixture(params=["tensorboard", "mlflow"])
def tool(request: pytest.FixtureRequest) -> Iterator[tuple[str, Callable[[], Seen]]]:
    with warnings.catch_warnings():  # of MLflow's own making
        warnings.simplefilter("ignore")
        yield request.param, _in_tensorboard if request.param == "tensorboard" else _in_mlflow


def _name(tool: str, name: str) -> str:
    return tensorboard_events.tag_of(name) if tool == "tensorboard" else name


def _assert_all_there(tool: str, seen: Seen, *clocks: str) -> None:
    lines, result = _lines(), json.loads(Path("run/result.json").read_text())
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", *clocks):
        expected = [(line["epoch"], pytest.approx(line[name], rel=1e-6)) for line in lines]
        assert seen.values[_name(tool, name)] == expected, name
    bias = "lr/parameter bias"
    assert seen.values[bias] == [(line["epoch"], pytest.approx(0.1)) for line in lines]
    assert seen.values["final/test_accuracy"] == [(3, pytest.approx(result["test_accuracy"], rel=1e-6))]
    assert float(seen.settings["train.optimizer.sgd.momentum"]) == 0.9
    assert float(seen.settings["data.augment.0.crop.padding"]) == 1
    assert seen.settings["data.dataset"] == "digits"
    assert seen.is_finished


def test_a_run_is_tracked_as_it_goes(tool: tuple[str, Callable[[], Seen]]) -> None:
    name, read = tool
    _train(name)
    _assert_all_there(name, read(), "seconds", "images_per_second")


def test_a_finished_run_is_sent_once(tool: tuple[str, Callable[[], Seen]]) -> None:
    name, read = tool
    _train()
    for sent in (3, 0):
        tracked = opened(target_of(name), Path("run"))
        assert tracked.catch_up() == sent
        tracked.close()
    _assert_all_there(name, read())
    assert "nothing left to train" in _train(name, resume=True)[-1]
    _assert_all_there(name, read())


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_goes_on_has_no_step_twice(tool: tuple[str, Callable[[], Seen]]) -> None:
    name, read = tool
    with pytest.raises(Interrupted):
        _train(name, at={(3, 2): _interrupt})
    seen = read()
    assert not seen.is_finished
    assert [step for step, _ in seen.values[_name(name, "train_loss")]] == [1, 2]
    # the machine died after the line of an epoch, before its checkpoint
    for checkpoint in Path("run/checkpoints").glob("epoch-000[23]*"):
        shutil.rmtree(checkpoint)
    _train(name, resume=True)
    _assert_all_there(name, read())


def test_a_tool_that_fails_does_not_stop_the_training(
    tool: tuple[str, Callable[[], Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, read = tool
    kind = Events if name == "tensorboard" else MlflowRun
    original = kind.add

    def add(self: Any, epoch: Any) -> None:
        if epoch.number == 2:
            raise ConnectionError("the server is gone\nfor good")
        original(self, epoch)

    with monkeypatch.context() as patched:
        patched.setattr(kind, "add", add)
        told = [text for text in _train(name) if "tracked" in text]
    assert told == [
        f"the run is not tracked any more by {name} (the server is gone); training goes on, and `specforge track run "
        f"--to {name}` sends what is missing"
    ]
    assert len(_lines()) == 3
    tracked = opened(target_of(name), Path("run"))
    assert tracked.catch_up() == 2
    tracked.close()
    _assert_all_there(name, read())


def test_a_server_that_is_not_there_costs_one_line() -> None:
    told = _train("mlflow:http://127.0.0.1:9", "tensorboard")
    assert [text for text in told if "tracked" in text] == [
        "the run could not be tracked by mlflow:http://127.0.0.1:9: connection refused; training goes on, and "
        "`specforge track run --to mlflow:http://127.0.0.1:9` sends what is missing"
    ]
    _assert_all_there("tensorboard", _in_tensorboard())


def test_a_run_without_tracking_is_the_same() -> None:
    _train()
    _train("tensorboard", out="tracked")
    weights = [Path(run, "checkpoints/epoch-0003/weights.safetensors").read_bytes() for run in ("run", "tracked")]
    assert weights[0] == weights[1]
    assert not Path("run/tensorboard").exists()
    assert not Path("tracked/tracking.json").exists()


def test_a_folder_for_all_runs() -> None:
    _train("tensorboard:events")
    _assert_all_there("tensorboard", _in_tensorboard(Path("events/run")))


def test_what_is_no_tool() -> None:
    assert target_of("mlflow:http://alpha:5000") == Target("mlflow", "http://alpha:5000")
    with pytest.raises(TrainingError, match="`wandb` is no place to track runs") as raised:
        _train("wandb")
    assert raised.value.hint == "write one of mlflow, tensorboard"
    assert not Path("run").exists()


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker, "find_spec", lambda _: None)
    with pytest.raises(TrainingError, match="`mlflow-skinny` is not installed") as raised:
        target_of("mlflow")
    assert raised.value.hint == "pip install mlflow-skinny"


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    lines = [{"epoch": 1, "train_loss": 2.0, "lr": {"bias": 0.1, "others": 0.2}, "seconds": 4.0}, {"epoch": 2}]
    (tmp_path / "environment.json").write_text('{"started": "2026-01-01T00:00:00+00:00"}')
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (found,) = epochs(tmp_path)
    assert (found.number, found.at) == (1, 1767225604.0)
    assert found.values == {"train_loss": 2.0, "lr/bias": 0.1, "lr/others": 0.2, "seconds": 4.0}
    assert settings(tmp_path) == {}


def test_tags_stand_side_by_side() -> None:
    names: Mapping[str, str] = {
        "validation_loss": "loss/validation", "train_accuracy": "accuracy/train", "lr": "lr", "seconds": "seconds",
        "images_per_second": "images_per_second", "test_loss": "loss/test",
    }  # fmt: skip
    assert {name: tensorboard_events.tag_of(name) for name in names} == names

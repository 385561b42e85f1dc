"""`fit`: what a run learns, what it writes, which weights it tests."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from specforge.catalog.optimizers.sgd import Sgd
from specforge.catalog.schedules.inverse_time import InverseTime
from specforge.catalog.schedules.step import Step
from specforge.training import measuring
from specforge.training.errors import TrainingError
from specforge.training.evaluation import Evaluation
from specforge.training.final_test import evaluate_run
from specforge.training.result import Result
from tests.training.experiments import CPU, Recorder, experiment, network, prepared_for, train


def test_the_loss_falls_and_the_classes_are_learned(tmp_path: Path) -> None:
    recorder = Recorder()
    result = train(tmp_path / "run", experiment(epochs=8), listener=recorder)
    assert recorder.epochs[-1]["train_loss"] < recorder.epochs[0]["train_loss"] / 2
    assert result.test_accuracy > 0.8, "four classes: chance is 0.25"
    assert result.test_loss < 1.0


def test_the_first_loss_is_that_of_a_hand_written_loop(tmp_path: Path) -> None:
    spec = experiment(epochs=1, optimizer=Sgd(lr=0.05, momentum=0.9))
    module = network()
    module[3] = nn.Identity()
    recorder = Recorder()
    train(tmp_path / "run", spec, module=module, listener=recorder)
    expected, losses = _by_hand(spec)
    assert recorder.epochs[0]["train_loss"] == pytest.approx(sum(losses) / 3, rel=1e-5)
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(module.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def _by_hand(spec: object) -> tuple[nn.Module, list[float]]:
    from specforge.data.batches import TrainBatches

    prepared = prepared_for(spec)  # type: ignore[arg-type]  # a Spec
    module = network()
    module[3] = nn.Identity()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    batches = TrainBatches(
        prepared.train,
        batch_size=16,
        augment=spec.data.augment,  # type: ignore[attr-defined]
        mean=prepared.mean,
        std=prepared.std,
        seed=0,
    )
    losses = []
    for batch in batches.epoch(0):
        loss = nn.functional.cross_entropy(module(batch.images.contiguous()), batch.labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module, losses


def test_the_run_directory_holds_what_others_rely_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = train(run)
    assert {path.name for path in run.iterdir()} == {
        "spec.yaml", "environment.json", "metrics.jsonl", "checkpoints",
        "confusion.json", "mistakes.json", "result.json", "checksums.json",
    }  # fmt: skip
    assert (run / "spec.yaml").read_text() == "specforge: 1\nname: tiny\n"
    record = json.loads((run / "result.json").read_text())
    absent = {"members": [], "plain": None}  # a single network, tested without augmented views
    assert {**absent, **record} == json.loads(json.dumps(asdict(result)))
    assert (record["tested_epoch"], record["checkpoint_policy"], record["dataset"]) == (3, "last", "synthetic")
    assert record["spec_hash"] == "hash of tiny"
    assert record["parameters"] == 8 * 27 + 8 + 4 * 8 + 128 * 4 + 4
    assert [entry["count"] for entry in record["per_class"]] == [6, 6, 6, 6]
    assert record["test_top5_accuracy"] == 1.0, "top-4 of four classes"
    assert Result.decode((run / "result.json").read_bytes()) == result
    confusion = json.loads((run / "confusion.json").read_text())
    hits = sum(row[at] for at, row in enumerate(confusion["matrix"]))
    assert hits == round(result.test_accuracy * 24)
    assert sum(map(sum, confusion["matrix"])) == 24
    environment = json.loads((run / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert environment["device"] == "cpu"


def test_metrics_have_the_documented_keys_in_order(tmp_path: Path) -> None:
    schedule = Step(step_size=1, gamma=0.5)
    train(tmp_path / "run", experiment(epochs=3, schedule=schedule, optimizer=Sgd(lr=0.08)))
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        assert list(line) == [
            "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
            "lr", "images_per_second", "seconds",
        ]  # fmt: skip
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert [line["lr"] for line in lines] == [0.08, 0.04, 0.02]


def test_schedules_see_every_step(tmp_path: Path) -> None:
    recorder = Recorder()
    spec = experiment(epochs=3, schedule=InverseTime(decay=0.5), optimizer=Sgd(lr=0.08))
    train(tmp_path / "run", spec, listener=recorder)
    assert [line["lr"] for line in recorder.epochs] == [0.08, 0.08 / 2.5, 0.08 / 4], "three steps an epoch"


def test_without_a_validation_part_its_metrics_are_left_out(tmp_path: Path) -> None:
    recorder = Recorder()
    train(tmp_path / "run", experiment(epochs=1, validation=None), listener=recorder)
    assert "validation_loss" not in recorder.epochs[0]
    assert recorder.started == [(1, 4, 0, 0)]


@pytest.mark.parametrize("policy", ["best_validation_loss", "best_validation_accuracy"])
def test_the_tested_weights_are_the_best_epochs(tmp_path: Path, policy: str) -> None:
    # from the fourth epoch on the rate is so high that what was learned is lost
    spec = experiment(epochs=6, optimizer=Sgd(lr=0.02), schedule=Step(step_size=3, gamma=200), checkpoint=policy)
    recorder = Recorder()
    result = train(tmp_path / "run", spec, listener=recorder)
    values = [line[policy.removeprefix("best_")] for line in recorder.epochs]
    best = min(values) if policy.endswith("loss") else max(values)
    assert result.tested_epoch == values.index(best) + 1, "the first of equal ones"
    assert result.tested_epoch < 6, "else this test shows nothing"
    assert (tmp_path / "run" / result.weights).parent.name == f"epoch-{result.tested_epoch:04d}"
    assert (tmp_path / "run" / result.weights).is_file()


def test_the_best_weights_need_a_validation_part(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs a validation part"):
        train(tmp_path / "run", experiment(checkpoint="best_validation_loss", validation=None))
    assert not (tmp_path / "run").exists()


def test_the_module_ends_with_the_tested_weights(tmp_path: Path) -> None:
    module = network()
    result = train(tmp_path / "run", module=module)
    saved = safetensors.torch.load_file(tmp_path / "run" / result.weights)
    assert saved.keys() == module.state_dict().keys()
    assert all(torch.equal(saved[name], value) for name, value in module.state_dict().items())


def test_a_run_can_be_tested_again(tmp_path: Path) -> None:
    spec = experiment(checkpoint="best_validation_loss")
    result = train(tmp_path / "run", spec)
    torch.manual_seed(99)
    other = network()
    with torch.no_grad():
        other[0].weight.zero_()
    assert evaluate_run(other, spec, prepared_for(spec), run=tmp_path / "run", device=CPU) == result


def test_evaluating_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    spec = experiment()
    with pytest.raises(TrainingError, match="is not a run"):
        evaluate_run(network(), spec, prepared_for(spec), run=tmp_path, device=CPU)


def test_divergence_stops_the_run_and_spares_the_checkpoints(tmp_path: Path) -> None:
    spec = experiment(epochs=9, optimizer=Sgd(lr=1e8), schedule=_Explodes())
    with pytest.raises(TrainingError, match=r"diverged in epoch 2.* learning rate of 1e\+38") as caught:
        train(tmp_path / "run", spec)
    assert caught.value.hint is not None
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["epoch-0001"]
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 1


class _Explodes(Step):
    """Goes well for an epoch of three steps."""

    step_size: int = 1

    def rate(self, base: float, clock: object) -> float:
        return 1e-3 if clock.step < 3 else 1e38  # type: ignore[attr-defined]


def test_a_network_without_trainable_parameters_is_refused(tmp_path: Path) -> None:
    module = network().requires_grad_(False)
    with pytest.raises(TrainingError, match="no trainable parameter"):
        train(tmp_path / "run", module=module)


def test_frozen_parameters_stay(tmp_path: Path) -> None:
    module = network()
    module[0].requires_grad_(False)
    before = module[0].weight.detach().clone()
    train(tmp_path / "run", module=module)
    assert torch.equal(module[0].weight, before)


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    recorder = Recorder()
    train(tmp_path / "run", experiment(epochs=2), listener=recorder)
    assert recorder.started == [(2, 3, 0, 0)]
    assert [step[:3] for step in recorder.steps] == [(e, s, 3) for e in (1, 2) for s in (1, 2, 3)]
    assert recorder.steps[0][3] is not None
    told = [step for step in recorder.steps if step[3] is not None]
    assert len(told) < len(recorder.steps), "the loss is read rarely"


@pytest.mark.parametrize(
    ("policy", "found", "tested"),
    [
        ("best_validation_loss", [(0.5, 0.1), (0.4, 0.2), (0.4, 0.3)], 2),
        ("best_validation_accuracy", [(0.5, 0.3), (0.4, 0.3), (0.3, 0.2)], 1),
        ("last", [(0.1, 0.9), (0.2, 0.8), (0.3, 0.7)], 3),
    ],
)
def test_the_earlier_of_equally_good_epochs_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, found: list[tuple[float, float]], tested: int
) -> None:
    left = [Evaluation(loss, accuracy, 1.0, ((1,),)) for loss, accuracy in found]
    monkeypatch.setattr(measuring, "evaluate", lambda *_, **__: left.pop(0))
    assert train(tmp_path / "run", experiment(checkpoint=policy)).tested_epoch == tested

"""Stages, groups, averages, ensembles and the finder, each against what it means."""

import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.datasets.definition import DataError
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.sgd import Sgd
from specforge.catalog.schedules.cosine import Cosine
from specforge.data.augmenting import Augmenter
from specforge.data.batches import EvaluationBatches, View
from specforge.graph import Weight, plan
from specforge.recipe import (
    EarlyStopping,
    Ema,
    Evaluate,
    GradientClipping,
    Group,
    Selector,
    Snapshots,
    TestTimeAugmentation,
)
from specforge.resolved import spec_hash
from specforge.spec import Spec
from specforge.training.averaging import Average
from specforge.training.checkpoint import CheckpointStore
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.finder import BELOW, FALLS, Curve, chosen
from specforge.training.learner import Elapsed, Learner
from specforge.training.stopping import is_due
from specforge.training.trainer import fit
from tests.training.endings import differences
from tests.training.experiments import (
    CPU,
    Recorder,
    experiment,
    mixed,
    network,
    plans_for,
    prepared_for,
    run_in,
    stage,
    staged,
    train,
    varied,
)
from tests.training.test_learner import learner_of

ADAM = Adam(lr=1e-2)


def weights_after(folder: Path, epoch: int) -> dict[str, torch.Tensor]:
    return CheckpointStore(folder / "checkpoints").weights(f"epoch-{epoch:04d}")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_what_is_frozen_stands_still_and_carries_over(tmp_path: Path) -> None:
    train(tmp_path, staged(stage(1, freeze=("0", "1")), stage(1), stage(1, unfreeze="0")))
    start, second, third = network().state_dict(), weights_after(tmp_path, 2), weights_after(tmp_path, 3)
    for name in ("0.weight", "1.weight", "1.running_mean"):
        assert torch.equal(second[name], start[name]), name
    assert not torch.equal(second["6.weight"], start["6.weight"])
    assert not torch.equal(third["0.weight"], start["0.weight"])
    assert torch.equal(third["1.running_mean"], start["1.running_mean"]), "still frozen, so still in evaluation mode"
    assert [line["stage"] for line in lines(tmp_path)] == [1, 2, 3]


def test_frozen_statistics_move_on_request(tmp_path: Path) -> None:
    train(tmp_path, staged(stage(1, freeze="1", frozen_statistics="update")))
    after, start = weights_after(tmp_path, 1), network().state_dict()
    assert torch.equal(after["1.weight"], start["1.weight"])
    assert not torch.equal(after["1.running_mean"], start["1.running_mean"])


def test_a_stage_that_continues_is_the_run_without_a_break(tmp_path: Path) -> None:
    cosine = Cosine()
    train(tmp_path / "whole", varied(schedule=cosine, optimizer=ADAM))
    train(
        tmp_path / "parts",
        staged(
            stage(1, schedule=cosine, optimizer=ADAM), stage(2, schedule=cosine, optimizer=ADAM, **{"continue": True})
        ),
    )
    whole, parts = weights_after(tmp_path / "whole", 3), weights_after(tmp_path / "parts", 3)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert [line["lr"] for line in lines(tmp_path / "whole")] == [line["lr"] for line in lines(tmp_path / "parts")]


def test_a_stage_starts_optimizer_and_schedule_anew(tmp_path: Path) -> None:
    train(tmp_path, staged(stage(2, schedule=Cosine()), stage(2, schedule=Cosine(), optimizer=Sgd(lr=0.5))))
    rates = [line["lr"] for line in lines(tmp_path)]
    assert rates == pytest.approx([0.01, 0.005, 0.5, 0.25])


STOPPED = {
    "frozen": staged(stage(1, freeze=("0", "1")), stage(2, unfreeze="all")),
    "continued": staged(stage(1, optimizer=ADAM, schedule=Cosine()), stage(2, optimizer=ADAM, **{"continue": True})),
    "groups": varied(groups=(Group(select=Selector(parameter="bias"), optimizer=Sgd(lr=0.1, momentum=0.9)),)),
    "averaged": varied(ema=Ema(decay=0.9)),
    "snapshots": varied(epochs=4, snapshots=Snapshots(cycles=2)),
    "clipped": varied(gradient_clipping=GradientClipping(norm=0.1), l2=0.01),
    "bfloat16": varied(precision="bfloat16"),
    "found": varied(optimizer=Adam(lr="find")),
    "mixed": mixed(),
    "early": varied(early_stopping=EarlyStopping(metric="train_loss", patience=1, min_delta=100.0)),
}


def stop() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("spec", STOPPED.values(), ids=STOPPED)
@pytest.mark.parametrize("at", [(1, 2), (2, 1), (2, 3)])
def test_a_run_that_is_taken_up_again_ends_in_the_same_bits(
    tmp_path: Path, spec: Spec, at: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    train(tmp_path / "whole", spec)
    early = "early" in request.node.callspec.id
    if early and at[0] > len(lines(tmp_path / "whole")):
        pytest.skip("the run ends before")
    with pytest.raises(Interrupted):
        train(tmp_path / "parts", spec, listener=Recorder({at: stop}))
    train(tmp_path / "parts", spec, resume=True)
    assert differences(tmp_path / "whole", tmp_path / "parts") == []


def test_groups_have_optimizers_and_rates_of_their_own() -> None:
    groups = (Group(select=Selector(parameter="bias"), optimizer=Sgd(lr=0.5), schedule=Cosine()),)
    learner = learner_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 4)))
    spec = varied(groups=groups)
    assert spec.train is not None
    learner.begin_stage(plans_for(spec, learner.module)[0])
    assert learner.rates(0) == {"parameter bias": 0.5, "others": 0.01}
    assert [type(optimizer).__name__ for optimizer in learner.optimizers] == ["SGD", "Adam"]
    held = [[tuple(p.shape) for g in o.param_groups for p in g["params"]] for o in learner.optimizers]
    assert held == [[(4,)], [(4, 4)]]


def test_l2_adds_the_sum_of_squares_to_the_loss(tmp_path: Path) -> None:
    plain = learner_of(network())
    spec = varied(l2=0.5, groups=(Group(select=Selector(kind="linear", parameter="bias"), l2=0.0),))
    module = network()
    learner = learner_of(module)
    learner.begin_stage(plans_for(spec, module)[0])
    prepared = prepared_for(spec)
    batch = next(iter(EvaluationBatches(prepared.train, batch_size=8, mean=prepared.mean, std=prepared.std)))
    torch.manual_seed(0)
    loss = learner.loss_of(batch)[1]
    torch.manual_seed(0)
    data_loss = plain.loss_of(batch)[1]
    weights = {name: p for name, p in module.named_parameters() if name != "6.bias"}
    torch.testing.assert_close(loss - data_loss, 0.5 * sum(p.square().sum() for p in weights.values()))


@pytest.mark.parametrize("clipping", [GradientClipping(norm=1e-3), GradientClipping(value=1e-4)])
def test_gradients_are_clipped(clipping: GradientClipping) -> None:
    spec = varied(gradient_clipping=clipping, optimizer=Sgd(lr=1.0))
    module = network()
    learner = learner_of(module)
    learner.begin_stage(plans_for(spec, module)[0])
    prepared = prepared_for(spec)
    batch = next(iter(EvaluationBatches(prepared.train, batch_size=8, mean=prepared.mean, std=prepared.std)))
    before = [p.detach().clone() for p in module.parameters()]
    learner.learn(batch, epoch=0, step=0)
    moved = [(p.detach() - old) for p, old in zip(module.parameters(), before, strict=True)]
    if clipping.norm is not None:
        assert math.sqrt(sum(m.square().sum().item() for m in moved)) == pytest.approx(clipping.norm, rel=1e-3)
    else:
        assert max(m.abs().max().item() for m in moved) == pytest.approx(1e-4, rel=1e-3)


def test_the_average_follows_the_weights() -> None:
    module = nn.BatchNorm1d(1)
    average = Average(module, Ema(decay=0.9, warmup=False))
    with torch.no_grad():
        module.weight.fill_(3.0)
        module.running_mean.fill_(2.0)
        module.num_batches_tracked.fill_(7)
    average.update(0)
    averaged = average.module.state_dict()
    assert averaged["weight"].item() == pytest.approx(0.9 * 1 + 0.1 * 3)
    assert averaged["running_mean"].item() == pytest.approx(0.2)
    assert averaged["num_batches_tracked"].item() == 7


def test_an_average_warms_up() -> None:
    module = nn.Linear(1, 1, bias=False)
    average = Average(module, Ema(decay=0.99))
    start = module.weight.item()
    with torch.no_grad():
        module.weight.fill_(start + 1)
    average.update(0)
    assert average.module.state_dict()["weight"].item() == pytest.approx(start + 0.9)


def test_the_average_is_what_is_tested(tmp_path: Path) -> None:
    result = train(tmp_path, varied(ema=Ema(decay=0.9)))
    assert result.weights.endswith("averages.safetensors")
    assert (tmp_path / result.weights).is_file()


def test_an_ensemble_is_the_mean_of_its_members(tmp_path: Path) -> None:
    spec = varied(epochs=6, snapshots=Snapshots(cycles=3))
    result = train(tmp_path, spec)
    assert [member.epoch for member in result.members] == [2, 4, 6]
    rates = [line["lr"] for line in lines(tmp_path)]
    assert rates == pytest.approx([0.01, 0.005] * 3)
    prepared, total = prepared_for(spec), torch.zeros(24, 4)
    for member in result.members:
        module = network()
        module.load_state_dict(weights_after(tmp_path, member.epoch))
        module.eval()
        batches = EvaluationBatches(prepared.test, batch_size=24, mean=prepared.mean, std=prepared.std)
        with torch.inference_mode():
            found = module(next(iter(batches)).images).softmax(1)
        labels = prepared.test.labels
        assert member.test_accuracy == (found.argmax(1) == labels).double().mean().item()
        total += found / 3
    assert result.test_accuracy == (total.argmax(1) == labels).double().mean().item()
    assert result.test_loss == pytest.approx(nn.functional.nll_loss(total.log(), labels).item(), rel=1e-5)


def test_augmented_views_are_averaged_with_the_plain_one(tmp_path: Path) -> None:
    always = HorizontalFlip(probability=1.0)
    spec = varied(evaluate=Evaluate(test_time_augmentation=TestTimeAugmentation(augment=(always,))))
    result = train(tmp_path, spec)
    assert result.plain is not None
    module, prepared = network(), prepared_for(spec)
    module.load_state_dict(weights_after(tmp_path, 3))
    module.eval()
    images = prepared.test.images
    view = View(Augmenter((always,), seed=0, device=CPU, stream="test"), 0)
    both = [
        next(iter(EvaluationBatches(prepared.test, batch_size=24, mean=prepared.mean, std=prepared.std, view=v)))
        for v in (None, view)
    ]
    assert torch.equal(both[1].images, both[0].images.flip(-1))
    with torch.inference_mode():
        mean = sum(module(batch.images).softmax(1) for batch in both) / 2
    assert result.test_accuracy == (mean.argmax(1) == prepared.test.labels).double().mean().item()
    assert len(images) == 24


@pytest.mark.parametrize(
    ("losses", "due"),
    [([3.0, 2.0, 1.0], False), ([1.0, 2.0, 3.0], True), ([3.0, 1.0, 1.5, 0.9], False), ([1.0, 0.95, 0.9], True)],
)
def test_early_stopping_counts_epochs_without_improvement(losses: list[float], due: bool) -> None:
    stopping = EarlyStopping(metric="validation_loss", patience=2, min_delta=0.2 if losses[1] == 0.95 else 0.0)
    assert is_due(stopping, [{"validation_loss": loss} for loss in losses]) is due


def test_early_stopping_looks_for_higher_accuracy() -> None:
    stopping = EarlyStopping(metric="validation_accuracy", patience=2)
    assert not is_due(stopping, [{"validation_accuracy": value} for value in (0.1, 0.2, 0.15)])
    assert is_due(stopping, [{"validation_accuracy": value} for value in (0.3, 0.2, 0.15)])


def test_a_stopped_stage_gives_way_to_the_next(tmp_path: Path) -> None:
    never = EarlyStopping(metric="train_loss", patience=1, min_delta=100.0)
    recorder = Recorder()
    train(tmp_path, staged(stage(5, early_stopping=never), stage(1)), listener=recorder)
    assert [line["stage"] for line in lines(tmp_path)] == [1, 1, 2]
    assert recorder.messages == [
        "stage 1: 5 epochs, 6 of 6 tensors train",
        "stopped early: `train_loss` has not improved for 1 epochs",
        "stage 2: 1 epochs, 6 of 6 tensors train",
    ]


def test_the_finder_leaves_no_trace(tmp_path: Path) -> None:
    """A run with what the finder chose is the same as one that was told so."""
    recorder = Recorder()
    train(tmp_path / "found", varied(optimizer=Adam(lr="find")), listener=recorder)
    (sweep,) = json.loads((tmp_path / "found" / "lr_find.json").read_text())
    rate = float(f"{sweep['chosen']:.2g}")
    assert recorder.messages == [f"the learning-rate finder chose {rate:g} ({sweep['how']} of the loss)"]
    assert sweep["stage"] == 1
    assert len(sweep["rates"]) == len(sweep["losses"]) == len(sweep["smoothed"]) > 20
    written = yaml.safe_load((tmp_path / "found" / "spec.yaml").read_text())
    assert float(written["train"]["optimizer"]["adam"]["lr"]) == rate
    train(tmp_path / "told", varied(optimizer=Adam(lr=rate)))
    found, told = weights_after(tmp_path / "found", 3), weights_after(tmp_path / "told", 3)
    assert all(torch.equal(found[name], told[name]) for name in found)


RATES = tuple(10 ** (-5 + 0.25 * step) for step in range(20))


def curve_of(losses: list[float], *, start: float) -> Curve:
    return Curve(0, RATES[: len(losses)], tuple(losses), tuple(losses), start)


def test_the_rate_of_the_steepest_fall_is_chosen() -> None:
    falling = [2 - 1 / (1 + math.exp(-(step - 10))) + (step > 15) * (step - 15) for step in range(20)]
    assert chosen(curve_of(falling, start=2.0)) == (RATES[10], FALLS)


def test_where_the_loss_hardly_falls_a_rate_below_its_rise_is_chosen() -> None:
    """A network that has learned: noise is no fall."""
    noisy = [1.0, 0.999, 1.001, 0.998] * 3 + [1.01, 1.1, 2.0]
    assert chosen(curve_of(noisy, start=1.0)) == (RATES[13] / 10, BELOW)
    with pytest.raises(TrainingError, match="no rate that changes the loss"):
        chosen(curve_of([1.0] * 20, start=1.0))


def test_a_fall_after_the_loss_has_come_back_is_another_story() -> None:
    """As that of images which are met again."""
    twice = [2.0] * 5 + [1.9, 1.7, 1.6, 1.65, 1.8, 1.9, 1.9, 1.5, 1.0, 0.5]
    assert chosen(curve_of(twice, start=2.0)) == (RATES[5], FALLS)


def test_the_finder_sees_what_the_steps_have_done(tmp_path: Path) -> None:
    """At the smallest rates nothing, however different the batches are."""
    train(tmp_path, varied(optimizer=Adam(lr="find")))
    (sweep,) = json.loads((tmp_path / "lr_find.json").read_text())
    assert sweep["losses"][:10] == pytest.approx([sweep["start"]] * 10, rel=1e-3)


def test_what_is_found_holds_for_the_stages_that_continue(tmp_path: Path) -> None:
    find = Adam(lr="find")
    parts = (stage(1, optimizer=find), stage(1, optimizer=find, **{"continue": True}))
    train(tmp_path, varied(epochs=None, stages=parts, optimizer=Adam(lr=0.5)))
    written = yaml.safe_load((tmp_path / "spec.yaml").read_text())["train"]["stages"]
    rates = {float(part["optimizer"]["adam"]["lr"]) for part in written}
    assert len(rates) == 1
    assert rates == {line["lr"] for line in lines(tmp_path)}


def test_a_resumed_run_remembers_what_was_found(tmp_path: Path) -> None:
    spec = staged(stage(1, optimizer=Adam(lr="find")), stage(1, optimizer=Adam(lr="find")))
    train(tmp_path / "whole", spec)
    with pytest.raises(Interrupted):
        train(tmp_path / "parts", spec, listener=Recorder({(1, 2): stop}))
    train(tmp_path / "parts", spec, resume=True)
    for name in ("spec.yaml", "lr_find.json"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "parts" / name).read_text()
    assert len(json.loads((tmp_path / "parts" / "lr_find.json").read_text())) == 2


def test_a_run_goes_on_with_its_own_spec(tmp_path: Path) -> None:
    """With what was found in place of `find`."""
    spec = varied(optimizer=Adam(lr="find"))
    train(tmp_path / "whole", spec)
    with pytest.raises(Interrupted):
        train(tmp_path / "parts", spec, listener=Recorder({(1, 2): stop}))
    rate = json.loads((tmp_path / "parts" / "lr_find.json").read_text())[0]["chosen"]
    own = varied(optimizer=Adam(lr=float(f"{rate:.2g}")))
    fit(
        network(), own, prepared_for(own), plans=plans_for(own, network()),
        run=run_in(tmp_path / "parts", spec_hash=spec_hash(own)), device=CPU, resume=True,
    )  # fmt: skip
    whole, parts = weights_after(tmp_path / "whole", 3), weights_after(tmp_path / "parts", 3)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_the_average_remembers_the_stages_before(tmp_path: Path) -> None:
    """Two stages of which the second continues are one run; one that starts anew does not start the average anew."""
    ema = Ema(decay=0.999)
    train(tmp_path / "whole", varied(ema=ema, optimizer=Sgd(lr=0.1)))
    parts = (stage(1, optimizer=Sgd(lr=0.1)), stage(2, optimizer=Sgd(lr=0.1)))
    train(tmp_path / "parts", varied(ema=ema, epochs=None, stages=parts))
    stores = [CheckpointStore(tmp_path / name / "checkpoints") for name in ("whole", "parts")]
    whole, again = (store.weights("epoch-0003", "averages.safetensors") for store in stores)
    assert all(torch.equal(whole[name], again[name]) for name in whole), "plain SGD has no state to lose"


def test_a_batch_norm_without_parameters_is_frozen_by_its_path() -> None:
    norm = nn.BatchNorm1d(4, affine=False)
    module = nn.Sequential(nn.Linear(4, 4), norm, nn.Linear(4, 4))
    spec = varied(epochs=None, stages=(stage(1, freeze="1"),))
    assert spec.train is not None
    learner = Learner(module, spec.train, device=CPU, class_counts=(1, 1, 1, 1))
    weights = [
        Weight("0.weight", "0", "linear", "weight", (4, 4), True),
        Weight("1.running_mean", "1", "batch_norm", "running_mean", (4,), True, True),
    ]
    learner.begin_stage(plan(spec.train, weights)[0])
    learner.begin_epoch(Elapsed(0, 0, 1), steps=1)
    assert not norm.training
    assert [settings.names for settings in plan(spec.train, weights)[0].groups] == [("0.weight",)]


def test_the_last_complete_epoch_is_kept(tmp_path: Path) -> None:
    """However often the epoch after it is interrupted."""
    spec = experiment()
    for at in ((2, 1), (2, 2), (2, 3)):
        with pytest.raises(Interrupted):
            train(tmp_path, spec, listener=Recorder({at: stop}), resume=at != (2, 1))
    assert "epoch-0001" in CheckpointStore(tmp_path / "checkpoints").names()


def test_nothing_is_written_where_the_loss_can_not_be_made(tmp_path: Path) -> None:
    spec = varied(loss=CrossEntropy(class_weights=(1.0, 2.0)))
    with pytest.raises(DataError, match="2 numbers"):
        train(tmp_path / "run", spec)
    assert not (tmp_path / "run").exists()


def test_the_test_curve_is_recorded_on_request(tmp_path: Path) -> None:
    result = train(tmp_path, varied(evaluate=Evaluate(every_epoch="test")))
    assert lines(tmp_path)[-1]["test_accuracy"] == result.test_accuracy
    assert lines(tmp_path)[-1]["test_loss"] == result.test_loss


def test_checkpoints_are_kept_on_request(tmp_path: Path) -> None:
    train(tmp_path, varied(epochs=7, keep_every=3))
    assert {"epoch-0003", "epoch-0006"} <= set(CheckpointStore(tmp_path / "checkpoints").names())
    assert "epoch-0004" not in CheckpointStore(tmp_path / "checkpoints").names()


def test_float16_needs_a_gpu(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs a GPU"):
        train(tmp_path, varied(precision="float16"))

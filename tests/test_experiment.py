"""`compile`, `train` and `evaluate` as Python calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import specforge
from specforge.catalog.datasets.definition import DataError
from specforge.experiment import SPINS, MissingExtra, find_rate
from specforge.training.claim import default_folder

SPEC = """\
specforge: 1
name: small
model: {input: [1, 8, 8], layers: [flatten, {linear: 10}]}
data: {dataset: digits}
train: {epochs: 1, batch_size: 64, optimizer: {adam: {lr: 1e-2}}, loss: cross_entropy}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


def test_a_missing_package_is_told_as_on_the_command_line() -> None:
    missing = MissingExtra("torch")
    assert str(missing).startswith("`torch` is not installed: the core alone can't train; hint: pip install torch ")


def test_compile_is_repeatable_with_a_seed(small: Path) -> None:
    first, second = (specforge.compile(small, seed=3) for _ in range(2))
    assert torch.equal(first.linear_1.weight, second.linear_1.weight)
    assert first(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_loaded_spec_trains_like_its_file(small: Path) -> None:
    from_file = specforge.train(small, out="a")
    loaded = specforge.train(specforge.load(small), out="b")
    assert from_file.result.test_loss == loaded.result.test_loss
    assert loaded.report == Path("b/report.html")
    assert Path("b/curves.png").is_file()


def test_settings_need_a_file(small: Path) -> None:
    with pytest.raises(ValueError, match="loaded already"):
        specforge.compile(specforge.load(small), settings=("train.epochs=2",))


def test_a_broken_spec_raises_every_error(small: Path) -> None:
    small.write_text(SPEC.replace("flatten", "flaten").replace("adam", "adma"))
    with pytest.raises(specforge.SpecError, match="flatten") as caught:
        specforge.compile(small)
    assert len(caught.value.diagnostics) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("linear: 10", "linear: 2"), r"the network gives \[2\], `npz` has 3 classes"),
        (("[1, 8, 8]", "[1, 9, 9]"), r"`input` is \[1, 9, 9\], an image of `npz` is \[1, 8, 8\]"),
    ],
)
def test_data_that_does_not_fit_when_it_is_read(small: Path, change: tuple[str, str], message: str) -> None:
    np.savez("own.npz", train_x=np.zeros((6, 8, 8), np.uint8), train_y=np.arange(6) % 3)
    own = SPEC.replace("dataset: digits", "dataset: {npz: {path: own.npz}}, split: {train: 0.5, test: 0.5}")
    small.write_text(own.replace("linear: 10", "linear: 3"))
    specforge.train(small, out="fits", data_dir=".")
    small.write_text(own.replace(*change).replace("linear: 10", "linear: 3"))
    with pytest.raises(DataError, match=message):
        specforge.train(small, out="does_not", data_dir=".")


def test_default_folders_count_up_and_resume_takes_the_newest(small: Path) -> None:
    assert default_folder("x", resume=False) == default_folder("x", resume=True) == Path("runs/x")
    Path("runs/x").mkdir(parents=True)
    Path("runs/x-2").mkdir()
    assert default_folder("x", resume=False) == Path("runs/x-3")
    assert default_folder("x", resume=True) == Path("runs/x-2")


@pytest.mark.parametrize(
    ("given", "expected"), [({}, SPINS), ({"GOMP_SPINCOUNT": "5"}, "5"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "")]
)
def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    small: Path, given: dict[str, str], expected: str
) -> None:
    program = (
        f"import os, sys, specforge; specforge.load({str(small)!r}); assert 'torch' not in sys.modules;"
        f"specforge.compile({str(small)!r}); print(os.environ.get('GOMP_SPINCOUNT', ''))"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GOMP_", "OMP_WAIT"))}
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, "PYTHONPATH": root, **given},
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == expected


def test_find_rate_finds_what_a_run_finds(small: Path) -> None:
    run = specforge.train(small, settings=("train.optimizer.lr=find",), out="run")
    swept = json.loads((run.path / "lr_find.json").read_text())[0]
    assert (run.path / "lr_find.png").is_file()
    found = find_rate(small, "found/curve.png", settings=("train.optimizer.lr=0.5", "train.schedule=cosine"))
    assert found.picture == Path("found/curve.png")
    assert found.picture.is_file()
    assert found.curve.losses == tuple(swept["losses"])
    assert found.chosen == float(f"{swept['chosen']:.2g}")
    assert not Path("runs").exists()


STAGES = "[{epochs: 1, optimizer: {sgd: 0.1}}, {epochs: 1}]"


def test_find_rate_of_the_first_stage(small: Path) -> None:
    staged = ("train.epochs=", f"train.stages={STAGES}")
    found = find_rate(small, settings=staged, low=1e-3, steps=50)
    assert found.path == "train.stages.0.optimizer.sgd.lr"
    assert found.chosen is not None
    told = specforge.load(small, settings=(*staged, f"{found.path}={found.chosen}"))
    assert told.train is not None
    assert [stage.optimizer.lr for stage in told.train.all_stages] == [found.chosen, 1e-2]


def test_find_rate_sweeps_the_groups_of_the_same_rate(small: Path) -> None:
    """A group with the recipe's rate has nothing of its own to say, one with another rate keeps it."""
    group = "train.groups=[{select: {parameter: bias}, optimizer: {adam: {GIVEN}}}]"
    alone, same, other = (
        find_rate(small, settings=settings, low=1e-3, steps=20).curve.losses
        for settings in ((), (group.replace("GIVEN", "eps: 1e-8"),), (group.replace("GIVEN", "lr: 0.9"),))
    )
    assert alone == pytest.approx(same, rel=1e-4)
    assert other[1:] != pytest.approx(alone[1:], rel=1e-2)


def test_find_rate_without_a_rate_that_helps(small: Path) -> None:
    found = find_rate(small, low=1e3, high=1e4)
    assert found.chosen is None
    assert found.picture.is_file()


def test_a_run_takes_no_notice_of_a_search(small: Path) -> None:
    plain = specforge.train(small, out="plain")
    small.write_text(SPEC + "search: {metric: train_loss, space: {train.optimizer.lr: {uniform: [0.1, 0.2]}}}\n")
    searched = specforge.train(small, out="searched")
    assert searched.result.test_loss == plain.result.test_loss
    assert (searched.path / "spec.yaml").read_text() == (plain.path / "spec.yaml").read_text()

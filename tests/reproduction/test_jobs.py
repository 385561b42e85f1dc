"""Jobs: their folders, how far these are, and which spec an earlier run is of."""

import json
from pathlib import Path

import pytest

from specforge.diagnostics import SpecError
from specforge.reproduction.errors import ReproductionError
from specforge.reproduction.jobs import Job, existing, plan, seeds_from
from tests.reproduction.conftest import MakeRun


def planned(specs: Path, *, seeds: tuple[int, ...] | None = (0,), settings: tuple[str, ...] = ()) -> list[Job]:
    return plan(str(specs / "tiny.yaml"), seeds=seeds, settings=settings, out=specs.parent)


def test_each_seed_is_a_run_of_the_same_spec(specs: Path) -> None:
    first, second = planned(specs, seeds=(0, 7))
    assert [job.folder.name for job in (first, second)] == ["tiny-seed0", "tiny-seed7"]
    assert first.spec.train is not None
    assert second.spec.train is not None
    assert (first.spec.train.seed, second.spec.train.seed) == (0, 7)
    assert second.spec.train.model_copy(update={"seed": 0}) == first.spec.train
    assert first.spec_hash == second.spec_hash == first.own_hash


def test_without_seeds_it_is_the_spec_s_own(specs: Path) -> None:
    text = (specs / "tiny.yaml").read_text()
    (specs / "tiny.yaml").write_text(text.replace("  epochs: 2\n", "  epochs: 2\n  seed: 5\n"))
    (job,) = planned(specs, seeds=None)
    assert (job.seed, job.folder.name) == (5, "tiny-seed5")


def test_settings_have_a_folder_and_a_meaning_of_their_own(specs: Path) -> None:
    (own,), (varied,) = planned(specs), planned(specs, settings=("train.epochs=5",))
    assert varied.settings == ("train.epochs=5",)
    assert varied.own_hash == own.spec_hash != varied.spec_hash
    assert varied.folder.name == f"tiny-seed0-{varied.spec_hash[:8]}"


def test_settings_that_change_nothing_are_none(specs: Path) -> None:
    assert planned(specs, settings=("train.epochs=2", "params.width=16")) == planned(specs)


def test_settings_that_are_wrong_are_located(specs: Path) -> None:
    with pytest.raises(SpecError, match="--set:1:7"):
        planned(specs, settings=("train.epohcs=5",))


def test_how_far_a_folder_is(specs: Path, make_run: MakeRun) -> None:
    states = {}
    for name, options in {
        "begun": {"finished": False},
        "finished": {},
        "another spec": {"settings": ("params.width=8",)},
    }.items():
        folder = make_run(name, **options)
        states[name] = existing_state(specs, folder)
    assert states == {name: name for name in states}
    assert planned(specs)[0].state == "new"


def existing_state(specs: Path, folder: Path) -> str:
    (job,) = planned(specs)
    folder.rename(job.folder)
    state = job.state
    job.folder.rename(folder)
    return state


def test_a_folder_of_another_spec_is_never_touched(specs: Path, make_run: MakeRun) -> None:
    folder = make_run("tiny-seed0", settings=("params.width=8",))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(ReproductionError, match="holds a run of another spec"):
        planned(specs)[0].train(device="cpu", data_dir=None, download=False)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_finished_run_is_read_and_not_trained(specs: Path, make_run: MakeRun) -> None:
    make_run("tiny-seed0", result={"test_accuracy": 0.125})
    assert planned(specs)[0].train(device="cpu", data_dir=None, download=False).test_accuracy == 0.125


def test_an_earlier_run_is_known_by_what_its_spec_means(specs: Path, make_run: MakeRun) -> None:
    folder = make_run(
        settings=("train.seed=4",), environment={"spec_hash": "of an older version"}, result={"spec_hash": None}
    )
    job = existing(folder, [str(specs / "zoo" / "line.yaml"), str(specs / "tiny.yaml")])
    assert (job.name, job.seed, job.settings, job.folder) == ("tiny", 4, (), folder)
    assert job.spec_hash == job.own_hash == planned(specs)[0].spec_hash


def test_an_earlier_run_with_settings_needs_them(specs: Path, make_run: MakeRun) -> None:
    folder, files = make_run(settings=("train.epochs=5",)), [str(specs / "tiny.yaml")]
    with pytest.raises(ReproductionError, match=r"another spec than .*tiny\.yaml is now") as raised:
        existing(folder, files)
    assert "--set" in (raised.value.hint or "")
    job = existing(folder, files, ("train.epochs=5",))
    assert job.settings == ("train.epochs=5",)
    assert job.spec_hash != job.own_hash
    assert job.measured().epochs == 5


def test_a_run_of_none_of_the_specs_is_refused(specs: Path, make_run: MakeRun) -> None:
    with pytest.raises(ReproductionError, match="a run of `tiny`, which is none of the specs"):
        existing(make_run(), [str(specs / "zoo" / "line.yaml")])


def test_a_spec_is_found_by_its_name_in_a_file_of_another_name(specs: Path, make_run: MakeRun) -> None:
    folder = make_run()
    (specs / "tiny.yaml").rename(specs / "small.yaml")
    assert existing(folder, [str(specs / "small.yaml")]).name == "tiny"


def test_the_recorded_hash_does_not_make_a_run_the_spec_s(specs: Path, make_run: MakeRun) -> None:
    own = planned(specs)[0].spec_hash
    folder = make_run(settings=("params.width=8",), environment={"spec_hash": own}, result={"spec_hash": own})
    assert json.loads((folder / "environment.json").read_text())["spec_hash"] == own
    with pytest.raises(ReproductionError, match="another spec"):
        existing(folder, [str(specs / "tiny.yaml")])


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("3", (0, 1, 2)),
        ("1", (0,)),
        ("4,7", (4, 7)),
        ("5,", (5,)),
        (" 2 , 1, 2", (2, 1)),
        ("0,4294967295", (0, 2**32 - 1)),
    ],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert seeds_from(text) == seeds


@pytest.mark.parametrize("text", ["", ",", "0", "-1", "1.5", "two", "1;2", "²", "1001", "0,4294967296"])
def test_what_names_no_seeds(text: str) -> None:
    with pytest.raises(ValueError, match="seed"):
        seeds_from(text)

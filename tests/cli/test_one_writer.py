"""Through the command line: two processes and one run, edited specs, and folders of all names and kinds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from platform import node

import pytest

from specforge.analysis import analyse, load
from specforge.training.claim import claimed, default_folder
from tests.cli.conftest import PROGRAM, ROOT, Run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")
LONG = ("--set", "train.epochs=100000")


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in [folder, *folder.rglob("*")]}


@contextmanager
def _training(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that has trained an epoch into `run`, and stands still."""
    command = [sys.executable, "-c", PROGRAM, "train", "tiny.yaml", "--out", "run", *LONG, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 120
            while not list(folder.glob("run/checkpoints/epoch-*")):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGSTOP)
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_until_the_first_is_gone(specforge: Run, tiny: Path) -> None:
    run = tiny.parent / "run"
    with _training(tiny.parent) as process:
        before = _state(run)
        for arguments in ((), ("--resume",), ("--resume", "--force", "--set", "train.keep_every=1")):
            done = specforge("train", tiny, "--out", "run", *LONG, *arguments)
            assert done.returncode == 1
            assert f"error: run is in use by process {process.pid} on {node()}, since 2" in done.stderr
            assert f"hint: wait until it ends, stop it (`kill {process.pid}`), or choose another folder" in done.stderr
            assert "Traceback" not in done.stderr
        assert _state(run) == before
        process.send_signal(signal.SIGKILL)
        process.wait()
        epoch = max(int(path.name.split("-")[1]) for path in run.glob("checkpoints/epoch-*"))
        shorter = ("--set", f"train.epochs={epoch + 2}", "--resume", "--force")
        done = specforge("train", tiny, "--out", "run", *shorter)
        assert done.returncode == 0, done.stderr
    assert json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["epoch"] == epoch + 2
    assert not (run / ".specforge.lock").exists()


def test_an_edited_spec_is_refused_with_what_has_changed_and_goes_on_by_force(specforge: Run, tiny: Path) -> None:
    assert specforge("train", tiny, "--out", "run").returncode == 0
    refused = specforge("train", tiny, "--out", "run", "--resume", "--set", "train.epochs=3", "--set", "train.seed=1")
    assert refused.returncode == 1
    for line in (
        "same architecture and data, different recipe",
        "~ train.epochs: 2 -> 3 epochs  run/spec.yaml:16",
        "~ train.seed: 0 -> 1  run/spec.yaml:15",
        "weights of A load into B: yes",
        "error: run holds a run of another spec",
    ):
        assert line in refused.stderr.splitlines(), refused.stderr
    assert "hint: what can't change in a run that has begun: `train.seed` (initial weights" in refused.stderr
    asked = specforge("train", tiny, "--out", "run", "--resume", "--set", "train.epochs=3")
    assert asked.returncode == 1
    assert "hint: `--resume --force` goes on with these changes" in asked.stderr
    usage = specforge("train", tiny, "--out", "run", "--force", "--set", "train.epochs=3")
    assert usage.returncode == 2
    done = specforge("train", tiny, "--out", "run", "--resume", "--force", "--set", "train.epochs=3")
    assert done.returncode == 0, done.stderr
    assert "the spec has changed since the run began (train.epochs: 2 -> 3)" in done.stderr
    assert "epoch 3/3" in done.stderr
    report = (tiny.parent / "run" / "report.html").read_text()
    assert "The spec was changed after epoch 2: train.epochs: 2 -&gt; 3." in report
    assert "  epochs: 3" in (tiny.parent / "run" / "spec.yaml").read_text()


@pytest.mark.parametrize("kind", ["file", "empty", "notes", "spec", "pipe", "unreadable"])
def test_a_folder_of_something_else_stays_as_it_is(specforge: Run, tiny: Path, kind: str) -> None:
    mine = tiny.parent / "mine"
    if kind == "file":
        mine.write_text("keep")
    else:
        mine.mkdir()
    if kind == "notes":
        (mine / "notes.txt").write_text("keep")
    if kind == "spec":
        (mine / "spec.yaml").write_text(tiny.read_text())
    if kind == "pipe":
        os.mkfifo(mine / "spec.yaml")
    if kind == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        mine.chmod(0)
    before = mine.stat().st_mtime_ns
    done = specforge("train", tiny, "--set", "train.epochs=1", "--out", "mine", "--resume")
    assert done.returncode == (0 if kind == "empty" else 1), done.stderr
    assert "internal error" not in done.stderr
    assert ("but no run" in done.stderr) == (kind in ("notes", "spec", "pipe"))
    if kind != "empty":
        assert mine.stat().st_mtime_ns == before
    mine.chmod(0o700)
    names = [path.name for path in mine.iterdir() if kind != "empty"] if mine.is_dir() else []
    assert names == {"notes": ["notes.txt"], "spec": ["spec.yaml"], "pipe": ["spec.yaml"]}.get(kind, [])


def test_reproducing_leaves_out_what_another_process_runs(specforge: Run, tiny: Path) -> None:
    (tiny.parent / "specs").mkdir()
    spec = tiny.rename(tiny.parent / "specs" / "tiny.yaml")
    with claimed(tiny.parent / "runs" / "reproduce" / "tiny-seed0", tell=print):
        done = specforge("reproduce", spec, "--seeds", "2", "--set", "train.epochs=1", "--out", "runs/reproduce")
        assert done.returncode == 0, done.stderr  # settings have a folder of their own
        done = specforge("reproduce", spec, "--seeds", "1")
    assert done.returncode == 1
    assert f"runs/reproduce/tiny-seed0 is in use by process {os.getpid()} on " in done.stderr
    assert "1 failed" in done.stderr


def test_two_that_begin_at_the_same_moment_get_a_folder_each(tiny: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "train", "tiny.yaml", "--set", "train.epochs=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            command, cwd=tiny.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    assert [process.wait(timeout=240) for process in processes] == [0, 0, 0]
    assert sorted(path.name for path in (tiny.parent / "runs").iterdir()) == ["tiny", "tiny-2", "tiny-3"]
    results = [json.loads(path.read_text()) for path in (tiny.parent / "runs").glob("*/result.json")]
    assert len({result["test_loss"] for result in results}) == 1
    assert len(results) == 3


def test_data_that_is_not_there_leaves_no_folder(specforge: Run, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("dataset: digits", "dataset: {npz: {path: no.npz}}"))
    done = specforge("train", tiny)
    assert done.returncode == 1
    assert "no.npz" in done.stderr
    assert not (tiny.parent / "runs").exists()


LEADING_OUT = ["../evil", "a/b", "/abs", "..", ".", ".hidden", "~", "$HOME", "-rf", "'a\\b'", "C:", "'a:b'"]
UNPRINTABLE = ['"a\\0b"', '"a\\nb"', '"a\\x1bb"', '"a\\u202eb"', "ends.", "'ends '", "'*'", "'a?b'", "'a|b'"]
DEVICES = ["con", "NUL", "nul.txt", "COM9.tar.gz", "lpt³", "'aux .x'"]
TOO_LONG = ["猫" * 67, "x" * 101]


@pytest.mark.parametrize("name", LEADING_OUT + UNPRINTABLE + DEVICES + TOO_LONG, ids=ascii)
def test_a_name_never_leads_out_of_the_folder_of_runs(tiny: Path, name: str) -> None:
    tiny.write_text(tiny.read_text().replace("name: tiny", f"name: {name}"))
    found = [finding for finding in analyse(tiny).findings if finding.severity == "error"]
    assert {finding.span.line for finding in found} == {2}


@pytest.mark.parametrize("name", ["tiny net", "café", "кошка", "猫" * 66, "a.b+c-d_e", "console", "x" * 100])
def test_names_that_are_kept(tiny: Path, name: str) -> None:
    tiny.write_text(tiny.read_text().replace("name: tiny", f"name: {name}"))
    assert load(tiny).name == name


def test_a_run_in_a_folder_with_a_long_name_in_many_letters(specforge: Run, tiny: Path) -> None:
    name = "猫 café " + "x" * 80
    tiny.write_text(tiny.read_text().replace("name: tiny", f"name: {name}"))
    for resume in ((), ("--resume",)):
        done = specforge("train", tiny, "--set", "train.epochs=1", *resume)
        assert done.returncode == 0, done.stderr
    assert (tiny.parent / "runs" / name / "report.html").is_file()
    evaluated = specforge("evaluate", f"runs/{name}", "--format", "json")
    assert evaluated.returncode == 0, evaluated.stderr


def test_paths_that_are_too_long_are_named_before_anything_is_read(specforge: Run, tiny: Path) -> None:
    for out in ("x" * 256, "/".join(["y" * 200] * 20)):
        done = specforge("train", tiny, "--out", out)
        assert done.returncode == 1
        assert "error: the path of the run is too long for the file system" in done.stderr
        assert "choose a shorter `--out`" in done.stderr
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny.yaml"]


def test_names_that_differ_in_case_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that does not tell them apart, the second gets a folder of its own."""
    monkeypatch.chdir(tmp_path)
    original = os.path.lexists

    def folded(path: str | Path) -> bool:
        above, name = os.path.split(path)
        names = os.listdir(above or ".") if os.path.isdir(above or ".") else []  # noqa: PTH208, PTH112
        return original(path) or name.casefold() in [each.casefold() for each in names]

    monkeypatch.setattr(os.path, "lexists", folded)
    (tmp_path / "runs" / "A").mkdir(parents=True)
    assert default_folder("a", resume=False) == Path("runs/a-2")
    assert default_folder("b", resume=False) == Path("runs/b")


def test_another_name_in_another_case_is_not_written_over(specforge: Run, tiny: Path) -> None:
    """As if `run` and `RUN` were one folder."""
    assert specforge("train", tiny, "--set", "train.epochs=1", "--out", "run").returncode == 0
    (tiny.parent / "RUN").symlink_to("run")
    before = _state(tiny.parent / "run")
    tiny.write_text(tiny.read_text().replace("name: tiny", "name: TINY"))
    for arguments, message in (((), "already holds a run"), (("--resume", "--set", "train.seed=3"), "another spec")):
        done = specforge("train", tiny, "--set", "train.epochs=1", "--out", "RUN", *arguments)
        assert done.returncode == 1
        assert message in done.stderr
    after = _state(tiny.parent / "run")
    assert {**after, str(tiny.parent / "run"): None} == {**before, str(tiny.parent / "run"): None}


def test_links_to_the_run_to_its_checkpoints_and_to_the_data(
    specforge: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    monkeypatch.delenv("SPECFORGE_DATA", raising=False)
    folder = tiny.parent
    for name in ("disk", "fast", "archive"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    np.savez(
        folder / "archive" / "own.npz", train_x=rng.integers(0, 256, (200, 8, 8), np.uint8), train_y=np.arange(200) % 10
    )
    (folder / "data").symlink_to("archive")
    (folder / "archive" / "linked.npz").symlink_to("own.npz")
    text = tiny.read_text().replace("dataset: digits", "dataset: {npz: {path: linked.npz}}")
    tiny.write_text(
        text.replace("split: {train: 0.9, validation: 0.1}", "split: {train: 0.6, validation: 0.2, test: 0.2}")
    )
    (folder / "run").symlink_to(folder / "disk")
    done = specforge("train", tiny, "--set", "train.epochs=1", "--out", "run")
    assert done.returncode == 0, done.stderr
    (folder / "disk" / "checkpoints").replace(folder / "fast" / "checkpoints")
    (folder / "disk" / "checkpoints").symlink_to(folder / "fast" / "checkpoints")
    done = specforge("train", tiny, "--set", "train.epochs=2", "--out", "run", "--resume", "--force")
    assert done.returncode == 0, done.stderr
    assert (folder / "run").is_symlink()
    assert (folder / "disk" / "checkpoints").is_symlink()
    assert (folder / "fast" / "checkpoints" / "epoch-0002").is_dir()
    assert specforge("evaluate", "run").returncode == 0

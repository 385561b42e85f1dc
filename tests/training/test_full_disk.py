"""Whatever file it is that the disk has no room for: the run stops, names the file, and goes on when there is room."""

import errno
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from specforge import experiment
from specforge.training import checksums
from specforge.training.errors import TrainingError
from tests.training.experiments import Recorder

ROOT = Path(__file__).resolve().parents[2]

Refuse = Callable[[object], None]
SPEC = """\
specforge: 1
name: tiny
model: {input: [3, 4, 4], layers: [flatten, {linear: 3}]}
data:
  dataset: {synthetic: {image: [3, 4, 4], classes: 3, train: 24, test: 12}}
  split: {train: 0.5, validation: 0.5}
  normalize: none
train: {epochs: 2, batch_size: 6, optimizer: {sgd: {lr: find}}, loss: cross_entropy, keep_every: 1}
"""
FILES = (
    "spec.yaml", "environment.json", "metrics.jsonl", "checksums.json", ".metrics.checksum.json", "lr_find.json",
    "confusion.json", "mistakes.json", "result.json", "curves.png", "lr_find.png", "report.html",
)  # fmt: skip
# a checkpoint is named as a whole, and renamed as a whole
CHECKPOINT = ("weights.safetensors", "optimizer.safetensors", "progress.json", "manifest.json")
CASES = [
    *((file, call) for file in FILES for call in ("open", "rename")),
    *((file, "open") for file in CHECKPOINT),
    ("epoch-0002", "rename"),
    ("metrics.jsonl", "append"),
]


@contextmanager
def refusing(name: str, code: int, call: str) -> Iterator[list[str]]:
    """Writing to a file of this name fails: as it is opened, appended to, synced or renamed. Yields what did."""
    refused: list[str] = []

    def refuse(path: object) -> None:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else b""
        if isinstance(text, str) and Path(text).name in (name, f".{name}.partial", f"{name}.partial"):
            refused.append(text)
            raise OSError(code, os.strerror(code))

    patches = {"open": _patch_open, "append": _patch_append, "sync": _patch_sync, "rename": _patch_replace}
    with pytest.MonkeyPatch.context() as patched:
        patches[call](patched, refuse)
        yield refused


def _patch_open(patched: pytest.MonkeyPatch, refuse: Refuse, modes: tuple[str, ...] = ("wb", "w", "xb")) -> None:
    for owner in (Path, io):
        original = owner.open

        def call(path: Any, mode: str = "r", *rest: Any, original: Any = original, **options: Any) -> Any:
            if mode in modes:
                refuse(path)
            return original(path, mode, *rest, **options)

        patched.setattr(owner, "open", call)


def _patch_append(patched: pytest.MonkeyPatch, refuse: Refuse) -> None:
    _patch_open(patched, refuse, ("ab",))


def _patch_sync(patched: pytest.MonkeyPatch, refuse: Refuse) -> None:
    original = os.fsync

    def call(descriptor: int) -> None:
        refuse(Path(f"/proc/self/fd/{descriptor}").readlink())
        original(descriptor)

    patched.setattr(os, "fsync", call)


def _patch_replace(patched: pytest.MonkeyPatch, refuse: Refuse) -> None:
    original = os.replace

    def call(source: Any, target: Any) -> None:
        refuse(target)
        original(source, target)

    patched.setattr(os, "replace", call)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "tiny.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def whole(spec: Path) -> Path:
    return experiment.train(spec, out=spec.parent / "whole").path


@pytest.mark.parametrize(("file", "call"), CASES)
def test_the_file_is_named_and_the_run_goes_on(
    spec: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, call: str
) -> None:
    run = tmp_path / "run"
    if file not in checksums.DRAWN:  # drawing takes most of the time
        monkeypatch.setattr(experiment, "write_reports", lambda folder, *_: folder / "report.html")
    with refusing(file, errno.ENOSPC, call) as refused, pytest.raises(TrainingError) as caught:
        experiment.train(spec, out=run)
    assert refused, "nothing of this name was written"
    named = "checkpoints/epoch-" if file in (*CHECKPOINT, "epoch-0002") else file
    assert f"cannot write {run}" in caught.value.message
    assert named in caught.value.message
    assert "No space left on device" in caught.value.message
    assert "--resume" in (caught.value.hint or "")
    assert not list(run.glob(".*.json.partial")), "nothing half written is left"
    again = experiment.train(spec, out=run, resume=True)
    assert (run / again.result.weights).read_bytes() == (whole / again.result.weights).read_bytes()
    assert checksums.problems(run) == {}
    assert (run / "metrics.jsonl").read_bytes().count(b"\n") == 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to know a descriptor's file")
@pytest.mark.parametrize("file", ["spec.yaml", "weights.safetensors", "result.json", "report.html"])
def test_a_disk_that_is_full_only_when_it_is_synced(spec: Path, tmp_path: Path, file: str) -> None:
    with refusing(file, errno.ENOSPC, "sync") as refused, pytest.raises(TrainingError, match="No space left"):
        experiment.train(spec, out=tmp_path / "run")
    assert refused


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO, errno.EFBIG])
def test_every_refusal_names_the_file_and_its_reason(spec: Path, tmp_path: Path, code: int) -> None:
    with refusing("result.json", code, "open"), pytest.raises(TrainingError) as caught:
        experiment.train(spec, out=tmp_path / "run")
    assert str(tmp_path / "run" / "result.json") in caught.value.message
    assert os.strerror(code) in caught.value.message


def test_a_folder_that_is_removed_while_it_is_trained_in_is_named(spec: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    listener = Recorder({(2, 1): lambda: shutil.rmtree(run)})
    with pytest.raises(TrainingError) as caught:
        experiment.train(spec, out=run, listener=listener)
    assert f"cannot write {run}" in caught.value.message
    assert "No such file or directory" in caught.value.message


def test_nothing_is_written_elsewhere_and_then_moved(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary folder on another device can't be renamed from, so none is used."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))
    original, moves = os.replace, []

    def replace(source: object, target: object) -> None:
        moves.append((Path(str(source)).parent, Path(str(target)).parent))
        original(source, target)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "replace", replace)
    experiment.train(spec, out=tmp_path / "run")
    assert moves
    assert all(source == target for source, target in moves)


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from specforge.cli import main
sys.argv[0] = "specforge"
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
@pytest.mark.parametrize(("limit", "file"), [(60, "spec.yaml"), (10_000, "curves.png")])
def test_the_operating_system_itself_refuses(spec: Path, tmp_path: Path, limit: int, file: str) -> None:
    """A real limit on the size of files, which stops a write half way."""
    command = [sys.executable, "-c", LIMITED, str(limit), "train", str(spec), "--out", "run"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert f"cannot write run/{file}: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "run").glob(".*.partial")), "nothing half written is left"

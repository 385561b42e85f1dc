"""`validate --watch` as a process: files are edited, saved in every way that editors do, and looked at again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, ROOT
from tests.cli.test_validate import git

PATIENCE = 60.0


class Watched:
    """The process, and all that it said so far."""

    def __init__(self, folder: Path, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "validate", "--watch", "--format", "concise", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def round(self) -> list[str]:
        """What is said until it waits for the next change."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            for number, line in enumerate(self.lines):
                if line.startswith("watching "):
                    said, self.lines = self.lines[:number], self.lines[number + 1 :]
                    return said
            time.sleep(0.02)
        raise AssertionError(f"it waits for no change: {self.lines}")

    def leave(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return code


@contextmanager
def _watching(folder: Path, *arguments: str) -> Iterator[Watched]:
    watched = Watched(folder, *arguments)
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.wait()
        watched.reader.join()
        assert watched.process.stdout is not None
        watched.process.stdout.close()


def _replace(file: Path, text: str) -> None:
    """As most editors save: another file takes the place."""
    other = file.with_name(".saving")
    other.write_text(text)
    other.replace(file)


def test_every_change_that_matters(tiny: Path) -> None:
    folder, text = tiny.parent, tiny.read_text()
    (folder / "specs").mkdir()
    tiny.rename(folder / "specs" / "tiny.yaml")
    (folder / "specforge.yaml").write_text("paths: [specs]\n")
    spec = folder / "specs" / "tiny.yaml"
    with _watching(folder) as watched:
        assert watched.round() == ["1 file: no findings"]

        spec.write_text(text.replace("- relu", "- rellu"))
        changed, error, tally = watched.round()
        assert changed.endswith(" tiny.yaml changed")
        assert "unknown layer or block `rellu`" in error
        assert tally == "1 file: 1 error, 0 warnings"

        _replace(spec, text)
        assert watched.round()[1:] == ["1 file: no findings"]

        (folder / "specs" / "child.yaml").write_text("extends: base.yaml\nname: child\nexpect: {}\n")
        changed, error, _ = watched.round()
        assert changed.endswith(" child.yaml changed")
        assert "`base.yaml` does not exist" in error

        (folder / "specs" / "base.yaml").write_text(text)  # what the child looked for
        assert watched.round()[1:] == ["3 files: no findings"]

        (folder / "specforge.yaml").write_text("paths: [specs/tiny.yaml]\n")
        assert watched.round()[1:] == ["1 file: no findings"]

        spec.unlink()
        _, error, _ = watched.round()
        assert "SF613" in error
        spec.write_text(text)
        assert watched.round()[1:] == ["1 file: no findings"]

        assert watched.leave() == 130
        assert watched.lines == []


def test_a_named_file_may_go_and_come_back(tiny: Path) -> None:
    text = tiny.read_text()
    with _watching(tiny.parent, "tiny.yaml") as watched:
        watched.round()
        tiny.unlink()
        assert "error: tiny.yaml: no such file or folder" in watched.round()
        tiny.write_text(text)
        assert watched.round()[1:] == ["1 file: no findings"]
        assert watched.leave() == 130


def test_a_file_that_is_being_saved_is_waited_for(tiny: Path) -> None:
    text = tiny.read_text()
    with _watching(tiny.parent, "tiny.yaml") as watched:
        watched.round()
        with tiny.open("w") as file:
            for part in (text[: len(text) // 3], text[len(text) // 3 : len(text) // 2], text[len(text) // 2 :]):
                file.write(part)
                file.flush()
                time.sleep(0.03)
        said = watched.round()
        assert said[1:] == ["1 file: no findings"]


def test_waiting_takes_little(tiny: Path) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("only Linux tells a process's time in /proc")
    for number in range(50):
        (tiny.parent / f"copy_{number}.yaml").write_text("specforge: 1\n")

    def used(process: int) -> float:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with _watching(tiny.parent, ".") as watched:
        watched.round()
        before = used(watched.process.pid)
        time.sleep(2)
        assert used(watched.process.pid) - before < 0.2


def test_only_what_changed_since_a_revision(tiny: Path) -> None:
    folder = tiny.parent
    (folder / "child.yaml").write_text("extends: tiny.yaml\nname: child\nexpect: {}\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    with _watching(folder, ".", "--changed-since", "HEAD") as watched:
        assert watched.round() == ["0 of 2 specs changed since HEAD", "0 files: no findings"]
        tiny.write_text(tiny.read_text() + "# more\n")
        assert watched.round()[1:] == ["2 of 2 specs changed since HEAD", "2 files: no findings"]

"""A run's folder -> a `Verification`: every file against its checksum, and what the files say against each other.

It may be of a run in progress, of one that was stopped, or of one made before there were checksums.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from specforge import __version__
from specforge.analysis import analyse
from specforge.report.confusion import read_confusion
from specforge.report.lr_find import read_sweeps
from specforge.report.mistakes import read_mistakes
from specforge.report.run import Result, RunError, read_record
from specforge.resolved import spec_hash
from specforge.shapes import Shape
from specforge.training import checksums
from specforge.training.checksums import METRICS
from specforge.training.manifest import Damage, read
from specforge.training.parsing import LARGEST, parsed
from specforge.verification.checkpoints import FOLDER, Memory, check_checkpoints
from specforge.verification.findings import UNRECORDED, Finding, Verification
from specforge.verification.metrics import contradiction, differs, read_lines

SPEC, ENVIRONMENT, RESULT = "spec.yaml", "environment.json", "result.json"
_OTHERS: dict[str, Callable[[Path], object]] = {
    "lr_find.json": read_sweeps, "confusion.json": read_confusion, "mistakes.json": read_mistakes,
}  # fmt: skip
_FILES = (SPEC, ENVIRONMENT, METRICS, *_OTHERS, RESULT, *sorted(checksums.DRAWN))


class NotARun(Exception):
    """A path that holds no run, nor anything of one: what it is, and what to give instead (`hint`)."""

    def __init__(self, message: str, *, hint: str):
        super().__init__(message)
        self.message, self.hint = message, hint


def verify(folder: Path) -> Verification:
    """Look at all files of a run; raises `NotARun`."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise NotARun(f"{folder} {what}", hint="give the folder of a run, which `--out` of `train` named")
    if not any((folder / name).exists() for name in (SPEC, ENVIRONMENT, METRICS, RESULT, FOLDER, checksums.FILE)):
        raise NotARun(f"{folder} is not a run: it has none of its files", hint="give the folder that `--out` named")
    return _Run(folder).verified()


class _Run:
    """The files of a run as they are looked at: `found` has what is known of each so far."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.found = _by_checksum(folder)

    def verified(self) -> Verification:
        environment = self._environment()
        state = self._spec(environment)
        checkpoints, memory = check_checkpoints(self.folder, state)
        epochs = self._metrics(memory)
        self._result(environment, epochs)
        for name, reader in _OTHERS.items():
            self._try(name, reader)
        findings = (*self.found.values(), *checkpoints)
        return Verification(self.folder, (self.folder / RESULT).is_file(), epochs, findings)

    def _is_sound(self, name: str) -> bool:
        return name in self.found and self.found[name].state != "damaged"

    def _damaged(self, name: str, problem: str) -> None:
        self.found[name] = Finding(name, "damaged", problem)

    def _content(self, name: str) -> bytes:
        try:
            return read(self.folder / name, most=LARGEST)
        except Damage as damage:
            self._damaged(name, damage.problem)
            return b""

    def _environment(self) -> dict[str, Any]:
        if not self._is_sound(ENVIRONMENT):
            return {}
        try:
            record = parsed(self._content(ENVIRONMENT))
        except ValueError:
            record = None
        if isinstance(record, dict):
            return record
        self._damaged(ENVIRONMENT, "is damaged: it is not a JSON object")
        return {}

    def _spec(self, environment: dict[str, Any]) -> dict[str, Shape] | None:
        """The tensors of the network, None where the spec does not say."""
        if not self._is_sound(SPEC):
            return None
        analysis = analyse(self.folder / SPEC)
        errors = [found for found in analysis.findings if found.severity == "error"]
        if errors or analysis.spec is None or analysis.graph is None:
            problem = f"line {errors[0].span.line}: {errors[0].message}" if errors else "it has no layers"
            self._misread(problem, environment)
            return None
        known = [environment[key] for key in ("spec_hash", "found_spec_hash") if key in environment]
        if known and (meaning := spec_hash(analysis.spec)) not in known:
            problem = f"it means something else ({meaning[:12]}…) than the run ({str(known[-1])[:12]}…)"
            self._misread(problem, environment)
        return analysis.graph.state()

    def _misread(self, problem: str, environment: dict[str, Any]) -> None:
        """What is as it was written, or as another version may have written it, is only read in another way."""
        is_same = self.found[SPEC].state == "intact"
        if is_same or environment.get("specforge", __version__) != __version__:
            whole = "is as it was written" if is_same else "has no checksum"
            text = f"{whole}, but this version of specforge reads it in another way: {problem}"
            self.found[SPEC] = Finding(SPEC, "note", text)
        else:
            self._damaged(SPEC, f"is damaged: {problem}")

    def _metrics(self, memory: Memory | None) -> int:
        """How many epochs are recorded."""
        if not self._is_sound(METRICS):
            return len(memory.history) if memory else 0
        lines, is_cut, problem = read_lines(self._content(METRICS))
        changed = differs(lines, memory.history) if memory else None
        if problem is None and memory is not None and changed is not None:
            problem = f"epoch {changed} is not what the checkpoint {memory.name} remembers"
        if problem is None and is_cut and (self.folder / RESULT).exists():
            problem = "its last line is cut off"
        if problem is not None:
            self._damaged(METRICS, f"is damaged: {problem}")
        elif is_cut:
            text = "ends with a line that is being written, or that a killed process could not finish"
            self.found[METRICS] = Finding(METRICS, "note", text)
        return len(lines)

    def _result(self, environment: dict[str, Any], epochs: int) -> None:
        self._try(RESULT, lambda folder: read_record(folder / RESULT, Result))
        if not self._is_sound(RESULT):
            return
        problem = contradiction(parsed(self._content(RESULT)), environment, epochs)
        if problem is not None and self._is_sound(METRICS):
            self._damaged(RESULT, f"is damaged: {problem}")

    def _try(self, name: str, reader: Callable[[Path], object]) -> None:
        """Whether a file says what it should, by the reader of the reports."""
        if not self._is_sound(name):
            return
        try:
            reader(self.folder)
        except RunError as error:
            self._damaged(name, f"is damaged: {str(error).removeprefix(str(self.folder / name)).lstrip(':').strip()}")


def _by_checksum(folder: Path) -> dict[str, Finding]:
    """What the checksums say of a run's own files."""
    problems, recorded = checksums.problems(folder), checksums.recorded(folder)
    found: dict[str, Finding] = {}
    if checksums.FILE in problems or recorded:
        found[checksums.FILE] = Finding(checksums.FILE, "intact")
    for name in (*_FILES, *sorted(recorded - set(_FILES))):
        if (folder / name).exists() and name not in recorded:
            found[name] = Finding(name, "unrecorded", UNRECORDED)
        elif (folder / name).exists() or name in problems:
            found[name] = Finding(name, "intact")
        elif name in (SPEC, ENVIRONMENT):
            found[name] = Finding(name, "damaged", "is missing")
    return found | {name: Finding(name, "damaged", problem) for name, problem in problems.items()}

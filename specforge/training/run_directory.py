"""The folder of a run: who may write into it, and its files.

    runs/lab2/spec.yaml environment.json metrics.jsonl checkpoints/ result.json confusion.json mistakes.json

`metrics.jsonl` has a line for every epoch, all with the same keys; what a run does not record (a validation part that
it does not have, stages) is left out. `lr` is the rate at the epoch's first step; `seconds` is training and
validation, `images_per_second` is training alone. `environment.json` also lists, under `resumed`, the environments
in which the run was taken up again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from specforge.training import durable
from specforge.training.checkpoint import CheckpointStore
from specforge.training.environment import Environment, differences
from specforge.training.errors import TrainingError
from specforge.training.progress import Line
from specforge.training.result import Result

_FILES = ("spec.yaml", "environment.json", "metrics.jsonl", "result.json", "checkpoints")
_REPORTS = ("confusion.json", "mistakes.json", "curves.png", "report.html")


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A run's folder, the resolved spec as text, and the hash of what the spec means."""

    path: Path
    spec_text: str
    spec_hash: str

    @classmethod
    def open(cls, path: Path) -> Self:
        """The folder of a run that was started before; a TrainingError for anything else."""
        try:
            text = (path / "spec.yaml").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise TrainingError(
                f"{path} is not a run: it has no readable spec.yaml", hint="give the folder that `--out` named"
            ) from None
        return cls(path, text, str(_environment(path).get("spec_hash", "")))

    @property
    def checkpoints(self) -> CheckpointStore:
        return CheckpointStore(self.path / "checkpoints")

    @property
    def holds_a_run(self) -> bool:
        return any((self.path / name).exists() for name in _FILES)

    def start(self, environment: Environment, *, resume: bool) -> str:
        """Claim the folder for a new run, or for going on with its own; returns what the user should know, or ''."""
        if not self.holds_a_run:
            self._demand_room()
            self._create(environment)
            return ""
        if not resume:
            raise TrainingError(
                f"{self.path} already holds a run", hint="go on with it by `--resume`, or choose another `--out`"
            )
        record = _environment(self.path)
        if not record and not self.checkpoints.names():  # killed while it was being created
            self._create(environment)
            return ""
        self._is_same_spec(record)
        if self.result() is not None:
            return ""
        changed = differences(record, environment)
        self._write_environment({**record, "resumed": [*record.get("resumed", ()), environment]})
        return f"the environment has changed ({changed}), so results may differ in the last digits" if changed else ""

    def result(self) -> Result | None:
        """The result of a finished run, None while there is none."""
        path = self.path / "result.json"
        if not path.is_file():
            return None
        try:
            return Result.decode(path.read_bytes())
        except (ValueError, KeyError, TypeError):
            raise TrainingError(
                f"{path} is damaged", hint=f"remove it and resume: `--out {self.path} --resume`"
            ) from None

    def sweeps(self) -> list[dict[str, Any]]:
        """What the learning-rate finder saw in the stages before, none while there was none."""
        path = self.path / "lr_find.json"
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return []
        return found if isinstance(found, list) else []

    def settle(self, spec_text: str, spec_hash: str) -> None:
        """Write the spec with what was found in place of `find`, by which the run can be taken up too."""
        self.write("spec.yaml", spec_text.encode())
        self._write_environment({**_environment(self.path), "found_spec_hash": spec_hash})

    def append_metrics(self, line: Line) -> None:
        path = self.path / "metrics.jsonl"
        try:
            with path.open("ab") as file:
                file.write(durable.encode(line, indent=None))
        except OSError as error:
            raise durable.cannot_write(path, error) from error

    def rewrite_metrics(self, history: tuple[Line, ...]) -> None:
        """Exactly these lines: later epochs will be trained again, a line cut short by a crash is replaced."""
        self.write("metrics.jsonl", b"".join(durable.encode(line, indent=None) for line in history))

    def write(self, name: str, content: bytes) -> None:
        durable.write(self.path / name, content)

    def _demand_room(self) -> None:
        """A run never replaces a file that is not its own."""
        for name in _REPORTS:
            if (self.path / name).exists():
                raise TrainingError(
                    f"{self.path} holds no run, but a {name} that the run would replace",
                    hint="choose another folder with `--out`",
                )

    def _create(self, environment: Environment) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise durable.cannot_write(self.path, error) from error
        self.write("spec.yaml", self.spec_text.encode())
        self._write_environment({"spec_hash": self.spec_hash, **environment})
        self.rewrite_metrics(())

    def _write_environment(self, record: dict[str, Any]) -> None:
        self.write("environment.json", durable.encode(record))

    def _is_same_spec(self, record: dict[str, Any]) -> None:
        if self.spec_hash not in (record.get("spec_hash"), record.get("found_spec_hash")):
            raise TrainingError(
                f"{self.path} holds a run of another spec ({record.get('spec_hash', 'unknown')}, not {self.spec_hash})",
                hint=f"compare with `specforge diff {self.path / 'spec.yaml'} …`, or choose another `--out`",
            )


def _environment(path: Path) -> dict[str, Any]:
    file = path / "environment.json"
    if not file.is_file():
        return {}
    try:
        record = json.loads(file.read_bytes())
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise TrainingError(f"{file} is damaged: it is not a JSON object", hint="train again with another `--out`")
    return record

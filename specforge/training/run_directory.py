"""The folder of a run: who may write into it, and its files.

    runs/lab2/spec.yaml environment.json metrics.jsonl checkpoints/ result.json confusion.json mistakes.json
              checksums.json

`metrics.jsonl` has a line for every epoch, all with the same keys; what a run does not record (a validation part that
it does not have, stages) is left out. `lr` is the rate at the epoch's first step; `seconds` is training and
validation, `images_per_second` is training alone. `environment.json` also lists, under `resumed`, the environments
in which the run was taken up again, and under `changes` how its spec was changed.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Any, Self

from specforge.analysis import analyse
from specforge.diagnostics import one_line
from specforge.diff.difference import Setting
from specforge.resolved import spec_hash
from specforge.training import checksums, durable
from specforge.training.checkpoint import CheckpointStore
from specforge.training.environment import Environment, notice
from specforge.training.errors import TrainingError
from specforge.training.manifest import Damage, read
from specforge.training.parsing import LARGEST
from specforge.training.progress import Line
from specforge.training.result import Result

# what a run that was killed while it was created may consist of
_FIRST_FILES = frozenset({"spec.yaml", checksums.FILE, checksums.METRICS})
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """How the spec of a run that goes on differs from what its folder has, to be written when it does.

    `spec_text` is the spec as it is from now on, `epoch` how many epochs were trained before. What `means_else` than
    before is tested anew; otherwise only what the spec says of itself, or where images are in memory, has changed.
    """

    settings: tuple[Setting, ...]
    spec_text: str
    epoch: int
    means_else: bool


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A run's folder, the resolved spec as text, the hash of what the spec means, and how it has changed, if it has."""

    path: Path
    spec_text: str
    spec_hash: str
    change: Change | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """The folder of a run that was started before; a TrainingError for anything else."""
        try:
            text = (path / "spec.yaml").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise TrainingError(
                f"{path} is not a run: it has no readable spec.yaml", hint="give the folder that `--out` named"
            ) from None
        try:
            checksums.demand(path, "spec.yaml", "environment.json")
        except Damage as damage:
            hint = "restore it, or train the spec again; `specforge verify` looks at all files of a run"
            raise TrainingError(str(damage), hint=hint) from None
        return cls(path, text, str(_environment(path).get("spec_hash", "")))

    @property
    def checkpoints(self) -> CheckpointStore:
        return CheckpointStore(self.path / "checkpoints")

    @property
    def holds_a_run(self) -> bool:
        return isinstance(_environment(self.path).get("spec_hash"), str)

    @property
    def hashes(self) -> frozenset[str]:
        """What the spec in the folder means: with `lr: find`, as it was given, and as it is with what was found."""
        record = _environment(self.path)
        return frozenset(str(record[key]) for key in ("spec_hash", "found_spec_hash") if key in record)

    def admit(self, *, resume: bool) -> None:
        """Refuse, by a TrainingError, a folder of something else, or a run that should not go on. Changes nothing."""
        names = self._names()
        if names and not self.holds_a_run and not self._was_being_created(names):
            shown = one_line(", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else ""))
            raise TrainingError(
                f"{self.path} holds {shown}, but no run, which has an environment.json",
                hint="choose a new or an empty folder with `--out`; nothing was touched",
            )
        if names and not resume:
            raise TrainingError(
                f"{self.path} already holds a run", hint="go on with it by `--resume`, or choose another `--out`"
            )

    def start(self, environment: Environment, *, resume: bool, by_process: Sequence[str] = ()) -> str:
        """Begin a run, or go on with the folder's own; returns what the user should know, or ''.

        `by_process` is what goes on differently with another number of processes.
        """
        self.admit(resume=resume)
        durable.remove_leftovers(self.path)
        if not self.holds_a_run:
            self._create(environment)
            return ""
        record = _environment(self.path)
        if self.change is not None:
            record = self._adopt(self.change, record, environment)
        self._is_same_spec(record)
        if self.result() is not None:
            return ""
        told = notice(record, environment, by_process=by_process)
        self._write_environment({**record, "resumed": [*_listed(record, "resumed"), environment]})
        return told

    def result(self) -> Result | None:
        """The result of a finished run, None while there is none."""
        path = self.path / "result.json"
        if not path.exists():
            return None
        hint = f"remove it and resume: `--out {self.path} --resume`"
        try:
            checksums.demand(self.path, path.name)
            return Result.decode(read(path, most=LARGEST))
        except Damage as damage:
            raise TrainingError(str(damage), hint=hint) from None
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise TrainingError(f"{path} is damaged: it is not the result of a run", hint=hint) from None

    def sweeps(self) -> list[dict[str, Any]]:
        """What the learning-rate finder saw in the stages before, none while there was none."""
        path = self.path / "lr_find.json"
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return found if isinstance(found, list) else []

    @property
    def found_rates(self) -> bool:
        """Whether the spec in the folder has learning rates in place of the `find` of the spec that was given."""
        return "found_spec_hash" in _environment(self.path)

    def settle(self, spec_text: str, spec_hash: str) -> None:
        """Write the spec with what was found in place of `find`, by which the run can be taken up too."""
        self.write("spec.yaml", spec_text.encode())
        self._write_environment({**_environment(self.path), "found_spec_hash": spec_hash})

    def append_metrics(self, line: Line) -> None:
        checksums.append(self.path, durable.encode(line, indent=None))

    def rewrite_metrics(self, history: tuple[Line, ...]) -> None:
        """Exactly these lines: later epochs will be trained again, a line cut short by a crash is replaced."""
        self.write("metrics.jsonl", b"".join(durable.encode(line, indent=None) for line in history))

    def write(self, name: str, content: bytes) -> None:
        checksums.write(self.path, name, content)

    def _names(self) -> list[str]:
        """What is in the folder, but for hidden files such as those of a file manager, and what is half written."""
        try:
            return sorted(path.name for path in self.path.iterdir() if not path.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            if error.errno == ENAMETOOLONG:
                return []
            raise durable.cannot_write(self.path, error) from None

    def _was_being_created(self, names: list[str]) -> bool:
        """Whether this run was killed before its folder was complete. A spec of somebody else is no such thing."""
        if "spec.yaml" not in names or not _FIRST_FILES.issuperset(names):
            return False
        try:
            begun = (self.path / checksums.METRICS).stat().st_size if checksums.METRICS in names else 0
            return not begun and read(self.path / "spec.yaml") == self.spec_text.encode()
        except (OSError, Damage):
            return False

    def _adopt(self, change: Change, record: dict[str, Any], environment: Environment) -> dict[str, Any]:
        """Make the given spec the run's own; killed in between, it does so when it is taken up with it again."""
        entry: dict[str, Any] = {"at": environment.get("started"), "epoch": change.epoch}
        entry["settings"] = [{"path": s.path, "before": s.before, "after": s.after} for s in change.settings]
        adopted = {**record, "changes": [*_listed(record, "changes"), entry]} if change.settings else {**record}
        if change.means_else:
            entry["spec_hash"] = record["spec_hash"]
            with suppress(TrainingError):  # a damaged one is made anew like any other
                result = self.result()
                if result is not None:
                    entry["test_accuracy"] = result.test_accuracy
            checksums.remove(self.path, "result.json")
            adopted.pop("found_spec_hash", None)
            adopted["spec_hash"] = self.spec_hash
        self._write_environment(adopted)
        self.write("spec.yaml", change.spec_text.encode())
        return adopted

    def _create(self, environment: Environment) -> None:
        try:
            durable.make_folder(self.path)
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


def _listed(record: dict[str, Any], key: str) -> list[Any]:
    found = record.get(key)
    return found if isinstance(found, list) else []


def _environment(path: Path) -> dict[str, Any]:
    file = path / "environment.json"
    if not file.is_file():
        return _from_spec(path) or {}
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        record = None
    known = record if isinstance(record, dict) else _from_spec(path)
    if known is None:
        raise TrainingError(f"{file} is damaged: it is not a JSON object", hint="train again with another `--out`")
    return known


def _from_spec(path: Path) -> dict[str, Any] | None:
    """What a damaged record must be able to say, which spec the run is of, by the spec in the folder if it is whole."""
    problems = checksums.problems(path, ["spec.yaml", "environment.json"])
    if list(problems) != ["environment.json"]:
        return None
    found = analyse(path / "spec.yaml")
    if found.findings.has_errors or found.spec is None or found.spec.train is None:
        return None
    return {"spec_hash": spec_hash(found.spec)}

"""Paths of run directories -> the runs that are compared, each under a short name, the baseline first.

    ["runs/base", "old/base", "runs/gap"]  ->  runs/base, old/base, gap

A run whose spec this version can't read is compared all the same, without what only the spec knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from specforge.analysis import Analysis, analyse
from specforge.graph import Graph
from specforge.report.run import RunError, RunRecord, read_run
from specforge.spec import Spec


class ChoiceError(Exception):
    """Runs or options that don't fit each other: what was asked for, and what to do instead (`hint`)."""

    def __init__(self, message: str, *, hint: str):
        super().__init__(message)
        self.message, self.hint = message, hint


class UnreadableRuns(Exception):
    """Paths that hold no run, or a damaged one: a sentence for each."""

    def __init__(self, messages: Sequence[str]):
        super().__init__("\n".join(messages))
        self.messages = tuple(messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A run, the name and the letter that it has in tables and drawings, and its spec where that can be read.

    `problem` says why not.
    """

    name: str
    letter: str
    record: RunRecord
    analysis: Analysis
    problem: str | None = None

    @property
    def spec(self) -> Spec | None:
        return None if self.problem else self.analysis.spec

    @property
    def graph(self) -> Graph | None:
        return None if self.problem else self.analysis.graph

    @property
    def is_finished(self) -> bool:
        return self.record.result is not None

    @property
    def last_epoch(self) -> int:
        """How many epochs are recorded; 0 when none is."""
        return self.record.epochs[-1].epoch if self.record.epochs else 0

    @property
    def planned_epochs(self) -> int | None:
        """How many epochs the spec asks for."""
        return self.spec.train.total_epochs if self.spec is not None and self.spec.train is not None else None


def read_runs(folders: Sequence[Path], *, baseline: Path | None = None) -> tuple[ComparedRun, ...]:
    """Read all runs; the baseline comes first. Raises `ChoiceError` and `UnreadableRuns`."""
    ordered = _ordered(folders, baseline)
    records, messages = [], []
    for folder in ordered:
        try:
            records.append(_read(folder))
        except RunError as error:
            messages.append(str(error))
    if messages:
        raise UnreadableRuns(messages)
    names = _names([folder.resolve() for folder in ordered])
    return tuple(_compared(at, name, record) for at, (name, record) in enumerate(zip(names, records, strict=True)))


def _ordered(folders: Sequence[Path], baseline: Path | None) -> list[Path]:
    chosen: dict[Path, Path] = {}
    for folder in folders:
        known = chosen.setdefault(folder.resolve(), folder)
        if known is not folder:
            raise ChoiceError(f"{folder} and {known} are the same run", hint="name each run once")
    if baseline is not None:
        # by its path, or by the name that the tables give it; one that is not listed is added
        found = next((run for run in folders if run.name == str(baseline)), None)
        first = baseline if baseline.resolve() in chosen or found is None else found
        chosen = {first.resolve(): chosen.get(first.resolve(), first), **chosen}
    if len(chosen) < 2:
        only = next(iter(chosen.values()), None)
        raise ChoiceError(
            f"there is nothing to compare {only or 'nothing'} with",
            hint=f"name two runs or more; one run alone is shown by {only}/report.html",
        )
    return list(chosen.values())


def _read(folder: Path) -> RunRecord:
    if folder.is_file():
        other = "; `specforge diff` compares specs" if folder.suffix in (".yaml", ".yml") else ""
        raise RunError(f"{folder}: found a file, expected the folder of a run{other}")
    if not folder.exists():
        raise RunError(f"{folder}: there is no such folder, expected a run directory; `--out` of `train` named it")
    return read_run(folder)


def _names(folders: Sequence[Path]) -> list[str]:
    """Each folder's name, with as many folders above it as it takes to tell them all apart."""
    depths = [1] * len(folders)
    while True:
        names = ["/".join(folder.parts[-depth:]) for folder, depth in zip(folders, depths, strict=True)]
        alike = [at for at, name in enumerate(names) if names.count(name) > 1]
        if not alike:
            return names
        for at in alike:
            depths[at] += 1


def _compared(at: int, name: str, record: RunRecord) -> ComparedRun:
    file = record.folder / "spec.yaml"
    analysis = analyse(file)
    # the first error is enough to know that the spec is of another version or was changed by hand
    problem = next((found.message for found in analysis.findings if found.severity == "error"), None)
    if problem is None and (analysis.spec is None or analysis.graph is None):
        problem = "it has no layers"
    return ComparedRun(name=name, letter=letter(at), record=record, analysis=analysis, problem=problem)


def letter(number: int) -> str:
    """`0 -> A`, `25 -> Z`, `26 -> AA`."""
    rest, last = divmod(number, len(ascii_uppercase))
    return (letter(rest - 1) if rest else "") + ascii_uppercase[last]

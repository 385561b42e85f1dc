"""Every spec that means something else than at a revision: what a pull request is about.

In: a revision and the spec files that are there now. Out: a `Change` for each that differs, came, went, was moved, or
is broken on one side. A spec counts when its file changed, or one that it extends or includes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from specforge import git
from specforge.analysis import Analysis, analyse
from specforge.diagnostics import Diagnostic
from specforge.diff.difference import Difference
from specforge.diff.revision import Revision
from specforge.project import Recorded
from specforge.resolved import spec_hash
from specforge.source import DISK
from specforge.summary import totals

Status = Literal["changed", "rewritten", "added", "removed", "moved", "broken"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a spec file. A `rewritten` one means the same as before; so does a `moved` one, at `file` now.

    `findings` are the errors of a broken one, and `texts` the files that they are in.
    """

    file: str
    status: Status
    difference: Difference | None = None
    analysis: Analysis | None = None
    findings: tuple[Diagnostic, ...] = ()
    moved_from: str | None = None

    @property
    def means_else(self) -> bool:
        return self.status not in ("rewritten", "moved")

    def told(self) -> str:
        """What there is to say where there is no difference: `new: 2,217,348 parameters, 26,626,048 MACs`."""
        if self.status == "broken":
            return f"broken: {len(self.findings)} error{'s' * (len(self.findings) != 1)}"
        if self.status == "moved":
            return f"moved from {self.moved_from}"
        if self.status == "rewritten":
            return "only the writing differs"
        graph = self.analysis.graph if self.analysis else None
        size = f": {totals(graph).total:,} parameters, {graph.macs:,} MACs" if graph else ""
        return {"added": "new", "removed": "gone"}.get(self.status, self.status) + size

    def to_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "status": self.status,
            "moved_from": self.moved_from,
            "difference": None if self.difference is None else self.difference.to_dict(),
            "errors": [f"{found.span}: {found.message}" for found in self.findings],
        }


def changes(revision: str, files: Iterable[Path], meant: Callable[[Path], bool] = lambda path: True) -> list[Change]:
    """Between the commit where the work left the revision and the working folder, in the order of the files' names.

    `files` are those that are there now, `meant` says of one that is gone whether it counts. Raises `GitError`.
    """
    then = Revision(git.merge_base(revision), shown_as=revision)
    changed = {then.root / name for name in git.changed_since(then.commit)}
    now = {_whole(path): path for path in files}
    outside = next((path for whole, path in now.items() if then.name_of(whole) is None), None)
    if outside is not None:
        raise git.GitError(f"`{outside}` lies outside of the repository", hint="name specs that are in it")
    found = [change for path in now if (change := _change(path, then, changed)) is not None]
    gone = [path for path in changed if path not in now and not path.is_file() and then.holds(path) and meant(path)]
    found += [change for path in gone if path.suffix in (".yaml", ".yml") and (change := _removed(path, then))]
    return sorted(_moves(found), key=lambda change: change.file)


def _whole(path: Path) -> Path:
    whole = path.absolute()
    return whole.parent.resolve() / whole.name


def _change(path: Path, then: Revision, changed: set[Path]) -> Change | None:
    """None for a spec that is what it was, and for a base: those that extend it say what it changes."""
    from specforge.diff import diff

    read, name = Recorded(), DISK.shown(path)
    after = analyse(path, files=read)
    if not any({_whole(asked), asked.resolve()} & changed for asked in read.asked):
        return None
    if after.findings.has_errors:
        return Change(name, "broken", analysis=after, findings=_errors(after))
    if after.graph is None:
        return _removed(path, then) if then.holds(path) else None  # a spec that became a base went
    if not then.holds(path):
        return Change(name, "added", analysis=after)
    before = analyse(path, files=then)
    if before.findings.has_errors or before.graph is None:  # it was broken: whoever mended it made a new spec
        return Change(name, "added", analysis=after)
    difference = replace(diff(before, after), before=f"git:{then.shown_as}:{then.name_of(path)}", after=name)
    status: Status = "rewritten" if difference.identical else "changed"
    return Change(name, status, difference, after)


def _removed(path: Path, then: Revision) -> Change | None:
    before = analyse(path, files=then)
    return None if before.graph is None else Change(DISK.shown(path), "removed", analysis=before)


def _errors(analysis: Analysis) -> tuple[Diagnostic, ...]:
    return tuple(found for found in analysis.findings if found.severity == "error")


def _moves(found: list[Change]) -> Iterator[Change]:
    """One that came and one that went with the same meaning are one that was moved."""
    gone: dict[str, list[Change]] = {}
    for change in found:
        if change.status == "removed":
            gone.setdefault(_hash(change), []).append(change)
    for change in found:
        if change.status == "added" and gone.get(_hash(change)):
            yield replace(change, status="moved", moved_from=gone[_hash(change)].pop(0).file)
        elif change.status != "removed":
            yield change
    for left in gone.values():
        yield from left


def _hash(change: Change) -> str:
    return spec_hash(change.analysis.spec) if change.analysis and change.analysis.spec else ""

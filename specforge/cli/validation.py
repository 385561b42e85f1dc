"""Spec files -> what is said about each of them, in the words and with the severities of its project."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import realpath
from pathlib import Path

from specforge.analysis import STDIN, Analysis, analyse
from specforge.cli.choosing import Projects, chosen_files, projects
from specforge.diagnostics import Diagnostic
from specforge.source import DISK, Files

FAILS_STRICTLY = "fails: --strict"


@dataclass(frozen=True, slots=True)
class Validated:
    """One file and the findings about it, in reading order; `analysis` is None for a settings file."""

    name: str
    findings: tuple[Diagnostic, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    analysis: Analysis | None = None

    @property
    def open(self) -> list[Diagnostic]:
        """Those that nobody accepted."""
        return [found for found in self.findings if not found.accepted]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to validate: PATHs, values to set, which settings hold, and the revision that only changes since matter."""

    paths: list[str]
    values: tuple[str, ...] = ()
    settings_file: Path | None = None
    no_settings: bool = False
    changed_since: str | None = None

    def projects(self, files: Files = DISK) -> Projects:
        return projects(self.settings_file, self.no_settings, files)

    def validate(self, found: Projects) -> list[Validated]:
        """Raises `GitError` for a revision that can't be had, and usage errors."""
        if self.changed_since is None:
            return validate_files(chosen_files(self.paths, found), self.values, found)
        from specforge.cli.changes import validate_changed

        return validate_changed(self, found, self.changed_since)


def validate_files(files: Iterable[str], values: tuple[str, ...], projects: Projects) -> list[Validated]:
    """Every file by itself; the settings files that have mistakes come first."""
    specs = [validate_file(file, values, projects, projects.files) for file in files]
    return [*about_settings(projects, specs), *specs]


def validate_file(file: str, values: tuple[str, ...], projects: Projects, files: Files) -> Validated:
    analysis = analyse(file, values, files=files)
    return Validated(file, tuple(projects.of(file).judged(analysis.findings)), analysis.texts, analysis)


def about_settings(projects: Projects, specs: list[Validated]) -> Iterator[Validated]:
    """The settings files that something is wrong with."""
    for project in projects.known:
        own = [spec for spec in specs if projects.of(spec.name) is project]
        proven = [Path(spec.name) for spec in own if spec.name != STDIN and not _is_broken(spec)]
        unused = project.unused((found for spec in own for found in spec.findings), proven)
        found = (*project.findings, *unused)
        if found:
            yield Validated(project.name, tuple(sorted(found, key=_place)), project.texts)


def _is_broken(spec: Validated) -> bool:
    """After an error the checks that warn did not run."""
    return any(found.rule.severity == "error" for found in spec.findings)


def _place(found: Diagnostic) -> tuple[int, int, str]:
    return found.span.line, found.span.column, found.code


def count_specs(validated: Iterable[Validated]) -> int:
    """How many of these are specs: the others are settings files."""
    return sum(file.analysis is not None for file in validated)


def once(validated: Sequence[Validated]) -> list[Validated]:
    """The same files; what is open in several of them, as a mistake in what they extend, stays in the first one."""
    met: set[object] = set()
    shown = []
    for file in validated:
        fresh = [found for found in file.findings if found.accepted or identity(found) not in met]
        met.update(map(identity, fresh))
        shown.append(replace(file, findings=tuple(fresh)))
    return shown


def reached(validated: Iterable[Validated]) -> dict[object, list[str]]:
    """For findings in what a file extends or includes, by their `identity`: the files that they are about, too."""
    names: dict[object, list[str]] = {}
    for file in validated:
        for found in file.open:
            if found.span.file != "--set" and realpath(found.span.file) != realpath(file.name):
                names.setdefault(identity(found), []).append(file.name)
    return names


def in_reading_order(validated: Iterable[Validated]) -> list[Diagnostic]:
    """Every finding once, though a file that several specs extend is read with each of them."""
    met: dict[object, Diagnostic] = {}
    for file in validated:
        for found in file.findings:
            met.setdefault(identity(found), found)
    return list(met.values())


def identity(found: Diagnostic) -> object:
    """Equal for the same finding in several files that extend one."""
    span = found.span._replace(file=realpath(found.span.file), used_by=None)
    return found.code, span, found.message, found.accepted

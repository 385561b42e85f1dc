"""PATHs as they were given -> the spec files that are meant, each with the project whose settings hold for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import typer

from specforge.analysis import STDIN
from specforge.cli import console
from specforge.diagnostics import Span
from specforge.project import Project, find, is_settings_file, read_project, specs_at, why_nothing
from specforge.source import DISK, Files


@dataclass(slots=True)
class Projects:
    """Finds the settings that hold for a file; those of a folder are read once. `only` holds for every file.

    `exclusions` are the entries of `exclude` that left nothing of what was chosen.
    """

    only: Project | None = None
    files: Files = DISK
    exclusions: tuple[Span, ...] = ()
    _by_folder: dict[Path, Project] = field(default_factory=dict)

    def of(self, path: str) -> Project:
        """The project of a file or folder, of the working folder for standard input."""
        if self.only is not None:
            return self.only
        folder = Path() if path == STDIN else Path(path) if self.files.is_folder(Path(path)) else Path(path).parent
        if folder not in self._by_folder:
            found = find(folder, files=self.files)
            self._by_folder[folder] = next((known for known in self.known if known.file == found.file), found)
        return self._by_folder[folder]

    @property
    def here(self) -> Project:
        """The project of the working folder."""
        return self.of(STDIN)

    @property
    def known(self) -> list[Project]:
        """Those that have settings, each once."""
        every = [self.only] if self.only is not None else self._by_folder.values()
        return [project for project in dict.fromkeys(every) if project.file is not None]


def projects(settings: Path | None, no_settings: bool, files: Files = DISK) -> Projects:
    """What `--settings FILE` or `--no-settings` ask for, otherwise what lies above the files."""
    if no_settings and settings is not None:
        raise typer.BadParameter("give --settings FILE or --no-settings", param_hint="--no-settings")
    if no_settings:
        return Projects(Project(Path.cwd().resolve()), files)
    if settings is not None and not settings.is_file():
        raise typer.BadParameter(f"{settings}: no such file", param_hint="--settings")
    return Projects(None if settings is None else read_project(settings, files=files, name=str(settings)), files)


def spec_files(paths: Iterable[str]) -> list[str]:
    """Every file that was meant: folders are searched for .yaml and .yml, globs are expanded; usage error if none."""
    found: list[str] = []
    for path in paths:
        if not path:
            raise typer.BadParameter("the path is empty", param_hint="PATH")
        matches = [path] if path == STDIN else specs_at(path)
        if not matches:
            raise typer.BadParameter(f"{path}: {why_nothing(path)}", param_hint="PATH")
        found += matches
    return list(dict.fromkeys(found))


def chosen_files(paths: list[str], projects: Projects, *, quiet: bool = False) -> list[str]:
    """The spec files among what was named, without what settings exclude; without PATHs, those of the project here.

    A file that was named and is excluded is told of: hooks name every file that changed.
    """
    chosen = _chosen(paths, projects, quiet=quiet) if paths else project_files(projects.here)
    projects.exclusions = () if chosen else tuple(span for known in projects.known for span in known.exclusions)
    return chosen


def _chosen(paths: list[str], projects: Projects, *, quiet: bool) -> list[str]:
    chosen = []
    for file in spec_files(paths):
        project = projects.of(file)
        excluded = None if file == STDIN else project.excluded_by(Path(file))
        if excluded is not None and file in paths and not quiet:
            console.note(f"{file}: left out, as {excluded} says")
        if excluded is None and not (project.file is not None and is_settings_file(file)):
            chosen.append(file)
    return chosen


def project_files(project: Project, *, searched: bool = False) -> list[str]:
    """What the settings list under `paths`; without them a usage error, unless the folder is to be `searched`."""
    if not project.settings.paths and project.findings.has_errors:
        return []
    if not (project.settings.paths or searched):
        hint = "name spec files or folders, or list them under `paths:` in a specforge.yaml"
        raise typer.BadParameter(hint, param_hint="PATH")
    return [DISK.shown(path) for path in project.specs(project.folder)]

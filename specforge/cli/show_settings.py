"""`validate --show-settings`: the settings that hold for a file, and the line that each comes from."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from specforge.analysis import STDIN
from specforge.cli import console
from specforge.cli.choosing import Projects
from specforge.cli.findings import write_text
from specforge.diagnostics import Span
from specforge.project import Project
from specforge.source import Mapping

NO_FILE = "there is no specforge.yaml here or above"
OFF = "settings are off, as --no-settings says"


class Setting(NamedTuple):
    """One value, and where it is written; `span` is None for a default."""

    key: str
    value: Any
    span: Span | None


def show_settings(paths: list[str], projects: Projects, *, as_json: bool) -> bool:
    """For every PATH, for the working folder without one; false when the settings have errors."""
    shown = [(path, projects.of(path)) for path in paths or [STDIN]]
    nothing = NO_FILE if projects.only is None else OFF
    if as_json:
        print(json.dumps([_as_dict(path, project) for path, project in shown], indent=2, ensure_ascii=False))
    for path, project in () if as_json else shown:
        _show(path, project, nothing)
    for project in dict.fromkeys(project for _, project in shown):
        for found in project.findings:
            write_text(found, project.texts)
    return not any(project.findings.has_errors for _, project in shown)


def _show(path: str, project: Project, nothing: str) -> None:
    about = "the working folder" if path == STDIN else path
    console.write((f"{about}: ", "bold"), nothing if project.file is None else f"settings of {project.name}")
    excluded = _excluded_by(path, project)
    if excluded is not None:
        console.write("  excluded: it is left out, as ", _place(excluded), " says")
    rows = [(setting.key, _written(setting.value), _place(setting.span)) for setting in settings_of(project)]
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:2]]
    for key, value, place in rows:
        console.write(f"  {key.ljust(widths[0])}  {value.ljust(widths[1])}  ", (place, "dim"))


def _excluded_by(path: str, project: Project) -> Span | None:
    return None if path == STDIN else project.excluded_by(Path(path))


def _as_dict(path: str, project: Project) -> dict[str, Any]:
    rows = [
        {"key": key, "value": value, "file": span and span.file, "line": span and span.line}
        for key, value, span in settings_of(project)
    ]
    file, excluded = (project.file and str(project.file)), _excluded_by(path, project)
    return {"path": path, "file": file, "excluded_by": excluded and _place(excluded), "settings": rows}


def settings_of(project: Project) -> Iterator[Setting]:
    """Every value by itself, in the order of the keys."""
    settings = project.settings
    for key, values in (("paths", settings.paths), ("exclude", settings.exclude)):
        yield from _listed(project, key, values)
    severities = project.tree.get("severities") if project.tree is not None else None
    for name, severity in settings.severities.items():
        entry = severities.entries.get(name) if isinstance(severities, Mapping) else None
        yield Setting(f"severities.{name}", severity, entry and entry.key)
    if not settings.severities:
        yield Setting("severities", {}, None)
    yield from _listed(project, "ignore", [ignore.model_dump(exclude_none=True) for ignore in settings.ignore])


def _listed(project: Project, key: str, values: Any) -> Iterator[Setting]:
    for number, value in enumerate(values):
        yield Setting(f"{key}[{number}]", value, project.span(key, number))
    if not values:
        yield Setting(key, [], None)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not value:
        return "none"
    where = f" in {value['path']}" if "path" in value else ""
    return f"{value['code']}{where}: {value['reason'].strip()}"


def _place(span: Span | None) -> str:
    return "default" if span is None else f"{span.file}:{span.line}"

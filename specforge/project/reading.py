"""A settings file -> a `Project`; found in the folder of a spec or above it, as far as the repository goes.

severities: {SF509: error}    ->    Project(settings=Settings(severities={"SF509": "error"}), …)
"""

import os
from pathlib import Path

import specforge.analysis  # noqa: F401  with all checks, so that every finding has its name
from specforge.binding import Binder
from specforge.diagnostics import RULES, Findings, Rule, Severity, Span, TooManyErrors, define, nearest
from specforge.project.project import Project
from specforge.project.searching import SETTINGS_FILE
from specforge.project.settings import Settings
from specforge.source import DISK, DUPLICATE_KEY, Files, Mapping, Sequence, parse, read, report_too_many

UNKNOWN_FINDING = define(
    "SF610",
    "unknown-finding",
    """
The project's settings name a finding that `validate` does not know. `specforge list diagnostics` shows all of them;
each may be named by its code or by its name.""",
)
FIXED_SEVERITY = define(
    "SF611",
    "fixed-severity",
    """
The project's settings ignore an error, or take it for a warning. An error is a proof that the spec can't be what it
says: what specforge calls right must stay right everywhere. Only warnings can be ignored or taken for errors.""",
)


def find(start: Path, *, files: Files = DISK) -> Project:
    """The project of a file or folder: its settings are in its folder or above, in the same git repository."""
    whole = Path(os.path.normpath(start.absolute()))
    first = whole if files.is_folder(whole) else whole.parent
    try:
        first = first.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return Project(first)
    for folder in (first, *first.parents):
        if files.is_file(folder / SETTINGS_FILE):
            return read_project(folder / SETTINGS_FILE, files=files)
        if (folder / ".git").exists():
            break
    return Project(first)


def read_project(file: Path, *, files: Files = DISK, name: str | None = None) -> Project:
    """The project of this settings file, however it is called. After an error it has no settings."""
    findings, shown = Findings(), name or files.shown(file)
    texts: dict[str, str] = {}
    tree = settings = None
    try:
        text = read(file, findings, files=files, name=shown)
        if text is not None and _says_something(text):
            texts[shown] = text
            tree = parse(text, shown, findings)
            settings = None if tree is None else Binder(findings).section(tree, Settings, "the settings file")
    except TooManyErrors:
        report_too_many(shown, findings)
    tree = tree if isinstance(tree, Mapping) else None
    settings = settings or Settings()
    severities = _severities(settings, tree, findings)
    _check_ignored(settings, tree, findings)
    return Project(file.absolute().parent.resolve(), settings, file, shown, tree, findings, texts, severities)


def _says_something(text: str) -> bool:
    """A file of nothing but comments marks the project's folder."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _severities(settings: Settings, tree: Mapping | None, findings: Findings) -> dict[str, Severity]:
    """By code. What names no finding, or takes an error for a warning, is told."""
    node = None if tree is None else tree.get("severities")
    found: dict[str, Severity] = {}
    for name, severity in settings.severities.items():
        assert isinstance(node, Mapping)
        span = node.entries[name].key
        rule = _rule(name, span, findings)
        if rule is None:
            continue
        if rule.severity == "error" and severity == "warning":
            _refuse(rule, name, span, "can't be taken for a warning", findings)
        elif rule.code in found:
            message = f"`{name}` has a severity already: {rule.code} is called `{rule.name}`"
            findings.add(DUPLICATE_KEY, span, message, "keep one of them")
        else:
            found[rule.code] = severity
    return found


def _check_ignored(settings: Settings, tree: Mapping | None, findings: Findings) -> None:
    node = None if tree is None else tree.get("ignore")
    for number, ignore in enumerate(settings.ignore):
        assert isinstance(node, Sequence)
        entry = node.items[number]
        assert isinstance(entry, Mapping)
        span = entry.entries["code"].value.span
        rule = _rule(ignore.code, span, findings)
        if rule is not None and rule.severity == "error":
            _refuse(rule, ignore.code, span, "can't be ignored", findings)


def _rule(name: str, span: Span, findings: Findings) -> Rule | None:
    by_name = {rule.name: rule for rule in RULES.values()} | RULES
    if name in by_name:
        return by_name[name]
    warnings = [rule for rule in RULES.values() if rule.severity == "warning"]
    known = {rule.code.lower(): rule.code for rule in warnings} | {rule.name: rule.name for rule in warnings}
    close = nearest(name, known)
    hint = f"did you mean `{known[close]}`?" if close else "`specforge list diagnostics` shows all of them"
    findings.add(UNKNOWN_FINDING, span, f"`{name}` is no kind of finding", hint)
    return None


def _refuse(rule: Rule, name: str, span: Span, what: str, findings: Findings) -> None:
    message = f"`{name}` {what}: it is an error"
    hint = f"only warnings can; `specforge explain {rule.code}` says what the spec has to change"
    findings.add(FIXED_SEVERITY, span, message, hint)

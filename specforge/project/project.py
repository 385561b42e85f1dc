"""A project: where its specs are, and what its settings make of the findings in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from specforge.diagnostics import Diagnostic, Findings, Severity, Span, define
from specforge.project.patterns import matches
from specforge.project.searching import is_settings_file, specs_at, told_apart, why_nothing
from specforge.project.settings import Ignore, Settings
from specforge.source import Mapping, Sequence, nearest_file

IGNORES_NOTHING = define(
    "SF612",
    "ignores-nothing",
    """
An entry of `ignore` in the project's settings matches no warning, so it would hide a later one. It is told when every
spec that the entry is about was validated.""",
    severity="warning",
)
NO_SPECS = define(
    "SF613",
    "path-without-specs",
    "An entry of `paths` in the project's settings leads to no spec: nothing of what it was written for is validated.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """The settings that hold for the specs below `folder`; `file` is None where there are none.

    `findings` are the mistakes in the file, which is shown as `name`; `tree` is its text as nodes. `exclusions` are
    the entries of `exclude` that left out a file that was asked for.
    """

    folder: Path
    settings: Settings = field(default_factory=Settings.model_construct)  # builds no validator: most have no file
    file: Path | None = None
    name: str = ""
    tree: Mapping | None = None
    findings: Findings = field(default_factory=Findings)
    texts: dict[str, str] = field(default_factory=dict)
    severities: dict[str, Severity] = field(default_factory=dict)
    exclusions: dict[Span, None] = field(default_factory=dict)

    def specs(self, root: Path) -> list[Path]:
        """The files that `paths` names, without what is excluded; without `paths`, the specs below `root`.

        An entry that leads to no file becomes a finding.
        """
        if not self.settings.paths:
            found = [Path(name) for name in told_apart(root)]
        else:
            found = [path for number in range(len(self.settings.paths)) for path in self._at(number)]
        return [path for path in dict.fromkeys(found) if self.excluded_by(path) is None]

    def roots(self) -> list[Path]:
        """The folders and files that `paths` names, of a glob what stands before it; without `paths`, the project's."""
        plain = [re.sub(r"[^/]*[*?\[].*", "", path, flags=re.DOTALL) for path in self.settings.paths]
        return [self.folder / path for path in plain] or [self.folder]

    def _at(self, number: int) -> list[Path]:
        """The files of an entry of `paths`."""
        written = self.settings.paths[number]
        found = [Path(name) for name in specs_at(written, root=self.folder) if not is_settings_file(name)]
        if not found:
            message = f"`{written}` holds no specs: {why_nothing(written, root=self.folder)}"
            self.findings.add(NO_SPECS, self.span("paths", number), message, self._advice(written))
        return found

    def _advice(self, written: str) -> str:
        """Where a path starts, unless it is absolute, and what beside it could be meant."""
        start = "this path is absolute" if Path(written).is_absolute() else f"paths start at the folder of {self.name}"
        place = self.folder / written
        try:
            beside = [] if place.exists() else [entry.name for entry in place.parent.iterdir()]
        except (OSError, ValueError):
            beside = []
        close = nearest_file(place.name, beside)
        return start if close is None else f"{start}; did you mean `{Path(written).with_name(close).as_posix()}`?"

    def excluded_by(self, path: Path) -> Span | None:
        """Where the settings say that a file does not count, None where it does."""
        place = self._place(path)
        if place is not None:
            for number, pattern in enumerate(self.settings.exclude):
                if matches(pattern, place):
                    span = self.span("exclude", number)
                    self.exclusions[span] = None
                    return span
        return None

    def judged(self, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings with the project's severities; ignored ones are accepted, with the reason and where it stands.

        What a spec accepts itself stays as it is.
        """
        if self.file is None:
            return list(findings)
        return [found if found.accepted else self._judged(found) for found in findings]

    def _judged(self, found: Diagnostic) -> Diagnostic:
        if found.rule.severity == "warning":
            for number, ignore in enumerate(self.settings.ignore):
                if ignore.code in (found.rule.code, found.rule.name) and self._is_meant(ignore, found.span.file):
                    return replace(found, accepted=ignore.reason, accepted_by=self.span("ignore", number))
        severity = self.severities.get(found.code)
        return found if severity in (None, found.severity) else replace(found, judged=severity)

    def unused(self, judged: Iterable[Diagnostic], proven: Iterable[Path]) -> list[Diagnostic]:
        """A warning for each `ignore` that none of the judged findings met.

        Entries about specs that were not validated, or not to the end, are left out: nobody knows yet.
        """
        if self.findings.has_errors:
            return []
        used = {found.accepted_by for found in judged}
        seen = {self._place(path) for path in proven}
        findings = Findings()
        idle = [n for n in range(len(self.settings.ignore)) if self.span("ignore", n) not in used]
        specs = {self._place(path) for path in self.specs(self.folder)} if idle else set()
        for number in idle:
            ignore = self.settings.ignore[number]
            about = {place for place in specs if place and (ignore.path is None or matches(ignore.path, place))}
            if (about or specs) <= seen:
                where = f" in `{ignore.path}`" if ignore.path else ""
                message, hint = f"`ignore` names `{ignore.code}`, which no spec{where} raises", "remove it"
                if ignore.path and not about:
                    message = f"`ignore` names `{ignore.code}` in `{ignore.path}`: no file matches"
                    hint = "correct the path, or remove the entry"
                findings.add(IGNORES_NOTHING, self.span("ignore", number), message, hint)
        return self.judged(findings)

    def span(self, key: str, number: int | None = None) -> Span:
        """Where a key of the settings is written, or an entry of its list."""
        entry = self.tree.entries.get(key) if self.tree is not None else None
        if entry is None:
            return Span(self.name, 1, 1, 1, 1)
        if number is not None and isinstance(entry.value, Sequence) and number < len(entry.value.items):
            return entry.value.items[number].span
        return entry.key

    def _is_meant(self, ignore: Ignore, file: str) -> bool:
        if ignore.path is None:
            return True
        place = self._place(Path(file))
        return place is not None and matches(ignore.path, place)

    def _place(self, path: Path) -> str | None:
        """A file's path from the project's folder, None outside of it."""
        whole = path.absolute()
        try:
            return (whole.parent.resolve() / whole.name).relative_to(self.folder).as_posix()
        except (OSError, ValueError):
            return None

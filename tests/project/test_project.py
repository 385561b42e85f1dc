"""Which files are a project's specs, and what becomes of findings in them."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from specforge.diagnostics import RULES, Diagnostic, Span
from specforge.project import find
from tests.project.conftest import Settings, line, told

SPEC = "specforge: 1\nname: lab\n"


def _write(folder: Path, *names: str, text: str = SPEC) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _names(paths: Iterable[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def _found(code: str, file: str, accepted: str | None = None) -> Diagnostic:
    return Diagnostic(RULES[code], Span(file, 3, 1, 3, 2), "something", accepted=accepted)


def test_files_folders_and_globs_without_what_is_excluded(folder: Path, settings: Settings) -> None:
    _write(folder, "specs/b.yaml", "specs/a.yml", "specs/drafts/c.yaml", "specs/.old/d.yaml", "specs/specforge.yaml")
    _write(folder, "more/x.yaml", "more/old_y.yaml", "one.yaml", "other.yaml", "specs/notes.txt")
    project = settings("paths: [one.yaml, specs, 'more/*.yaml', specs/b.yaml]\nexclude: [drafts, 'old_*']\n")
    assert _names(project.specs(folder), folder) == ["one.yaml", "specs/a.yml", "specs/b.yaml", "more/x.yaml"]
    assert told(project) == []


def test_paths_start_at_the_settings(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(folder, "specs/a.yaml")
    settings("paths: [specs]\n")
    monkeypatch.chdir(folder / "specs")
    assert _names(find(Path()).specs(Path.cwd()), folder) == ["specs/a.yaml"]


def test_a_path_that_leads_nowhere_is_an_error(folder: Path, settings: Settings) -> None:
    (folder / "empty").mkdir()
    (folder / "specs").mkdir()
    absolute = (folder / "spec").as_posix()
    project = settings(f"paths: [spces, empty, old/a.yaml, 'lab*.yaml', {absolute}]\n")
    assert project.specs(folder) == []
    start = "paths start at the folder of specforge.yaml"
    assert [line.partition("] ")[2] for line in told(project)] == [
        f"`spces` holds no specs: no such file or folder; {start}; did you mean `specs`?",
        f"`empty` holds no specs: no .yaml files below this folder; {start}",
        f"`old/a.yaml` holds no specs: no such file or folder; {start}",
        f"`lab*.yaml` holds no specs: no file matches this pattern; {start}",
        f"`{absolute}` holds no specs: no such file or folder; this path is absolute; did you mean `{absolute}s`?",
    ]
    assert told(project)[1].startswith("specforge.yaml:1:16 error[SF613] ")


def test_without_paths_specs_are_told_apart_from_other_yaml(folder: Path) -> None:
    _write(folder, "specs/a.yaml", ".github/b.yaml", "runs/lab/spec.yaml")
    _write(folder, "compose.yaml", text="services: {specforge: 1}\n")
    _write(folder, "runs/lab/environment.json", text="{}")
    assert _names(find(folder).specs(folder), folder) == ["specs/a.yaml"]


def test_where_a_file_is_excluded(folder: Path, settings: Settings) -> None:
    project = settings("exclude:\n  - nothing\n  - specs/drafts\n")
    assert str(project.excluded_by(Path("specs/drafts/a.yaml"))) == "specforge.yaml:3:5"
    assert project.excluded_by(folder / "specs" / "a.yaml") is None
    assert project.excluded_by(folder.parent / "specs" / "drafts" / "a.yaml") is None


def test_a_warning_is_taken_for_an_error(settings: Settings) -> None:
    project = settings("severities: {softmax-before-cross-entropy: error}\n")
    (raised, other, error) = project.judged([_found("SF509", "a.yaml"), _found("SF513", "a.yaml"), _found("SF304", "")])
    assert [found.severity for found in (raised, other, error)] == ["error", "warning", "error"]
    assert raised.rule.severity == "warning"


def test_ignored_where_the_path_says(folder: Path, settings: Settings) -> None:
    project = settings("ignore:\n  - {code: SF509, path: specs/lab*, reason: documented}\n")
    places = ["specs/lab1.yaml", str(folder / "specs/lab2.yaml"), "specs/other.yaml", "-", "--set"]
    judged = project.judged([_found("SF509", place) for place in places])
    assert [found.accepted for found in judged] == ["documented", "documented", None, None, None]
    assert str(judged[0].accepted_by) == "specforge.yaml:2:5"


def test_ignored_everywhere_even_where_it_is_an_error(settings: Settings) -> None:
    project = settings("severities: {SF509: error}\nignore: [{code: SF509, reason: documented}]\n")
    assert [found.accepted for found in project.judged([_found("SF509", "-")])] == ["documented"]


def test_what_the_spec_accepts_stays_the_spec_s(settings: Settings) -> None:
    project = settings("severities: {SF509: error}\nignore: [{code: SF509, reason: theirs}]\n")
    accepted = _found("SF509", "a.yaml", accepted="its own")
    assert project.judged([accepted]) == [accepted]


def test_without_settings_findings_stay_as_they_are(folder: Path) -> None:
    findings = [_found("SF509", "a.yaml"), _found("SF304", "b.yaml")]
    assert find(folder).judged(findings) == findings


def test_an_ignore_that_meets_nothing_is_told(folder: Path, settings: Settings) -> None:
    _write(folder, "specs/a.yaml", "specs/b.yaml")
    project = settings(
        "paths: [specs]\nignore:\n"
        "  - {code: SF509, reason: met}\n"
        "  - {code: SF513, reason: unmet}\n"
        "  - {code: SF513, path: specs/b.yaml, reason: unmet}\n"
        "  - {code: SF512, path: gone.yaml, reason: unmet}\n"
    )
    judged = project.judged([_found("SF509", "specs/a.yaml")])
    a, b = Path("specs/a.yaml"), Path("specs/b.yaml")
    assert [line(found) for found in project.unused(judged, [a, b])] == [
        "specforge.yaml:4:5 warning[SF612] `ignore` names `SF513`, which no spec raises; remove it",
        "specforge.yaml:5:5 warning[SF612] `ignore` names `SF513`, which no spec in `specs/b.yaml` raises; remove it",
        "specforge.yaml:6:5 warning[SF612] `ignore` names `SF512` in `gone.yaml`: no file matches; "
        "correct the path, or remove the entry",
    ]
    assert [found.span.line for found in project.unused(judged, [b])] == [5]  # of the others nobody knows
    assert project.unused(judged, []) == []


def test_the_settings_judge_findings_in_themselves(folder: Path, settings: Settings) -> None:
    _write(folder, "specs/a.yaml")
    project = settings("paths: [specs]\nseverities: {SF612: error}\nignore: [{code: SF509, reason: unmet}]\n")
    assert [found.severity for found in project.unused([], [Path("specs/a.yaml")])] == ["error"]


def test_where_specs_lay_that_are_gone(folder: Path, settings: Settings) -> None:
    project = settings("paths: [one.yaml, specs, 'more/lab*.yaml', 'deep/**/a.yaml', '*.yml']\n")
    assert project.roots() == [folder / "one.yaml", folder / "specs", folder / "more", folder / "deep", folder]
    assert find(folder.parent / "nowhere" / "x.yaml").roots() == [folder.parent / "nowhere"]

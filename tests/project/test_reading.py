"""The settings file: where it is found, what it may say, and every mistake at its line."""

from pathlib import Path

import pytest

from specforge.project import Project, find, read_project
from specforge.project.settings import Ignore, Settings
from specforge.source import Overlaid
from tests.project.conftest import Settings as Write
from tests.project.conftest import told

ALL = """\
# ours
paths: [specs, "more/*.yaml"]
exclude: [drafts]
severities: {SF509: error, layer-without-effect: warning}
ignore:
  - {code: SF516, path: specs/lab*.yaml, reason: the documents do it}
"""


def test_every_key(settings: Write) -> None:
    project = settings(ALL)
    assert told(project) == []
    assert project.settings == Settings(
        paths=("specs", "more/*.yaml"),
        exclude=("drafts",),
        severities={"SF509": "error", "layer-without-effect": "warning"},
        ignore=(Ignore(code="SF516", path="specs/lab*.yaml", reason="the documents do it"),),
    )
    assert project.severities == {"SF509": "error", "SF513": "warning"}
    assert (project.span("exclude", 0).line, project.span("ignore", 0).line, project.span("paths").line) == (3, 6, 2)


def test_found_above_as_far_as_the_repository_goes(folder: Path) -> None:
    (folder / "specforge.yaml").write_text("paths: [specs]\n")
    deep = folder / "specs" / "deep"
    deep.mkdir(parents=True)
    assert find(deep / "lab.yaml").file == folder / "specforge.yaml"
    assert find(deep).folder == folder
    assert find(deep / "lab.yaml").name == "specforge.yaml"
    (folder / "specs" / "specforge.yaml").write_text("{}\n")
    assert find(deep).folder == folder / "specs"  # the nearest one, alone
    other = folder / "other"
    (other / ".git").mkdir(parents=True)
    assert find(other).file is None
    assert find(other).folder == other


def test_without_a_file_nothing_is_set(folder: Path) -> None:
    project = find(folder / "lab.yaml")
    assert (project.file, project.settings, told(project)) == (None, Settings(), [])
    assert project.specs(folder) == []


@pytest.mark.parametrize("text", ["", "# only a comment\n\n", "{}\n"])
def test_a_file_without_keys_marks_the_folder(settings: Write, text: str) -> None:
    project = settings(text)
    assert (told(project), project.settings, project.file is not None) == ([], Settings(), True)


def test_an_editor_s_text_counts(folder: Path) -> None:
    files = Overlaid({folder / "specforge.yaml": "exclude: [a]\n"})
    assert find(folder, files=files).settings.exclude == ("a",)


def test_any_file_can_be_named(folder: Path) -> None:
    (folder / "ci").mkdir()
    file = folder / "ci" / "strict.yaml"
    file.write_text("severities: {SF509: error}\n")
    project = read_project(file)
    assert (project.folder, project.name) == (folder / "ci", "ci/strict.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pahts: [specs]", "1:1 error[SF301] the settings file has no `pahts`; did you mean `paths`?"),
        ("paths: specs", "1:8 error[SF303] `paths` must be a list, found the text `specs`; write `[specs]`"),
        ("paths: ['']", "1:9 error[SF303] `paths` must be longer text, found the text ``; None"),
        (
            "severities: {SF509: eror}",
            "1:21 error[SF303] `severities.SF509` must be `error` or `warning`, found the text `eror`; "
            "did you mean `error`?",
        ),
        ("ignore: [{code: SF509}]", "1:10 error[SF302] an entry of `ignore` needs `reason`; add `reason: …`"),
        (
            "ignore: [{code: SF509, reason: ' '}]",
            "1:32 error[SF303] `reason` must be a reason in words, found the text ` `; None",
        ),
        (
            "name: lab",
            "1:1 error[SF301] the settings file has no `name`; "
            "`specforge.yaml` holds the settings of a project: give a spec another name",
        ),
        ("severities: {sf509: error}", "1:14 error[SF610] `sf509` is no kind of finding; did you mean `SF509`?"),
        (
            "ignore: [{code: layer-witout-effect, reason: x}]",
            "1:17 error[SF610] `layer-witout-effect` is no kind of finding; did you mean `layer-without-effect`?",
        ),
        (
            "severities: {wholly different: error}",
            "1:14 error[SF610] `wholly different` is no kind of finding; "
            "`specforge list diagnostics` shows all of them",
        ),
        (
            "severities: {SF304: warning}",
            "1:14 error[SF611] `SF304` can't be taken for a warning: it is an error; "
            "only warnings can; `specforge explain SF304` says what the spec has to change",
        ),
        (
            "ignore: [{code: expectation-failed, reason: x}]",
            "1:17 error[SF611] `expectation-failed` can't be ignored: it is an error; "
            "only warnings can; `specforge explain SF501` says what the spec has to change",
        ),
        (
            "severities: {SF509: error, softmax-before-cross-entropy: error}",
            "1:28 error[SF104] `softmax-before-cross-entropy` has a severity already: "
            "SF509 is called `softmax-before-cross-entropy`; keep one of them",
        ),
        ("[a]", "1:1 error[SF303] the settings file is a mapping of keys, found the list [a]; "),
        ("paths: [a", "1:8 error[SF102] this `[` is not closed; "),
    ],
)
def test_a_mistake_is_told_at_its_place(settings: Write, text: str, expected: str) -> None:
    (said,) = told(settings(text))
    assert said.startswith(f"specforge.yaml:{expected}")


def test_an_error_may_stay_one(settings: Write) -> None:
    assert told(settings("severities: {SF304: error, SF509: warning}")) == []


def test_all_mistakes_at_once_and_none_of_the_settings_counts(settings: Write) -> None:
    project = settings("paths: [specs]\nexcludes: []\nignore: [{code: 3, reason: x}]\n")
    assert [found.code for found in project.findings] == ["SF301", "SF303"]
    assert project.settings == Settings()


def test_what_is_no_text_is_told(folder: Path) -> None:
    (folder / "specforge.yaml").write_bytes(b"paths: [\xff]\n")
    project: Project = find(folder)
    assert [found.code for found in project.findings] == ["SF101"]

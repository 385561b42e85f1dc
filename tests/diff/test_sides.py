"""Sides from git revisions: files and parents as they were, errors that name what is missing."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from specforge.diagnostics import SpecError
from specforge.diff import SideError, diff

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

PARENT = """
specforge: 1
name: parent
params: {width: 8}
model: {input: [1, 8, 8], layers: [flatten, {linear: $width}, relu, {linear: 10}]}
"""
CHILD = "specforge: 1\nname: child\nextends: ../bases/parent.yaml\n"


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The parent is 8 wide in the only commit, 16 in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))
    git("init", "--quiet")
    for name, text in (("bases/parent.yaml", PARENT), ("specs/child.yaml", CHILD)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    git("add", "specs", "bases")
    git("commit", "--quiet", "--message", "first")
    (tmp_path / "bases/parent.yaml").write_text(PARENT.replace("width: 8", "width: 16"), encoding="utf-8")
    return tmp_path


def test_parents_are_read_from_the_same_revision(repository: Path) -> None:
    difference = diff("git:HEAD:specs/child.yaml", "specs/child.yaml")
    (linear,) = difference.to_dict()["architecture"]["changed"]
    assert linear["arguments"] == {"out_features": {"before": 8, "after": 16}}
    assert difference.before == "git:HEAD:specs/child.yaml"


def test_both_sides_may_be_revisions(repository: Path) -> None:
    assert diff("git:HEAD:specs/child.yaml", "git:HEAD:bases/parent.yaml").same


def test_a_dot_starts_at_the_working_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "specs")
    assert diff("git:HEAD:./child.yaml", "git:HEAD:../bases/parent.yaml").same
    assert diff("git:HEAD:specs/child.yaml", "git:HEAD:./child.yaml").same


@pytest.mark.parametrize(
    ("side", "message", "hint"),
    [
        ("git:HEAD", "is not `git:REVISION:PATH`", "git:HEAD~1:specs/lab2.yaml"),
        ("git:HEAD:", "is not `git:REVISION:PATH`", "git:HEAD~1:specs/lab2.yaml"),
        ("git:nowhere:specs/child.yaml", "git has no revision `nowhere`", "commit, branch or tag"),
        ("git:--output=x:specs/child.yaml", "`--output=x` is not a revision", "commit, branch or tag"),
        ("git:HEAD:specs/chlid.yaml", "revision `HEAD` has no file `specs/chlid.yaml`", "`specs/child.yaml`?"),
        ("git:HEAD:specs", "revision `HEAD` has no file `specs`", "expected one of `bases/parent.yaml`"),
        ("git:HEAD:../other.yaml", "lies outside of the repository", "files only"),
    ],
)
def test_what_git_does_not_have(side: str, message: str, hint: str, repository: Path) -> None:
    with pytest.raises(SideError) as caught:
        diff(side, "specs/child.yaml")
    assert message in caught.value.message
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SideError, match="no git repository"):
        diff("git:HEAD:a.yaml", "git:HEAD:a.yaml")


def test_no_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(SideError, match="git is not installed"):
        diff("git:HEAD:specs/child.yaml", "specs/child.yaml")


def commit(text: str) -> None:
    Path("specs/child.yaml").write_text(text, encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "next")


def test_findings_name_the_revision(repository: Path) -> None:
    commit(CHILD + "train: {epoch: 3}\n")
    with pytest.raises(SpecError) as caught:
        diff("git:HEAD:specs/child.yaml", "specs/child.yaml")
    found = caught.value.diagnostics[0]
    assert found.span.file == "git:HEAD:specs/child.yaml"
    assert found.span.line == 4
    assert "specforge-" not in str(caught.value)


def test_findings_inside_blocks_name_the_revision(repository: Path) -> None:
    commit(CHILD + "blocks: {unit: {layers: [rellu]}}\nmodel: {input: [1, 8, 8], layers: [unit]}\n")
    with pytest.raises(SpecError, match=r"used by block `unit` at git:HEAD:specs/child\.yaml:5"):
        diff("git:HEAD:specs/child.yaml", "git:HEAD~1:specs/child.yaml")


def test_a_parent_that_the_revision_lacks_is_a_finding(repository: Path) -> None:
    Path("bases/new.yaml").write_text(PARENT, encoding="utf-8")  # in the working folder only
    commit(CHILD.replace("parent.yaml", "new.yaml"))
    with pytest.raises(SpecError, match=r"there is no file git:HEAD:bases/new\.yaml"):
        diff("git:HEAD:specs/child.yaml", "specs/child.yaml")


@pytest.mark.parametrize("parent", ["../../outside.yaml", "{folder}/outside.yaml"])
def test_a_parent_outside_of_the_repository_is_refused(parent: str, repository: Path) -> None:
    (repository.parent / "outside.yaml").write_text(PARENT, encoding="utf-8")
    commit(f"specforge: 1\nname: child\nextends: {parent.format(folder=repository.parent)}\n")
    with pytest.raises(SpecError, match="outside of the repository"):
        diff("git:HEAD:specs/child.yaml", "specs/child.yaml")


def test_parents_in_a_circle_end(repository: Path) -> None:
    commit(CHILD.replace("../bases/parent.yaml", "child.yaml"))
    with pytest.raises(SpecError, match="goes in a circle"):
        diff("git:HEAD:specs/child.yaml", "specs/child.yaml")


UNITS = "blocks: {unit: {layers: [linear: 8, relu]}}\n"
USER = """
specforge: 1
name: user
include: [../blocks/all.yaml]
model: {input: [1, 8, 8], layers: [flatten, unit, {linear: 10}]}
"""


def test_included_files_are_read_from_the_same_revision(repository: Path) -> None:
    Path("blocks").mkdir()
    texts = {"blocks/all.yaml": "include: [units.yaml]\n", "blocks/units.yaml": UNITS, "specs/user.yaml": USER}
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8")
    child = "specforge: 1\nname: child\nextends: user.yaml\n"
    Path("specs/child.yaml").write_text(child, encoding="utf-8")
    git("add", "blocks", "specs")
    git("commit", "--quiet", "--message", "libraries")
    Path("blocks/units.yaml").write_text(UNITS.replace("8", "16"), encoding="utf-8")
    difference = diff("git:HEAD:specs/child.yaml", "specs/child.yaml")
    changed = difference.to_dict()["architecture"]["changed"]
    assert changed[0]["arguments"] == {"out_features": {"before": 8, "after": 16}}


def test_a_library_that_the_revision_lacks_is_a_finding(repository: Path) -> None:
    commit(USER)
    with pytest.raises(SpecError, match=r"there is no file git:HEAD:blocks/all\.yaml"):
        diff("git:HEAD:specs/child.yaml", "specs/child.yaml")


def test_the_zoo_is_not_the_revision_s(repository: Path) -> None:
    commit("specforge: 1\nname: child\nextends: zoo/alexnet.yaml\n")
    assert diff("git:HEAD:specs/child.yaml", "specs/child.yaml").same


def test_standard_input(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PARENT.encode())))
    assert diff("git:HEAD:bases/parent.yaml", "-").same


def test_standard_input_is_one_side_at_most() -> None:
    with pytest.raises(SideError, match="both sides are standard input"):
        diff("-", "-")


@pytest.mark.parametrize("name", ["resnet18", "zoo/resnet18", "zoo/resnet18.yaml", "resnet18.yaml"])
def test_a_network_of_the_zoo(name: str, repository: Path) -> None:
    found = diff(name, "resnet50")
    assert (found.before, found.parameters[0].trainable) == (name, 11_689_512)


def test_a_file_comes_before_the_zoo(repository: Path) -> None:
    Path("resnet18").write_text(PARENT, encoding="utf-8")
    assert diff("resnet18", "git:HEAD:bases/parent.yaml").same


def test_a_run_s_spec(repository: Path) -> None:
    Path("runs/child").mkdir(parents=True)
    Path("runs/child/spec.yaml").write_text(PARENT, encoding="utf-8")
    assert diff("git:HEAD:bases/parent.yaml", "runs/child").same


@pytest.mark.parametrize(
    ("side", "message", "hint"),
    [
        ("resnet81", "neither a file nor a network of the zoo", "did you mean `resnet18`?"),
        ("specs", "`specs` is a folder without a run", "run directory"),
    ],
)
def test_what_is_no_side(side: str, message: str, hint: str, repository: Path) -> None:
    with pytest.raises(SideError, match=message) as caught:
        diff(side, "resnet18")
    assert hint in str(caught.value.hint)

"""What docs/ci.md tells people to copy: the files are right, and the workflow does what the page says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import PROGRAM, ROOT
from tests.cli.test_validate import GIT, git
from tests.cli.workflow import Outcome, Runner

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = ROOT / "examples" / "ci"
WORKFLOW = next(fence for fence in FENCES if "jobs:" in fence)


@pytest.mark.parametrize("file", sorted(EXAMPLES.iterdir()), ids=lambda file: file.name)
def test_the_page_shows_the_examples(file: Path) -> None:
    assert file.read_text(encoding="utf-8") in FENCES


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("action.yml", "vendor.github-actions"),
        ("examples/ci/github-workflow.yml", "vendor.github-workflows"),
        ("examples/ci/gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_files_are_what_their_readers_take(file: str, schema: str) -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ROOT / file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_s_text_becomes_a_script() -> None:
    """`${{ inputs.… }}` inside a `run` would be code of whoever writes the input."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    (job,) = yaml.safe_load(WORKFLOW)["jobs"].values()
    assert all("${{" not in step["run"] for step in [*steps, *job["steps"]] if "run" in step)


def test_the_settings_on_the_page_are_right(tmp_path: Path) -> None:
    from specforge.project import read_project

    (text,) = (fence for fence in FENCES if fence.startswith("paths:"))
    (tmp_path / "specforge.yaml").write_text(text, encoding="utf-8")
    project = read_project(tmp_path / "specforge.yaml")
    assert list(project.findings) == []
    assert project.settings.ignore[0].path == "specs/lab*.yaml"


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def _prepare_repository(folder: Path) -> None:
    (folder / "specs").mkdir(parents=True)
    for name in ("quickstart", "second"):
        shutil.copy(ROOT / "specs" / "quickstart.yaml", folder / "specs" / f"{name}.yaml")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "update-ref", "refs/remotes/origin/main", "main")
    git(folder, "switch", "-q", "-c", "work")


def _prepare_tools(tools: Path, machine: Path) -> None:
    """A Python that makes environments with the `specforge` of this tree, and GitHub's `gh`; both take notes."""
    _program(tools / "specforge", f'exec "{sys.executable}" -c "{PROGRAM}" "$@"')
    _program(tools / "pip", f'echo "$@" >> "{machine / "installed"}"')
    make = f'mkdir -p "$3/bin"; cp "{tools / "specforge"}" "$3/bin/specforge"; cp "{tools / "pip"}" "$3/bin/python"'
    _program(tools / "python", f'[ "$1 $2" = "-m venv" ] || exit 9; {make}')
    comments = machine / "comments"
    _program(tools / "bin" / "gh", f'echo "$@" >> "{comments}"; for last; do :; done; cat "$last" >> "{comments}"')


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A pull request that touches one of two specs; installing is recorded and gives the `specforge` of this tree."""
    if shutil.which("bash") is None:
        pytest.skip("GitHub's runner has bash")
    repository, machine, tools = tmp_path / "repository", tmp_path / "machine", tmp_path / "tools"
    machine.mkdir()
    _prepare_repository(repository)
    _prepare_tools(tools, machine)
    monkeypatch.setenv("PATH", f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}")
    variables = {
        **GIT,
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(repository),
        "GITHUB_BASE_REF": "main",
        "GITHUB_HEAD_REF": "work",
        "GITHUB_REPOSITORY": "ada/nets",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_SHA": "abc123",
        "PYTHONPATH": str(ROOT),
    }
    contexts = {
        "github.token": "secret",
        "github.event.pull_request.number": "7",
        "github.event.pull_request.head.repo.full_name": "ada/nets",
        "github.repository": "ada/nets",
    }
    return Runner(repository, machine, ROOT, tools / "python", variables, contexts)


def _commit(runner: Runner, file: str, old: str, new: str) -> None:
    path = runner.repository / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    git(runner.repository, "commit", "-q", "-a", "-m", "change")


def _named(outcomes: list[Outcome], name: str) -> Outcome | None:
    return next((outcome for outcome in outcomes if outcome.name == name), None)


ONLY_THE_ACTION = WORKFLOW.partition("      - name: Tell what changes")[0]


def test_a_pull_request_that_breaks_a_spec(runner: Runner) -> None:
    _commit(runner, "specs/quickstart.yaml", "train: 0.9", "train: 0.95")
    _commit(runner, "specs/second.yaml", "batch_size: 64", "batch_size: 32")
    outcomes = runner.run(WORKFLOW)
    assert [outcome.code for outcome in outcomes] == [0, 1, 0, 0]
    validate = outcomes[1]
    assert re.match(
        r"::error file=specs/quickstart\.yaml,line=\d+,col=\d+,endLine=\d+,endColumn=\d+,title=SF503::", validate.stdout
    )
    assert validate.stderr == "2 files: 1 error, 0 warnings\n"
    summary = runner.summary.read_text(encoding="utf-8")
    assert "### specforge: 1 error, 0 warnings in 2 files" in summary
    assert "(https://github.example/ada/nets/blob/abc123/specs/quickstart.yaml#L" in summary
    comment = (runner.temporary / "comments").read_text(encoding="utf-8").partition("\n")[2]
    assert "SF503" in comment  # what is broken is told beside what changes
    assert "batch_size" in comment
    assert summary.endswith(comment)


def test_nothing_is_told_where_nothing_can_be_compared(runner: Runner) -> None:
    runner.variables["GITHUB_BASE_REF"] = "nowhere"
    outcomes = runner.run(WORKFLOW)
    assert [(outcome.name, outcome.code) for outcome in outcomes[2:3]] == [("Tell what changes", 1)]
    assert "git has no revision `origin/nowhere`" in outcomes[2].stderr


def test_the_action_installs_itself_apart_from_the_job_s_python(runner: Runner) -> None:
    assert [outcome.code for outcome in runner.run(ONLY_THE_ACTION)] == [0, 0]
    installed = (runner.temporary / "installed").read_text().split()
    assert installed == ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    (folder,) = (runner.temporary / "path").read_text().split()
    assert sorted(file.name for file in Path(folder).iterdir()) == ["specforge"]


def test_a_warning_fails_where_it_is_strict(runner: Runner) -> None:
    _commit(runner, "specs/quickstart.yaml", "train: 0.9", "train: 0.5")
    outcomes = runner.run(ONLY_THE_ACTION)
    assert outcomes[-1].code == 1
    assert outcomes[-1].stdout.startswith("::warning file=specs/quickstart.yaml,")
    runner.outcomes.clear()
    assert runner.run(ONLY_THE_ACTION.replace('strict: "true"', 'strict: "false"'))[-1].code == 0


def test_every_input_of_the_action(runner: Runner) -> None:
    (runner.repository / "specs" / "odd name.yaml").write_text("covn: 3\n", encoding="utf-8")
    _commit(runner, "specs/quickstart.yaml", "train: 0.9", "train: 0.95")
    lines = ("paths: |", "  specs/second.yaml", "  specs/odd name.yaml", "changed-since: origin/main")
    inputs = "\n          ".join(lines)
    outcomes = runner.run(ONLY_THE_ACTION.replace("paths: specs", inputs))
    assert "file=specs/odd name.yaml," in outcomes[-1].stdout
    assert outcomes[-1].stderr.startswith("1 of 2 specs changed since origin/main\n")


def test_without_paths_the_settings_say_which(runner: Runner) -> None:
    (runner.repository / "specforge.yaml").write_text("paths: [specs/second.yaml]\n")
    outcomes = runner.run(ONLY_THE_ACTION.replace("          paths: specs\n", ""))
    assert (outcomes[-1].code, outcomes[-1].stderr) == (0, "1 file: no findings\n")


def test_later_steps_have_the_command_and_a_failing_one_is_the_last(runner: Runner) -> None:
    steps = "".join(f"      - run: {line}\n" for line in ("specforge validate specs --strict", "exit 4", "exit 5"))
    outcomes = runner.run(ONLY_THE_ACTION + steps)
    assert [outcome.code for outcome in outcomes] == [0, 0, 0, 4]


def test_what_is_installed_is_light() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [name for name in project["dependencies"] if name.startswith(("torch", "numpy", "matplotlib"))]


def test_a_pull_request_is_told_what_it_changes(runner: Runner) -> None:
    _commit(runner, "specs/quickstart.yaml", "batch_size: 64", "batch_size: 32")
    outcomes = runner.run(WORKFLOW)
    assert [(outcome.name, outcome.code) for outcome in outcomes[2:]] == [("Tell what changes", 0), ("Comment", 0)]
    assert "1 of 2 specs differ from origin/main" in outcomes[2].stderr
    command, _, comment = (runner.temporary / "comments").read_text(encoding="utf-8").partition("\n")
    body = runner.temporary / "changes.md"
    assert command == f"pr comment 7 --edit-last --create-if-none --body-file {body}"
    assert "quickstart" in comment
    assert "second" not in comment
    assert "batch_size" in comment
    assert runner.summary.read_text(encoding="utf-8").endswith(comment)


def test_a_pull_request_that_changes_no_meaning(runner: Runner) -> None:
    _commit(runner, "specs/quickstart.yaml", "batch_size: 64", "batch_size: 64    # as before")
    assert [outcome.code for outcome in runner.run(WORKFLOW)] == [0, 0, 0, 0]
    assert "batch_size" not in (runner.temporary / "comments").read_text(encoding="utf-8")


def test_a_fork_gets_no_comment_and_a_summary(runner: Runner) -> None:
    _commit(runner, "specs/quickstart.yaml", "batch_size: 64", "batch_size: 32")
    runner.contexts["github.event.pull_request.head.repo.full_name"] = "eve/nets"
    assert [outcome.name for outcome in runner.run(WORKFLOW)][-1] == "Tell what changes"
    assert not (runner.temporary / "comments").exists()
    assert "batch_size" in runner.summary.read_text(encoding="utf-8")

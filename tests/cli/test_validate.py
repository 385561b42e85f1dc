"""`specforge validate` with the settings of a project, in each format, and only what changed: as users run it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.cli.conftest import ROOT, Run

WARNED = "    - linear: 10\n    - softmax\n"  # SF509
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where these tests run in CI themselves, its summary is not theirs."""
    for name in ("GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, env=os.environ | GIT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def project(tiny: Path) -> Path:
    """A repository with a spec that warns, settings that list it, and a draft that is no spec."""
    folder = tiny.parent
    (folder / "specs" / "drafts").mkdir(parents=True)
    tiny.rename(folder / "specs" / "tiny.yaml")
    text = (folder / "specs" / "tiny.yaml").read_text()
    (folder / "specs" / "warned.yaml").write_text(text.replace("    - linear: 10\n", WARNED))
    (folder / "specs" / "drafts" / "draft.yaml").write_text("covn: 3\n")
    (folder / "specforge.yaml").write_text("paths: [specs]\nexclude: [drafts]\n")
    git(folder, "init", "-q", "-b", "main")
    return folder


def _settings(project: Path, more: str) -> None:
    (project / "specforge.yaml").write_text(f"paths: [specs]\nexclude: [drafts]\n{more}")


def test_without_paths_those_of_the_settings(specforge: Run, project: Path) -> None:
    done = specforge("validate", "--format", "concise", blocked=True)
    assert done.returncode == 0
    assert "warning[SF509]" in done.stdout
    assert done.stderr == "2 files: 0 errors, 1 warning\n"


def test_without_paths_and_settings_is_a_usage_error(specforge: Run, tiny: Path) -> None:
    done = specforge("validate")
    assert done.returncode == 2
    assert "list them under `paths:`" in " ".join(done.stderr.replace("│", " ").split())


def test_a_severity_decides_the_exit_code(specforge: Run, project: Path) -> None:
    _settings(project, "severities: {SF509: error}\n")
    done = specforge("validate", "--format", "concise")
    assert done.returncode == 1
    assert "specs/warned.yaml:13:7: error[SF509]" in done.stdout
    assert specforge("validate", "--no-settings", "specs/warned.yaml").returncode == 0


def test_an_ignored_warning_is_shown_with_its_reason(specforge: Run, project: Path) -> None:
    _settings(project, "ignore:\n  - {code: SF509, path: specs/w*, reason: the paper does it}\n")
    done = specforge("validate", "--strict")
    assert (done.returncode, done.stderr) == (0, "2 files: no findings (1 accepted with reason)\n")
    assert "accepted[SF509]" in done.stdout
    assert "  accepted by specforge.yaml:4:5: the paper does it\n" in done.stdout
    assert json.loads(specforge("validate", "--format", "json").stdout) == []


def test_an_unused_ignore_is_a_warning_once_all_is_validated(specforge: Run, project: Path) -> None:
    _settings(project, "ignore:\n  - {code: SF513, reason: once}\n")
    done = specforge("validate", "--format", "concise")
    assert done.stdout.startswith("specforge.yaml:4:5: warning[SF612]")
    assert "SF612" not in specforge("validate", "specs/tiny.yaml", "--format", "concise").stdout
    (project / "specs" / "tiny.yaml").write_text("covn: 3\n")  # its checks can't run
    assert "SF612" not in specforge("validate", "--format", "concise").stdout


def test_a_mistake_in_the_settings_is_shown_and_fails(specforge: Run, project: Path) -> None:
    (project / "specforge.yaml").write_text("pahts: [specs]\n")
    done = specforge("validate", "specs/tiny.yaml")
    assert done.returncode == 1
    assert done.stdout.startswith("specforge.yaml:1:1: error[SF301] the settings file has no `pahts`\n  1 | pahts:")
    assert done.stderr == "1 file: 1 error, 0 warnings\n"
    assert specforge("validate").returncode == 1
    assert specforge("validate", "specforge.yaml").returncode == 1


def test_the_settings_file_is_no_spec(specforge: Run, project: Path) -> None:
    done = specforge("validate", "specforge.yaml", "specs/tiny.yaml")
    assert (done.returncode, done.stderr) == (0, "1 file: no findings\n")
    assert specforge("validate", "*.yaml").returncode == 2  # no other file is there
    assert "SF211" in specforge("validate", "specforge.yaml", "--no-settings").stdout  # then it is a file like others


NOTHING = "0 files: nothing to validate, all are excluded by specforge.yaml:2\n"


def test_nothing_to_validate_is_said(specforge: Run, project: Path) -> None:
    (project / "specforge.yaml").write_text("paths: [specs]\nexclude: [specs]\n")
    _commit(project)
    for paths in ((), ("specs",), ("specs/*.yaml",), ("specs", "--changed-since", "HEAD")):
        done = specforge("validate", *paths)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.endswith(NOTHING)


def test_an_excluded_file_is_left_out_even_by_name(specforge: Run, project: Path) -> None:
    done = specforge("validate", "specs/drafts/draft.yaml")
    assert done.returncode == 0
    assert done.stderr == f"specs/drafts/draft.yaml: left out, as specforge.yaml:2:11 says\n{NOTHING}"
    assert specforge("validate", "specs/drafts/draft.yaml", "--no-settings").returncode == 1
    assert specforge("fmt", "--check", "specs").stderr.startswith("2 files")
    (project / "specforge.yaml").write_text("exclud: [drafts]\n")  # whom fmt leaves alone is not known
    refused = specforge("fmt", "specs")
    assert refused.returncode == 1
    assert refused.stderr.startswith("specforge.yaml:1:1: error[SF301]")


def test_settings_by_name(specforge: Run, project: Path) -> None:
    (project / "strict.yaml").write_text("severities: {SF509: error}\n")
    assert specforge("validate", "specs/warned.yaml", "--settings", "strict.yaml").returncode == 1
    assert specforge("validate", "specs/warned.yaml").returncode == 0
    assert specforge("validate", "specs", "--settings", "nowhere.yaml").returncode == 2
    assert specforge("validate", "specs", "--settings", "strict.yaml", "--no-settings").returncode == 2


def test_settings_are_shown_with_their_lines(specforge: Run, project: Path) -> None:
    _settings(project, "severities: {SF509: error}\nignore:\n  - {code: SF516, path: specs/w*, reason: so}\n")
    done = specforge("validate", "--show-settings", "specs/tiny.yaml")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "specs/tiny.yaml: settings of specforge.yaml",
        "  paths[0]          specs                  specforge.yaml:1",
        "  exclude[0]        drafts                 specforge.yaml:2",
        "  severities.SF509  error                  specforge.yaml:3",
        "  ignore[0]         SF516 in specs/w*: so  specforge.yaml:5",
    ]
    shown = json.loads(specforge("validate", "--show-settings", "--format", "json").stdout)
    assert [(one["path"], one["file"]) for one in shown] == [("-", str(project / "specforge.yaml"))]
    assert shown[0]["settings"][2:] == [
        {"key": "severities.SF509", "value": "error", "file": "specforge.yaml", "line": 3},
        {
            "key": "ignore[0]", "value": {"code": "SF516", "path": "specs/w*", "reason": "so"},
            "file": "specforge.yaml", "line": 5,
        },
    ]  # fmt: skip


def test_an_excluded_file_is_shown_as_excluded(specforge: Run, project: Path) -> None:
    draft, tiny = "specs/drafts/draft.yaml", "specs/tiny.yaml"
    shown = specforge("validate", "--show-settings", draft, tiny).stdout.splitlines()
    assert shown[:2] == [f"{draft}: settings of specforge.yaml", "  excluded: it is left out, as specforge.yaml:2 says"]
    assert sum("excluded:" in line for line in shown) == 1
    as_json = json.loads(specforge("validate", "--show-settings", "--format", "json", draft, tiny).stdout)
    assert [one["excluded_by"] for one in as_json] == ["specforge.yaml:2", None]


def test_defaults_are_shown_as_defaults(specforge: Run, project: Path) -> None:
    done = specforge("validate", "--show-settings", "--no-settings")
    assert done.stdout.startswith("the working folder: settings are off, as --no-settings says\n")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        [key, "none", "default"] for key in ("paths", "exclude", "severities", "ignore")
    ]


@pytest.mark.parametrize("format_", ["text", "concise", "json", "github", "sarif", "junit"])
def test_every_format_has_one_exit_code_and_can_go_to_a_file(specforge: Run, project: Path, format_: str) -> None:
    arguments = ("validate", "specs/drafts/draft.yaml", "--no-settings", "--format", format_)
    shown = specforge(*arguments, blocked=True)
    written = specforge(*arguments, "--output-file", "report")
    assert (shown.returncode, written.returncode, written.stdout) == (1, 1, "")
    assert "SF211" in shown.stdout
    assert (project / "report").read_text() == shown.stdout
    assert shown.stderr == written.stderr == "1 file: 1 error, 0 warnings\n"


def test_a_mistake_in_a_base_is_told_once(specforge: Run, project: Path) -> None:
    specs = project / "specs"
    for name in ("a_child", "child"):
        (specs / f"{name}.yaml").write_text(f"extends: warned.yaml\nname: {name}\nexpect: {{}}\n")
    (specs / "warned.yaml").write_text((specs / "warned.yaml").read_text().replace("- relu", "- rellu"))
    tally = "4 files: 1 error, 0 warnings\n"
    text = specforge("validate")
    assert text.stdout.count("error[SF304]") == 1
    assert "  also reaches: specs/a_child.yaml, specs/child.yaml\n" in text.stdout
    for format_ in ("concise", "github", "sarif"):
        done = specforge("validate", "--format", format_)
        assert (done.stdout.count("unknown layer or block"), done.stderr) == (1, tally)
    assert len(json.loads(specforge("validate", "--format", "json").stdout)) == 1
    assert specforge("validate", specs, "--format", "concise").stderr == tally  # a whole path names the same files
    assert text.stderr == tally
    # a test case stands for a file: those that can't be used fail
    assert Xml.fromstring(specforge("validate", "--format", "junit").stdout).get("failures") == "3"


def test_a_tab_is_shown(specforge: Run, project: Path) -> None:
    done = specforge("validate", "-", stdin="specforge: 1\nmodel:\n\tinput: 3\n")
    assert "\n  3 | →input: 3\n    | ^\n" in done.stdout


def test_strict_says_why_it_fails(specforge: Run, project: Path) -> None:
    assert specforge("validate", "--strict").stderr == "2 files: 0 errors, 1 warning (fails: --strict)\n"
    (project / "specs" / "tiny.yaml").write_text("specforge: 1\ncovn: 3\n")
    assert specforge("validate", "--strict").stderr == "2 files: 1 error, 1 warning\n"


def test_other_yaml_gets_one_finding(specforge: Run, project: Path) -> None:
    shutil.copy(ROOT / "action.yml", project / "action.yml")
    done = specforge("validate", ".", "--format", "concise")
    assert [line for line in done.stdout.splitlines() if line.startswith("action.yml")] == [
        "action.yml:1:1: error[SF211] no `specforge: 1`: this does not look like a spec; "
        "exclude it in specforge.yaml, or start it with `specforge: 1`"
    ]
    misspelt = specforge("validate", "-", "--format", "concise", stdin="specforg: 1\nmodle: {}\n")
    assert "did you mean `model`?" in misspelt.stdout


def test_strict_decides_what_fails_in_junit(specforge: Run, project: Path) -> None:
    failures = [
        Xml.fromstring(specforge("validate", "--format", "junit", *strict).stdout).get("failures")
        for strict in ((), ("--strict",))
    ]
    assert failures == ["0", "1"]


def _commit(project: Path, message: str = "x") -> None:
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", message)


CHILD = "extends: tiny.yaml\nname: child\nexpect: {}\n"


def test_changed_since_with_parents_settings_and_untracked_files(specforge: Run, project: Path) -> None:
    specs = project / "specs"
    (specs / "child.yaml").write_text(CHILD)
    _commit(project)
    same = specforge("validate", "--changed-since", "main", "--strict")
    assert (same.returncode, same.stdout) == (0, "")
    assert same.stderr == "0 of 3 specs changed since main\n0 files: no findings\n"

    (specs / "tiny.yaml").write_text((specs / "tiny.yaml").read_text() + "# grown\n")
    (specs / "new.yaml").write_text(CHILD.replace("child", "new"))
    changed = specforge("validate", "--changed-since", "main", "--format", "junit")
    assert changed.stderr.startswith("3 of 4 specs changed since main\n")
    names = [str(case.get("name")) for case in Xml.fromstring(changed.stdout).iter("testcase")]
    assert names == ["specs/child.yaml", "specs/new.yaml", "specs/tiny.yaml"]

    (specs / "tiny.yaml").unlink()
    gone = specforge("validate", "--changed-since", "HEAD", "--format", "concise")
    assert gone.returncode == 1
    assert gone.stderr.startswith("2 of 3 specs changed since HEAD\n")
    assert "`tiny.yaml` does not exist" in gone.stdout

    _commit(project)
    _settings(project, "# only a comment, and yet other settings\n")
    assert specforge("validate", "--changed-since", "HEAD").stderr.startswith("3 of 3 specs changed since HEAD\n")


def test_changed_since_the_work_left_a_branch(specforge: Run, project: Path) -> None:
    _commit(project)
    git(project, "switch", "-q", "-c", "work")
    (project / "specs" / "warned.yaml").write_text((project / "specs" / "tiny.yaml").read_text())
    _commit(project)
    git(project, "switch", "-q", "main")
    (project / "specs" / "tiny.yaml").write_text((project / "specs" / "tiny.yaml").read_text() + "# theirs\n")
    _commit(project)
    git(project, "switch", "-q", "work")
    assert specforge("validate", "--changed-since", "main").stderr.startswith("1 of 2 specs changed since main\n")


def test_changed_since_needs_no_settings(specforge: Run, project: Path) -> None:
    (project / "specforge.yaml").unlink()
    (project / "compose.yaml").write_text("services: {}\n")
    _commit(project)
    (project / "compose.yaml").write_text("services: {a: 1}\n")
    done = specforge("validate", "--changed-since", "main")
    assert (done.returncode, done.stderr) == (0, "0 of 2 specs changed since main\n0 files: no findings\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["specs", "--changed-since", "nowhere"], "git has no revision `nowhere`"),
        (["specs", "--changed-since", "--oops"], "`--oops` is not a revision"),
        ([str(ROOT / "specs" / "quickstart.yaml"), "--changed-since", "main"], "lies outside of the git repository"),
        (["-", "--changed-since", "main"], "standard input has no revisions"),
        (["specs", "--watch", "--changed-since", "nowhere"], "git has no revision `nowhere`"),
        (["--format", "xml"], "`xml` is not one of text, concise, json, github, sarif, junit"),
        (["--format", "jsn"], "junit; did you mean `json`?"),
        (["spces/*.yaml"], "spces/*.yaml: no file matches this pattern"),
        (["-", "--watch"], "standard input can't be watched"),
        (["specs", "--watch", "--format", "sarif"], "`sarif` is for programs"),
        (["--show-settings", "--format", "junit"], "settings are shown as text or json"),
    ],
)
def test_usage_errors(specforge: Run, project: Path, arguments: list[str], told: str) -> None:
    _commit(project)
    done = specforge("validate", *arguments)
    assert done.returncode == 2
    said = " ".join(done.stderr.replace("│", " ").split())
    assert told in said
    assert "Value error" not in said


def test_outside_of_a_repository_there_are_no_changes(specforge: Run, tiny: Path) -> None:
    for watch in ((), ("--watch",)):
        ceiling = {"GIT_CEILING_DIRECTORIES": str(tiny.parents[1])}
        done = specforge("validate", tiny, "--changed-since", "main", *watch, env=ceiling)
        assert done.returncode == 2
        assert "is in no git repository" in done.stderr

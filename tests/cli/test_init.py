"""`specforge init`: every template is right and canonical, and no file is lost."""

import shlex
from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.templates import NAMES, template
from tests.cli.conftest import Run


@pytest.mark.parametrize("name", NAMES)
def test_a_template_validates_without_findings(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(template(name).text, encoding="utf-8")
    analysis = analyse(file)
    assert [found.message for found in analysis.findings] == []
    spec, _ = analysis.require()
    assert spec.name == name
    assert spec.description == template(name).description
    assert spec.data is not None
    assert spec.train is not None
    assert spec.expect is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_canonical_and_narrow(name: str) -> None:
    text = template(name).text
    assert format_text(text, name, Findings()) == text
    assert text.startswith("# yaml-language-server: $schema=specforge-1.json\n")
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", NAMES)
def test_data_that_does_not_come_along_is_downloaded(name: str) -> None:
    assert template(name).needs_download == (name == "resnet")


def test_the_default_is_named_after_its_file(specforge: Run, tmp_path: Path) -> None:
    done = specforge("init", "lab3.yaml", blocked=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "wrote lab3.yaml",
        "  specforge validate lab3.yaml",
        "  specforge train lab3.yaml",
        "  specforge schema --output-file specforge-1.json    # for editors: they check and complete it then",
    ]
    text = (tmp_path / "lab3.yaml").read_text(encoding="utf-8")
    assert text == template("cnn").text.replace("\nname: cnn\n", "\nname: lab3\n")
    assert "\nname: lab3\n" in text
    assert specforge("validate", "--strict", "lab3.yaml", blocked=True).stderr == "1 file: no findings\n"


@pytest.mark.parametrize(
    ("path", "file", "name"),
    [
        (None, "mlp.yaml", "mlp"),
        ("first", "first.yaml", "first"),
        ("first.yml", "first.yml", "first"),
        ("new/folder/first", "new/folder/first.yaml", "first"),
        ("new/", "new/mlp.yaml", "mlp"),
        (".", "mlp.yaml", "mlp"),
        ("v1.5", "v1.5.yaml", "v1.5"),
        ("1", "1.yaml", '"1"'),
        ("my lab.yaml", "my lab.yaml", "my lab"),
    ],
)
def test_where_it_goes(specforge: Run, tmp_path: Path, path: str | None, file: str, name: str) -> None:
    done = specforge("init", "--template", "mlp", *([] if path is None else [path]))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / file).read_text(encoding="utf-8").splitlines()[2] == f"name: {name}"
    assert [found.message for found in analyse(tmp_path / file).findings] == []


def test_what_it_says_can_be_done(specforge: Run, tmp_path: Path) -> None:
    written, *steps = specforge("init", "new/my lab.yaml").stderr.splitlines()
    assert written == "wrote new/my lab.yaml"
    schema = specforge(*shlex.split(steps[-1], comments=True)[1:])
    assert schema.returncode == 0, schema.stderr
    modeline = (tmp_path / "new" / "my lab.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert (tmp_path / "new" / modeline.partition("$schema=")[2]).is_file()
    assert specforge(*shlex.split(steps[0])[1:]).returncode == 0


def test_a_file_is_replaced_only_on_request(specforge: Run, tmp_path: Path) -> None:
    file = tmp_path / "lab3.yaml"
    file.write_text("mine\n")
    refused = specforge("init", "lab3.yaml")
    assert (refused.returncode, file.read_text()) == (1, "mine\n")
    assert (
        refused.stderr == "error: lab3.yaml is already there\nhint: give another name, or replace it with `--force`\n"
    )
    assert specforge("init", "lab3.yaml", "--force").returncode == 0
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server")


def test_the_schema_that_is_there_is_used(specforge: Run, tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "specforge-1.json").write_text("{}")
    done = specforge("init", "specs/deep/lab3.yaml", "--template", "resnet")
    assert done.stderr.splitlines()[2:] == ["  specforge train specs/deep/lab3.yaml --download"]
    first, _, _ = (tmp_path / "specs" / "deep" / "lab3.yaml").read_text(encoding="utf-8").partition("\n")
    assert first == "# yaml-language-server: $schema=../../schema/specforge-1.json"


def test_list(specforge: Run) -> None:
    done = specforge("init", "--list", blocked=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["template", *NAMES]
    assert template("mlp").description in done.stdout


def test_stdout(specforge: Run, tmp_path: Path) -> None:
    done = specforge("init", "-", "--template", "resnet")
    assert (done.stdout, done.stderr) == (template("resnet").text, "")
    assert list(tmp_path.iterdir()) == []


def test_what_it_refuses(specforge: Run, tmp_path: Path) -> None:
    misspelt = specforge("init", "a.yaml", "--template", "resent")
    assert misspelt.returncode == 2
    assert "did you mean `resnet`?" in " ".join(misspelt.stderr.split())
    unnamed = specforge("init", "@.yaml")
    assert unnamed.returncode == 2
    assert "letters, digits" in " ".join(unnamed.stderr.split())
    (tmp_path / "file").write_text("")
    below_a_file = specforge("init", "file/a.yaml")
    assert below_a_file.returncode == 1
    assert "Traceback" not in below_a_file.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

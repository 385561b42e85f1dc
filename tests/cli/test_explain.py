"""`list`, `explain` and `schema`: what they print, in every format, where torch can't be imported."""

import json
from pathlib import Path

import pytest

from specforge.reference.topics import GROUPS, topics
from specforge.schema import to_json
from tests.cli.conftest import Run


def test_explain_a_layer(specforge: Run) -> None:
    done = specforge("explain", "dropout", blocked=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "dropout (layer)"
    assert "    dropout: 0.5" in lines
    assert lines[-2:] == ["argument  type                default", "p (main)  number ≥ 0 and < 1  0.5"]


def test_explain_a_key(specforge: Run) -> None:
    done = specforge("explain", "train.batch_size", blocked=True)
    assert done.stdout.splitlines() == [
        "train.batch_size (key)",
        "",
        "`batch_size` is the number of images in one step.",
        "",
        "whole number ≥ 1, required",
    ]


def test_explain_a_diagnostic_by_code_and_by_name(specforge: Run) -> None:
    by_code, by_name = (specforge("explain", name, blocked=True) for name in ("SF301", "unknown-key"))
    assert by_code.stdout == by_name.stdout
    assert by_code.stdout.startswith("SF301 unknown-key (error)\n\nA key or argument that does not exist here.")


def test_explain_a_name_of_several_families(specforge: Run) -> None:
    lines = specforge("explain", "constant", blocked=True).stdout.splitlines()
    assert [line for line in lines if line.startswith("constant (")] == [
        "constant (schedule)",
        "constant (initializer)",
    ]


@pytest.mark.parametrize(("name", "hint"), [("Conv2d", "specforge calls it `conv`"), ("cnov", "did you mean `conv`?")])
def test_an_unknown_name_is_a_usage_error_with_a_hint(specforge: Run, name: str, hint: str) -> None:
    done = specforge("explain", name, blocked=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"`{name}`: {hint}" in done.stderr


def test_explain_json(specforge: Run) -> None:
    (found,) = json.loads(specforge("explain", "max_pool", "--format", "json", blocked=True).stdout)
    assert list(found) == ["name", "family", "summary", "text", "arguments"]
    first = found["arguments"][0]
    assert (first["name"], first["main"], first["required"], first["default"]) == ("kernel_size", True, True, None)
    (key,) = json.loads(specforge("explain", "epochs", "--format", "json", blocked=True).stdout)[:1]
    assert (key["name"], key["type"], key["default"]) == ("train.epochs", "whole number ≥ 1", "none")


def test_explain_markdown(specforge: Run) -> None:
    text = specforge("explain", "dropout", "--format", "markdown", blocked=True).stdout
    assert text.startswith("# dropout\n\n")
    assert "\n```yaml\ndropout: 0.5\n```\n" in text
    assert "| **`p`** (main) | number ≥ 0 and < 1 | `0.5` |" in text


def test_list_has_every_name(specforge: Run) -> None:
    lines = specforge("list", blocked=True).stdout.splitlines()
    second = [topic.place if topic.group == "diagnostics" else topic.group for topic in topics()]
    assert [tuple(line.split()[:2]) for line in lines[1:]] == [
        (topic.name, after) for topic, after in zip(topics(), second, strict=True)
    ]


@pytest.mark.parametrize("group", GROUPS)
def test_list_one_family(specforge: Run, group: str) -> None:
    rows = json.loads(specforge("list", group, "--format", "json", blocked=True).stdout)
    assert [row["name"] for row in rows] == [topic.name for topic in topics() if topic.group == group]
    assert {row["family"] for row in rows} == {group}
    assert all(row["summary"] for row in rows)


def test_list_of_findings_has_their_names(specforge: Run) -> None:
    lines = specforge("list", "diagnostics").stdout.splitlines()
    assert any(line.split()[:3] == ["SF304", "unknown-word", "diagnostics"] for line in lines)
    (row,) = (
        row for row in json.loads(specforge("list", "diagnostics", "--format", "json").stdout) if row["name"] == "SF304"
    )
    assert row["rule"] == "unknown-word"


def test_list_markdown(specforge: Run) -> None:
    lines = specforge("list", "losses", "--format", "markdown", blocked=True).stdout.splitlines()
    assert lines[:2] == ["| name | family | what it is |", "| --- | --- | --- |"]
    assert lines[2].startswith("| `cross_entropy` | losses | ")


def test_list_of_an_unknown_family(specforge: Run) -> None:
    done = specforge("list", "optimisers")
    assert done.returncode == 2
    assert "did you mean `optimizers`?" in done.stderr


def test_schema_is_printed_or_written(specforge: Run, tmp_path: Path) -> None:
    printed = specforge("schema", blocked=True)
    assert (printed.returncode, printed.stdout) == (0, to_json())
    done = specforge("schema", "--output-file", "new/specforge-1.json", blocked=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "new" / "specforge-1.json").read_text(encoding="utf-8") == to_json()


def test_schema_into_a_place_that_cannot_be_written(specforge: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = specforge("schema", "--output-file", "file/specforge-1.json")
    assert done.returncode == 2
    assert "can't write file/specforge-1.json" in done.stderr

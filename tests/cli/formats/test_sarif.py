"""SARIF: the structure that the standard demands, and what code scanning makes of it."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specforge import __version__
from specforge.cli.formats.sarif import to_sarif
from specforge.cli.validation import Validated
from specforge.diagnostics import Span, Use
from tests.cli.formats.conftest import Validate, found, one_file

LAYERS = "    - covn: 32\n    - relu: {inplace: true}\n    - covn: 32\n"


def _run(validated: list[Validated]) -> dict[str, Any]:
    log = json.loads(to_sarif(validated))
    assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_a_result(validate: Validate) -> None:
    run = _run(validate(lab="    - covn: 32\n"))
    assert run["columnKind"] == "unicodeCodePoints"
    (result,) = run["results"]
    assert len(result.pop("partialFingerprints")["specforge/v1"]) > 32
    assert result == {
        "ruleId": "SF304",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "unknown layer or block `covn`\nHint: did you mean `conv`?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "lab.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 6, "startColumn": 7, "endLine": 6, "endColumn": 11},
                }
            }
        ],
    }
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("specforge", __version__)
    (rule,) = driver["rules"]
    assert (rule["id"], rule["name"], rule["defaultConfiguration"]) == ("SF304", "UnknownWord", {"level": "error"})
    assert rule["shortDescription"]["text"] == "No layer, block, optimizer, data set or other word of this name."
    assert "`specforge list` shows all of them" in rule["help"]["text"]


def test_results_point_to_their_rules(validate: Validate) -> None:
    run = _run(validate(lab=LAYERS, other="    - conv: {out_chanels: 3}\n"))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({rule["id"] for rule in rules})
    assert len(run["results"]) > 3
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_columns_count_characters(validate: Validate) -> None:
    run = _run(validate(lab="    - {id: 'ü😀', covn: 32}\n"))
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in run["results"]]
    assert {"startLine": 6, "startColumn": 18, "endLine": 6, "endColumn": 22} in regions


def _fingerprints(validated: list[Validated]) -> list[str]:
    return [result["partialFingerprints"]["specforge/v1"] for result in _run(validated)["results"]]


def test_fingerprints_stay_when_lines_move(validate: Validate) -> None:
    before = _fingerprints(validate(lab=LAYERS))
    assert len(set(before)) == len(before) == 3  # the same line twice is two
    assert _fingerprints(validate(lab="    # a comment\n    - relu\n" + LAYERS)) == before
    assert set(_fingerprints(validate(other=LAYERS))).isdisjoint(before)


def test_a_warning_taken_for_an_error_is_one(folder: Path) -> None:
    (result,) = _run(one_file(replace(found("odd", severity="warning"), judged="error")))["results"]
    assert result["level"] == "error"


def test_what_is_accepted_is_suppressed_with_its_reason(folder: Path) -> None:
    odd = found("odd", severity="warning")
    by_spec = replace(odd, accepted="the paper does it")
    by_project = replace(odd, message="too", accepted="we do", accepted_by=Span("specforge.yaml", 1, 1, 1, 2))
    results = _run(one_file(by_spec, by_project))["results"]
    assert [result["suppressions"] for result in results] == [
        [{"kind": "inSource", "justification": "the paper does it"}],
        [{"kind": "external", "justification": "we do"}],
    ]


def test_where_a_block_is_used(folder: Path) -> None:
    wrong = found("wrong")
    inner = Use("inner", Span("b.yaml", 9, 1, 9, 2, Use("outer", Span("c.yaml", 2, 1, 2, 2))))
    (result,) = _run(one_file(replace(wrong, span=wrong.span._replace(used_by=inner))))["results"]
    places = [
        (place["physicalLocation"]["artifactLocation"]["uri"], place["message"]["text"])
        for place in result["relatedLocations"]
    ]
    assert places == [("b.yaml", "used by block `inner`"), ("c.yaml", "used by block `outer`")]


def test_paths_are_uris(folder: Path) -> None:
    results = _run(one_file(found("x", file="my specs/50%.yaml"), found("x", file="/elsewhere/a b.yaml")))["results"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in results]
    assert places[0] == {"uri": "my%20specs/50%25.yaml", "uriBaseId": "%SRCROOT%"}
    assert places[1] == {"uri": "file:///elsewhere/a%20b.yaml"}


def test_what_is_no_file_has_no_location(folder: Path) -> None:
    (result,) = _run(one_file(found("wrong", file="--set")))["results"]
    assert (result["locations"], result["message"]["text"]) == ([], "--set:3:2: wrong")


def test_a_clean_run_has_no_results(validate: Validate) -> None:
    run = _run(validate(lab="    - flatten\n    - linear: 10\n"))
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


# properties that the standard has for each object, with those that it demands
_OBJECTS: dict[str, tuple[set[str], set[str]]] = {
    "run": ({"tool", "columnKind", "originalUriBaseIds", "results"}, {"tool"}),
    "rule": (
        {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"},
        {"id"},
    ),
    "result": (
        {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "relatedLocations"}
        | {"suppressions"},
        {"message"},
    ),
}


def _objects(run: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "run", run
    yield from (("rule", rule) for rule in run["tool"]["driver"]["rules"])
    yield from (("result", result) for result in run["results"])


def test_only_properties_of_the_standard(validate: Validate) -> None:
    for kind, value in _objects(_run(validate(lab=LAYERS))):
        known, required = _OBJECTS[kind]
        assert required <= set(value) <= known
    for result in _run(validate(lab=LAYERS))["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        assert all(isinstance(number, int) and number >= 1 for number in region.values())
        assert result["level"] in ("none", "note", "warning", "error")


def test_against_the_official_schema(validate: Validate) -> None:
    """The schema is OASIS's and can't be copied here: a copy of it is named by the variable."""
    schema = os.environ.get("SPECFORGE_SARIF_SCHEMA")
    if not schema:
        pytest.skip("SPECFORGE_SARIF_SCHEMA names no copy of sarif-schema-2.1.0.json")
    jsonschema = pytest.importorskip("jsonschema")
    accepted = one_file(
        replace(found("odd", severity="warning"), accepted="so"), found("wrong", file="-"), found("x", file="/a.yaml")
    )
    validator = jsonschema.Draft7Validator(json.loads(Path(schema).read_text(encoding="utf-8")))
    for validated in (validate(lab=LAYERS), [], accepted):
        assert list(validator.iter_errors(json.loads(to_sarif(validated)))) == []

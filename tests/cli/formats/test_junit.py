"""JUnit: the elements and attributes that its readers share, and every file a test case."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from specforge.cli.formats.junit import to_junit
from specforge.cli.validation import Validated
from tests.cli.formats.conftest import Validate, found, one_file

# as in the schema of Jenkins' xunit plugin (junit-10.xsd): what an element may hold, its attributes, those it must have
_COUNTS = {"name", "tests", "failures", "errors"}
_GRAMMAR: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, _COUNTS | {"time"}, set()),
    "testsuite": ({"testcase"}, _COUNTS | {"skipped", "time", "timestamp", "hostname"}, _COUNTS),
    "testcase": ({"failure", "system-out"}, {"name", "classname", "time"}, {"name"}),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def read(validated: list[Validated], *, strict: bool = False) -> Xml.Element:
    root = Xml.fromstring(to_junit(validated, strict=strict))
    for element in root.iter():
        children, attributes, required = _GRAMMAR[element.tag]
        assert {child.tag for child in element} <= children
        assert required <= set(element.attrib) <= attributes
    return root


def _cases(root: Xml.Element) -> dict[str, list[str]]:
    return {case.get("name", ""): [str(failure.get("message")) for failure in case] for case in root.iter("testcase")}


def test_a_file_is_a_test(validate: Validate) -> None:
    root = read(validate(good="    - flatten\n    - linear: 10\n", bad="    - covn: 3\n    - reluu\n"))
    assert root.attrib == {"name": "specforge validate", "tests": "2", "failures": "1", "errors": "0"}
    good, bad = root.iter("testcase")
    assert (good.get("name"), good.get("classname"), len(good)) == ("good.yaml", "specforge.validate", 0)
    assert [child.tag for child in bad] == ["failure", "failure", "system-out"]
    assert bad[0].attrib == {"type": "SF304", "message": "unknown layer or block `covn`"}
    assert bad[0].text == "bad.yaml:6:7: error[SF304] unknown layer or block `covn`; did you mean `conv`?"
    assert (bad[2].text or "").splitlines()[:4] == [
        "bad.yaml:6:7: error[SF304] unknown layer or block `covn`",
        "  6 |     - covn: 3",
        "    |       ^^^^",
        "  hint: did you mean `conv`?",
    ]


def test_warnings_fail_only_when_strict(folder: Path) -> None:
    warned = one_file(found("odd", severity="warning"))
    (case,) = read(warned).iter("testcase")
    assert [child.tag for child in case] == ["system-out"]
    (case,) = read(warned, strict=True).iter("testcase")
    assert [child.tag for child in case] == ["failure", "system-out"]


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x1b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_can_not_hold_is_written_out(folder: Path, character: str) -> None:
    (message,) = _cases(read(one_file(found(f"a{character}b"))))["lab.yaml"][:1]
    assert message == f"a\\x{ord(character):02x}b"


def test_markup_is_text(folder: Path) -> None:
    text = "<a href=\"x\"> & ]]> 'b' \t ü 😀"
    (message,) = _cases(read(one_file(found(text))))["lab.yaml"][:1]
    assert message == text


def test_colours_stay_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from specforge.cli import console

    monkeypatch.setattr(console, "_mode", "always")
    assert "\\x1b" not in to_junit(one_file(found("wrong")), strict=False)


def test_nothing_validated(folder: Path) -> None:
    assert read([]).get("tests") == "0"

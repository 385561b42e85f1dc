"""Findings -> JUnit's XML, as GitLab, Jenkins and others read it: every file is a test case, which errors fail.

A failing file has a `failure` for each error (with `--strict` for each warning, too). All that is said about it, with
the lines that are meant, is its output: Jenkins shows the first failure only. Warnings alone are output of a test that
passes.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from specforge.cli.findings import as_text, concise
from specforge.cli.validation import Validated
from specforge.diagnostics import Diagnostic

SUITE = "specforge validate"
# what a document of XML 1.0 can't hold, not even escaped
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(validated: Sequence[Validated], *, strict: bool) -> str:
    """A document with one suite."""
    failing = [_failures(file, strict) for file in validated]
    counts = {"tests": str(len(validated)), "failures": str(sum(map(bool, failing))), "errors": "0"}
    suites = Xml.Element("testsuites", {"name": SUITE, **counts})
    suite = Xml.SubElement(suites, "testsuite", {"name": SUITE, **counts, "skipped": "0"})
    for file, failures in zip(validated, failing, strict=True):
        case = Xml.SubElement(suite, "testcase", {"classname": "specforge.validate", "name": _legal(file.name)})
        for found in failures:
            about = {"type": found.code, "message": _legal(found.message + found.context())}
            Xml.SubElement(case, "failure", about).text = _legal(concise(found))
        if file.open:
            Xml.SubElement(case, "system-out").text = _legal(
                "\n".join(as_text(found, file.texts) for found in file.open)
            )
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, encoding="unicode")


def _failures(file: Validated, strict: bool) -> list[Diagnostic]:
    return [found for found in file.open if strict or found.severity == "error"]


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda letter: f"\\x{ord(letter[0]):02x}", text)

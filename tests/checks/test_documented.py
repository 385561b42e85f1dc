"""Every check in the documentation's table, as it is."""

import re
from pathlib import Path

import specforge.analysis  # noqa: F401  defines all rules
from specforge.diagnostics import RULES

LANGUAGE = Path(__file__).parents[2] / "docs" / "language.md"
ROW = re.compile(r"^\| (SF5\d\d) \| `([\w-]+)` \| (error|warning) \| ", re.MULTILINE)


def test_the_table_of_checks() -> None:
    rows = ROW.findall(LANGUAGE.read_text(encoding="utf-8"))
    assert rows == sorted((rule.code, rule.name, rule.severity) for rule in RULES.values() if rule.code[:3] == "SF5")

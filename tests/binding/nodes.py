"""Texts bound to one class, for the tests of this room."""

from textwrap import dedent
from typing import Any

from specforge.binding import Binder
from specforge.catalog.definition import Optimizer, Section
from specforge.diagnostics import Findings
from specforge.recipe import Train
from specforge.source import Node, parse


def node_of(text: str) -> Node:
    findings = Findings()
    node = parse(dedent(text), "a.yaml", findings)
    assert node is not None, [found.message for found in findings]
    return node


def bound(text: str, kind: type[Section] = Train, **options: Any) -> tuple[Section | None, list[str]]:
    findings = Findings()
    section = Binder(findings, **options).section(node_of(text), kind, "it")
    return section, [f"{f.span.line}:{f.span.column} {f.code} {f.message}" for f in findings]


def word(text: str, family: type[Any] = Optimizer) -> tuple[Any, list[tuple[str, str | None]]]:
    findings = Findings()
    return Binder(findings).word(node_of(text), family), [(f.message, f.hint) for f in findings]


def items(text: str, **options: Any) -> tuple[Any, list[str]]:
    findings = Findings()
    return Binder(findings, **options).items(node_of(text), "`layers`"), [f.message for f in findings]

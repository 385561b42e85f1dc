"""Values by key -> a frozen object of one class, or findings in the words of people at the values themselves."""

from collections.abc import Mapping as Names
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from specforge.binding import wording
from specforge.binding.annotations import held
from specforge.catalog.definition import Section
from specforge.diagnostics import Findings, Span, define
from specforge.source import Entry, Mapping, Node, Sequence

WRONG_VALUE = define(
    "SF303",
    "wrong-value",
    """
A value has the wrong type or lies outside its range. Specs are YAML 1.2: `no`, `yes`, `on`, `off` are text (write
`false`, `true`), `1_000` is text (write `1000`), `1e-3` is a number, and a quoted number is text.""",
)

_SectionT = TypeVar("_SectionT", bound=Section)


@dataclass(frozen=True, slots=True)
class Written(Generic[_SectionT]):
    """What a user wrote for one class: its `entries`, `at` the key, and `place`, its name in messages."""

    at: Span
    entries: Names[str, Entry]
    kind: type[_SectionT]
    place: str


@dataclass(slots=True)
class _Wrong:
    """What one value was expected to be, by each arm of a union."""

    node: Node
    expected: list[str] = field(default_factory=list)
    absent: int = 0


def validated(
    written: Written[_SectionT], values: dict[str, Any], broken: bool, findings: Findings
) -> _SectionT | None:
    """The object of the written class with these values; None after a finding, or if it was `broken` before."""
    try:
        bound = written.kind.model_validate(values)
    except ValidationError as error:
        _report(error, written, broken, findings)
        return None
    return None if broken else bound


def is_short(entry: Entry) -> bool:
    """Whether an argument was given without its name, as in `dropout: 0.5`."""
    return entry.key == entry.value.span


def _report(error: ValidationError, written: Written[Any], broken: bool, findings: Findings) -> None:
    """Pydantic's errors, those of one value joined to one sentence."""
    wrong: dict[tuple[Any, ...], _Wrong] = {}
    rules: list[str] = []
    for detail in error.errors(include_url=False):
        path, node = _locate(detail["loc"], written.entries)
        if detail["type"] == "missing" and len(detail["loc"]) == 1:
            continue  # a key, told already
        if node is None:  # a rule about several arguments
            rules += wording.expected(detail)
            continue
        found = wrong.setdefault(path, _Wrong(node))
        if detail["type"] == "missing":
            found.absent += 1
        else:
            found.expected += [text for text in wording.expected(detail) if text not in found.expected]
    # a mistake deep inside says which arm of a union was meant
    above = {path[:length] for path in wrong for length in range(len(path))}
    for path in [path for path in wrong if path not in above]:
        _report_value(path, wrong[path], written, findings)
    for rule in rules if not (broken or wrong) else ():
        _report_rule(rule, written, findings)


def _report_value(path: tuple[Any, ...], wrong: _Wrong, written: Written[Any], findings: Findings) -> None:
    """`p` of `dropout` must be less than 1, found `1.5`."""
    node, arms = wrong.node, held(written.kind.model_fields[path[0]].annotation) if len(path) == 1 else ()
    expected = list(wrong.expected)
    if wrong.absent and isinstance(node, Sequence):
        expected = [f"a list of {len(node.items) + wrong.absent}"]
    if any(arm.kind == "items" for arm in arms):
        expected = ["a list of layers" if text == "a list" else text for text in expected]
    wanted, _, hint = wording.listed(expected, "or").partition("; ")
    name = f"`{'.'.join(str(step) for step in path if isinstance(step, str))}`"
    name += f" of {written.place}" if is_short(written.entries[path[0]]) else ""
    told = wording.value_hint(node, wanted)
    sections = [arm.type for arm in arms if arm.kind == "section" and arm.type is not None and not arm.levels]
    if "a mapping" in expected and sections:
        instead = wording.section_hint(sections[0], node, str(path[0]))
        told = told if told is not None and instead.startswith("its keys") else instead
    if isinstance(node, Mapping) and any(arm.levels == 1 and arm.kind != "items" for arm in arms):
        told = "start each of its entries with `- `"
    hint = told or hint
    findings.add(WRONG_VALUE, node.span, f"{name} must be {wanted}, found {wording.found(node)}", hint or None)


def _report_rule(rule: str, written: Written[Any], findings: Findings) -> None:
    """A rule about several arguments, at the first one that it names; `; ` leads to its hint."""
    message, _, hint = rule.partition("; ")
    named = [name for name in wording.names_in(message) if name in written.entries]
    span = written.entries[named[0]].value.span if named else written.at
    text = f"{written.place} {message}" if message.startswith("needs ") else f"{written.place}: {message}"
    findings.add(WRONG_VALUE, span, text, hint or None)


def _locate(location: tuple[int | str, ...], entries: Names[str, Entry]) -> tuple[tuple[Any, ...], Node | None]:
    """The deepest node that an error's location reaches; steps that name a union's arm are passed over."""
    if not location or location[0] not in entries:
        return (), None
    path: tuple[Any, ...] = (location[0],)
    node = entries[str(location[0])].value
    for step in location[1:]:
        if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            path, node = (*path, step), node.items[step]
        elif isinstance(node, Mapping) and step in node.entries:
            path, node = (*path, step), node.entries[str(step)].value
    return path, node

"""A pattern -> layers with `$names`, and the values of each name: what becomes a block's params or a repeat's lists.

    conv: {out_channels: Slot(64, 128), padding: Slot(1, 1)}      conv: {out_channels: $out_channels, padding: 1}
    conv: {out_channels: Slot(256, 512)}                      ->  conv: {out_channels: $(4 * out_channels)}
                                                                  out_channels: (64, 128)

Slots of equal values share a name. A width that is always the same multiple of another is written so, and so are a
padding of half a kernel and groups of a fixed width.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from specforge.importing.patterns import ANYTHING, CHOSEN, Slot, filled, slots_of
from specforge.importing.tree import Nodes

WIDTHS = ("out_channels", "out_features", "channels")
_OF_WIDTH = (*WIDTHS, "start", "stop")
MULTIPLES = range(2, 9)


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over several slots: `{0} if index == 0 else {1}`."""

    text: str
    parts: tuple[Any, ...]  # Slots


@dataclass
class Variable:
    """One name, its values, and the slots that it stands for."""

    values: tuple[Any, ...]
    slots: list[Slot]
    name: str = ""
    base: "Variable | None" = None
    derived: str = ""  # its expression over the base, without `$(…)`

    def is_free(self, number: int) -> bool:
        """Whether a value does not matter, as all its layers are missing there."""
        return all(slot.values[number] is ANYTHING for slot in self.slots)

    @property
    def slot(self) -> Slot:
        """The slot that says best what it is."""
        return next((slot for slot in self.slots if slot.argument in WIDTHS), self.slots[0])

    @property
    def text(self) -> str:
        return f"${self.name}" if not self.derived else f"$({self.derived})"

    @property
    def operand(self) -> str:
        """How it stands inside an expression."""
        return self.name if not self.derived else f"({self.derived})"

    @property
    def family(self) -> str:
        return _family(self.slot)


def _family(slot: Slot) -> str:
    return "width" if slot.argument in _OF_WIDTH else slot.argument


def named(pattern: Nodes, arriving: Sequence[int] = ()) -> tuple[Nodes, dict[str, Variable]]:
    """The pattern with names in place of what differs, and the variables by name.

    `arriving` are the channels that each list reads: the width of layers that a list lacks, as nothing widens there.
    """
    variables: list[Variable] = []
    values: dict[int, Any] = {}
    owner: dict[int, Variable] = {}
    slots = [part for slot in slots_of(pattern) for part in _parts(slot)]
    for slot in sorted(slots, key=lambda slot: ANYTHING in slot.values):  # what is known in full comes first
        _enter(slot, arriving, variables, values, owner)
    places = {id(slot): number for number, slot in enumerate(slots)}
    variables.sort(key=lambda variable: min(places[id(slot)] for slot in variable.slots))
    _derive(variables)
    widths = [slot for slot in slots if slot.argument in WIDTHS and slot.word != "squeeze_excite"]
    _name([variable for variable in variables if not variable.derived], widths[-1] if widths else None)
    _express(variables)
    for slot in slots_of(pattern):
        if id(slot) in owner:
            values[id(slot)] = owner[id(slot)].text
        elif isinstance(slot.values[0], Formula):
            values[id(slot)] = _expression(slot.values[0], owner, values)
    return filled(pattern, values), {each.name: each for each in variables if not each.derived}


def _enter(
    slot: Slot, arriving: Sequence[int], variables: list[Variable], values: dict[int, Any], owner: dict[int, Variable]
) -> None:
    """Note one slot: a constant, part of a variable that is there, or a new one."""
    if not slot.known or slot.is_constant:
        values[id(slot)] = slot.known[0] if slot.known else ANYTHING
        return
    completed = _completed(slot, arriving)
    for variable in variables:
        if variable.family == _family(slot) and _agree(variable, slot, completed):
            variable.slots.append(slot)
            owner[id(slot)] = variable
            return
    variables.append(Variable(completed, [slot]))
    owner[id(slot)] = variables[-1]


def _parts(slot: Slot) -> list[Slot]:
    """The slots that a formula is about, or the slot itself."""
    found = slot.values[0]
    return list(found.parts) if isinstance(found, Formula) else [slot]


def _agree(variable: Variable, slot: Slot, completed: Sequence[Any]) -> bool:
    """Whether a slot can have a variable's values; where it has none of its own, any will do."""
    if slot.argument not in WIDTHS:
        completed = [a if b is ANYTHING else b for a, b in zip(variable.values, slot.values, strict=True)]
    return json.dumps(variable.values) == json.dumps(completed)


def _completed(slot: Slot, arriving: Sequence[int]) -> tuple[Any, ...]:
    """The values, with something in place of those that do not matter."""
    if slot.argument in WIDTHS and arriving:
        return tuple(arriving[i] if value is ANYTHING else value for i, value in enumerate(slot.values))
    counted = max(slot.known, key=slot.known.count)
    return tuple(counted if value is ANYTHING else value for value in slot.values)


def _derive(variables: list[Variable]) -> None:
    """Write widths, paddings and groups by others where a single rule gives all their values."""
    widths = sorted((each for each in variables if each.family == "width"), key=lambda each: sum(each.values))
    for number, variable in enumerate(widths):
        for base in widths[:number]:
            factor = _quotient(variable.values, base.values)
            if not base.derived and factor in MULTIPLES:
                variable.base, variable.derived = base, f"{factor} * {{0}}"
                break
    for variable in variables:
        if variable.family == "padding":
            bases = [each for each in variables if each.family == "kernel_size"]
            _write_by(variable, bases, lambda size: size // 2 if isinstance(size, int) else None, "{0} // 2")
        if variable.family == "groups":
            for base in widths:
                share = _quotient(base.values, variable.values)
                if share is not None and not base.derived and not variable.derived:
                    variable.base, variable.derived = base, f"{{0}} // {share}"


def _write_by(variable: Variable, bases: list[Variable], rule: Any, text: str) -> None:
    for base in bases:
        if not variable.derived and [rule(value) for value in base.values] == list(variable.values):
            variable.base, variable.derived = base, text


def _quotient(values: Sequence[Any], others: Sequence[Any]) -> int | None:
    """The whole number by which all of the first are the second's multiples."""
    if not all(isinstance(value, int) and value > 0 for value in (*values, *others)):
        return None
    found = {value / other for value, other in zip(values, others, strict=True)}
    return int(found.pop()) if len(found) == 1 and next(iter(found)).is_integer() else None


def _express(variables: list[Variable]) -> None:
    for variable in variables:
        if variable.base is not None:
            variable.derived = variable.derived.format(variable.base.name)


def _name(variables: list[Variable], last: Slot | None) -> None:
    """Names that say what each is: the argument's where it is the only one, else with the place that it comes from.

    `last` is the width that leaves; one that is another's is no `out_channels`.
    """
    taken: set[str] = set()
    for variable in variables:
        rivals = [each for each in variables if _plain_name(each) == _plain_name(variable)]
        name = _plain_name(variable)
        if len(rivals) > 1 and (variable is not rivals[-1] or len(rivals) > 3):
            name = _placed_name(variable, rivals)
        elif name == "out_channels" and last is not None and not any(slot is last for slot in variable.slots):
            name = "channels"
        while name in taken:
            name = f"{name}_2" if not re.search(r"_\d+$", name) else re.sub(r"\d+$", lambda m: str(int(m[0]) + 1), name)
        taken.add(name)
        variable.name = name


def _plain_name(variable: Variable) -> str:
    slot = variable.slot
    if slot.argument == "when":
        return "expands" if slot.word in ("conv", "sequential") else f"has_{slot.word}"
    if slot.word == "squeeze_excite" and slot.argument == "channels":
        return "squeezed"
    return {"out_features": "out_channels", "times": "depth"}.get(slot.argument, slot.argument)


def _placed_name(variable: Variable, rivals: list[Variable]) -> str:
    slot = variable.slot
    parts = slot.place.split(".") if "." in slot.place else []
    others = [each.slot.place.split(".") for each in rivals]
    inside = 0
    while len(parts) > inside + 1 and all(len(each) > inside + 1 and each[inside] == parts[inside] for each in others):
        inside += 1
    words = [part for part in parts[inside:] if part]
    plain = _plain_name(variable).removeprefix("out_")
    if words and re.match(r"[A-Za-z]", words[0]):
        return re.sub(r"\W", "_", "_".join(words if _family(slot) == "width" else [*words, plain]).lower())
    return f"hidden_{plain}" if _family(slot) == "width" else f"{slot.word}_{plain}".replace(CHOSEN, "first")


def _expression(formula: Formula, owner: dict[int, Variable], values: dict[int, Any]) -> str:
    parts = [owner[id(part)].operand if id(part) in owner else literal(values[id(part)]) for part in formula.parts]
    return f"$({formula.text.format(*parts).replace('(0 + index)', 'index')})"


def literal(value: Any) -> str:
    """A value as an expression writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else repr(value)

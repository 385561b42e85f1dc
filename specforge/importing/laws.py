"""The values that an argument has in the iterations of stages -> one rule that gives them.

    stage 1: 2, 1, 1      stage 2: 2, 1        $(2 if index == 0 else 1)
    stage 1: 0, 3, 0, 3   stage 2: 0, 3        $(3 * (index % 2))
    drop_path, of 17 blocks: 0.0, 0.0059, …    $(0.1 * (blocks_before + index) / 17)

What differs from stage to stage in a rule is a slot of its own, of which a repeat over the stages makes a list. A rule
is only taken where it gives every value exactly; a value that does not matter fits any rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from specforge.importing.naming import Formula
from specforge.importing.patterns import ANYTHING, Slot
from specforge.importing.tree import Nodes, everything


@dataclass(frozen=True, slots=True)
class Series:
    """The values of an argument in the iterations of a stage, in turn."""

    values: tuple[Any, ...]

    @property
    def known(self) -> list[Any]:
        return [value for value in self.values if value is not ANYTHING]

    @property
    def later(self) -> "Series":
        """All but the first."""
        return Series(self.values[1:])

    @property
    def is_constant(self) -> bool:
        return len({repr(value) for value in self.known}) <= 1

    @property
    def value(self) -> Any:
        """The value of a constant series."""
        return self.known[0] if self.known else ANYTHING


@dataclass(frozen=True, slots=True)
class Steps:
    """Values that grow through the network, as stochastic depth's: `top * n / count` for its nth block."""

    top: float
    count: int

    def number(self, value: float) -> int | None:
        """Which block a value belongs to; None where no block has it."""
        n = round(value * self.count / self.top)
        return n if self.top * n / self.count == value else None

    def before(self, series: Series) -> Any:
        """How many blocks lie before a stage whose values rise in steps; None where they do not."""
        if not series.known:
            return ANYTHING
        numbers = [(self.number(value), at) for at, value in enumerate(series.values) if value is not ANYTHING]
        found = {None if number is None else number - at for number, at in numbers}
        return found.pop() if len(found) == 1 else None


def with_laws(pattern: Nodes, steps: Steps | None) -> Nodes | None:
    """A pattern of stages with one formula for all series of each argument; None where no law gives them."""
    result = []
    for node in pattern:
        arguments = {
            name: law(slot, steps) if isinstance(slot, Slot) else slot for name, slot in node.arguments.items()
        }
        regions = {name: with_laws(items, steps) for name, items in node.regions.items()}
        whole = {name: items for name, items in regions.items() if items is not None}
        if None in arguments.values() or len(whole) < len(regions):
            return None
        result.append(replace(node, arguments=arguments, regions=whole))
    return tuple(result)


def law(slot: Slot, steps: Steps | None) -> Slot | None:
    """One rule for all series of a slot; None where there is none."""
    if any(isinstance(value, str) and value.startswith("$") for value in slot.values) and not slot.is_constant:
        return None  # an expression, which means something inside its own repeat
    if not any(isinstance(value, Series) for value in slot.values):
        return slot
    series = [value if isinstance(value, Series) else Series((value,)) for value in slot.values]
    found = _stepwise(slot, series, steps) if slot.argument == "drop_path" and steps is not None else None
    if found is None and all(each.is_constant for each in series):
        found = replace(slot, values=tuple(each.value for each in series))
    return found or _first_apart(slot, series) or _every_second(slot, series)


def _formula(slot: Slot, text: str, *parts: Slot) -> Slot:
    return replace(slot, values=(Formula(text, parts),))


def _stepwise(slot: Slot, series: Sequence[Series], steps: Steps) -> Slot | None:
    before = [steps.before(each) for each in series]
    if None in before:
        return None
    counted = _counted(before, [len(each.values) for each in series])
    part = replace(slot, values=tuple(counted), argument="blocks_before")
    return _formula(slot, f"{steps.top} * ({{0}} + index) / {steps.count}", part)


def _counted(before: Sequence[Any], lengths: Sequence[int]) -> list[Any]:
    """Numbers of blocks before each stage; where no block says it, from the stage before or behind."""
    found = list(before)
    for number in range(1, len(found)):
        if found[number] is ANYTHING and found[number - 1] is not ANYTHING:
            found[number] = found[number - 1] + lengths[number - 1]
    for number in reversed(range(len(found) - 1)):
        if found[number] is ANYTHING and found[number + 1] is not ANYTHING:
            found[number] = max(found[number + 1] - lengths[number], 0)
    return found


def _first_apart(slot: Slot, series: Sequence[Series]) -> Slot | None:
    """The first iteration has one value, all others another."""
    if not all(each.later.is_constant for each in series):
        return None
    first, later = [each.values[0] for each in series], [each.later.value for each in series]
    rest = replace(slot, values=tuple(later))
    if rest.known and not rest.is_constant:  # a stage of one iteration has no others
        later = [a if b is ANYTHING else b for a, b in zip(first, later, strict=True)]
        rest = replace(slot, values=tuple(later), argument=f"later_{slot.argument}")
    usual = Series(tuple(first)).value  # where the first does not matter, as in a block that has no such layer
    first = [usual if value is ANYTHING else value for value in first]
    if usual is ANYTHING:
        return rest
    return _formula(slot, "{0} if index == 0 else {1}", replace(slot, values=tuple(first)), rest)


def _every_second(slot: Slot, series: Sequence[Series]) -> Slot | None:
    """0 and a number in turn, as the shift of windows."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for each in series for value in each.known):
        return None
    if any(value not in (0, ANYTHING) for each in series for value in each.values[::2]):
        return None
    second = [Series(each.values[1::2]) for each in series]
    if not all(each.is_constant for each in second):
        return None
    return _formula(slot, "{0} * (index % 2)", replace(slot, values=tuple(each.value for each in second)))


def steps_of(nodes: Nodes) -> Steps | None:
    """The steps in which drop paths grow through the network, if they do."""
    given = [node.arguments["drop_path"] for node in everything(nodes) if "drop_path" in node.arguments]
    values = {value for each in given for value in (each.known if isinstance(each, Series) else [each])}
    return _found_steps(tuple(sorted(value for value in values if isinstance(value, float))))


@lru_cache(maxsize=16)
def _found_steps(values: tuple[float, ...]) -> Steps | None:
    if len([value for value in values if value]) < 2:
        return None
    tops = [percent / 100 for percent in range(95, 0, -5) if percent / 100 >= values[-1]]
    candidates = (Steps(top, count) for count in range(2, 201) for top in tops)
    return next((each for each in candidates if all(each.number(value) is not None for value in values)), None)

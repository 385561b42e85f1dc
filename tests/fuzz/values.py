"""Values for the fields of a class, as its annotations allow them: what a spec would say, and what a class would get.

    Sgd  ->  {"lr": 0.1, "momentum": 0.9}, Sgd(lr=0.1, momentum=0.9)

What a class's own rules refuse is drawn anew some times, so that most of what comes out is right.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from specforge.catalog.definition import Definition, Item, Section
from specforge.catalog.discovery import definition, index
from tests.fuzz.corpus import Tree

MAX_TRIES = 12
MAX_NESTING = 8
GIVEN = 0.3
EXTREME = 0.03
EXTREMES = (0, 1e-37, 1e18, 1e-12, 255, 10**6, 2**31, 1 - 1e-16, 1 + 1e-15)


class Made(NamedTuple):
    """A value as it is written, and as a class gets it; `bound` is None for a word or section that is not right."""

    written: Any
    bound: Any


def _relu() -> list[Any]:
    return ["relu"]


@dataclass(slots=True)
class Maker:
    """Draws values. `region` gives lists of layers; `names` are words of the network, by the key that they fit in."""

    random: Random
    region: Callable[[], list[Any]] = _relu
    names: dict[str, list[Any]] = field(default_factory=dict)
    nesting: int = 0

    def word(self, family: str, kind: type[Section] = Definition) -> Made:
        """A word of a family with arguments, in any of its forms."""
        words = [word for word in index(family) if issubclass(definition(family, word) or object, kind)]
        word = self.random.choice(words)
        found = definition(family, word)
        assert found is not None
        arguments, bound = self.section(found)
        short = self.shortened(found, arguments)
        return Made({word: short} if short != {} else word, bound)

    def shortened(self, kind: type[Definition], arguments: Tree) -> Any:
        """The short form `dropout: 0.5` at times, where the main argument alone is given."""
        if kind.main is not None and list(arguments) == [kind.main] and self.random.random() < 0.7:
            return arguments[kind.main]
        return arguments

    def section(self, kind: type[BaseModel], *, leave_out: tuple[str, ...] = (), tries: int = MAX_TRIES) -> Made:
        """A section that its class takes, unless all tries fail."""
        made = Made({}, None)
        for _ in range(tries if self.nesting < 4 else 1):
            self.nesting += 1
            made = self.arguments(kind, leave_out=leave_out)
            self.nesting -= 1
            try:
                return Made(made.written, kind.model_validate(made.bound))
            except ValidationError:
                continue
            except ArithmeticError:  # a bug of a rule: analysing the spec will meet it
                break
        return Made(made.written, None)

    def arguments(self, kind: type[BaseModel], *, leave_out: tuple[str, ...] = ()) -> Made:
        """The required fields of a class and some of the others."""
        written, bound = {}, {}
        for name, info in kind.model_fields.items():
            if name not in leave_out and (info.is_required() or self.random.random() < GIVEN):
                limits = {type(limit).__name__: limit for limit in info.metadata}
                written[name], bound[name] = self.field(kind, name, info.annotation, limits)
        return Made(written, bound)

    def field(self, kind: type[BaseModel], name: str, annotation: Any, limits: dict[str, Any]) -> Made:
        known = self.names.get(f"{kind.__name__}.{name}")
        if known and self.random.random() < 0.95:
            return _both(self.random.choice(known))
        return self.value(annotation, limits)

    def value(self, annotation: Any, limits: dict[str, Any] | None = None) -> Made:
        """A value of any annotation; `limits` are what is said of it beside its type."""
        limits = limits or {}
        origin, inside = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.value(inside[0], {**limits, **_limits(inside[1:])})
        if origin is Literal:
            return _both(self.random.choice(inside))
        if origin in (Union, types.UnionType):
            weights = [1 if get_origin(arm) is Literal or arm is type(None) else 3 for arm in inside]
            return self.value(self.random.choices(inside, weights)[0], limits)
        if origin is tuple:
            return self.tuple(inside)
        if origin is dict:
            made = self.value(inside[1])
            return Made({"a": made.written}, {"a": made.bound})
        if isinstance(annotation, type) and issubclass(annotation, Item):
            return Made(self.random.choice(self.region()), None)
        if isinstance(annotation, type) and issubclass(annotation, Section):
            return self.held(annotation)
        return _both(self.scalar(annotation, limits))

    def tuple(self, inside: tuple[Any, ...]) -> Made:
        if inside[-1:] == (Ellipsis,):
            if (get_args(inside[0]) or (inside[0],))[0] is Item:
                return Made(self.region(), ())
            inside = (inside[0],) * self.random.choice((0, 1, 1, 1, 2, 2, 3))
        made = [self.value(part) for part in inside]
        if all(isinstance(each.written, int | float) for each in made) and self.random.random() < 0.7:
            made.sort(key=lambda each: each.written)  # bounds, milestones
        return Made([each.written for each in made], tuple(each.bound for each in made))

    def held(self, kind: type[Section]) -> Made:
        """A section, or a word of a family; deep inside, a word of its own choice ends what holds itself."""
        if self.nesting > MAX_NESTING:
            return Made(None, None)
        return self.word(kind.family, kind) if issubclass(kind, Definition) else self.section(kind)

    def scalar(self, annotation: Any, limits: dict[str, Any]) -> Any:
        if annotation in (int, float) and self.random.random() < EXTREME:
            return annotation(self.random.choice(EXTREMES))
        low = next((getattr(limits[name], name.lower()) for name in ("Ge", "Gt") if name in limits), 0)
        high = next((getattr(limits[name], name.lower()) for name in ("Le", "Lt") if name in limits), None)
        if annotation is bool:
            return self.random.random() < 0.5
        if annotation is int:
            if high is None:
                return self.random.choice((low, low + 1, 1, 2, 3, 3, 4, 8, 16))
            return self.random.randint(int(low), min(int(low) + 5, int(high)))
        if annotation is float:
            return self.random.choice((0.1, 0.25, 0.5, 0.9, float(low), 1.0 if high is None else float(high), 1e-3))
        if annotation is type(None):
            return None
        if annotation is Any:
            return self.random.choice((1, 2, 0.5, True, None, "relu", "adam", [1], {"sgd": {"lr": 0.1}}))
        return self.random.choice(("a", "x.npz", "test_accuracy", "weight"))


def _limits(marks: tuple[Any, ...]) -> dict[str, Any]:
    found = {type(mark).__name__: mark for mark in marks}
    for mark in marks:
        found |= {type(part).__name__: part for part in getattr(mark, "metadata", ())}
    return found


def _both(value: Any) -> Made:
    return Made(value, as_tuples(value))


def as_tuples(value: Any) -> Any:
    """As binding hands values to a class: lists as tuples."""
    if isinstance(value, list):
        return tuple(as_tuples(part) for part in value)
    return {key: as_tuples(part) for key, part in value.items()} if isinstance(value, dict) else value

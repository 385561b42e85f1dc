"""A layer -> how its arguments are written in a diagram: the main one beside its name, the others below.

conv: {out_channels: 64, kernel_size: 3, padding: same}  ->  `64` and `kernel_size 3, padding same`
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

from specforge.catalog.definition import Layer


class Arguments(NamedTuple):
    """`main` and `rest` are texts; `sizes` are the arguments that are no rates, `given` all that are not defaults."""

    main: str
    rest: str
    sizes: Hashable
    given: Hashable


NONE = Arguments("", "", (), ())


def arguments(layer: Layer) -> Arguments:
    """What was given, in the order of the class. Layers inside and functions are no text, and are left out."""
    given = _given(layer)
    fields = type(layer).model_fields
    required = (name for name, field in fields.items() if field.is_required() and name in given)
    main = layer.main if layer.main is not None else next(required, None)
    # a name and its value stay on one line
    rest = [f"{name}\N{NO-BREAK SPACE}{_written(value)}" for name, value in given.items() if name != main]
    sizes = tuple((name, value) for name, value in given.items() if not isinstance(value, float))
    return Arguments(_written(given[main]) if main in given else "", ", ".join(rest), sizes, tuple(given.items()))


def _given(layer: Layer) -> dict[str, Any]:
    return {
        name: value
        for name, field in type(layer).model_fields.items()
        if (value := getattr(layer, name)) != field.get_default(call_default_factory=True) and _is_text(value)
    }


def _is_text(value: object) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return all(item is None or isinstance(item, bool | int | float | str) for item in items)


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, tuple):
        return "×".join(_written(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""Types of fields in the words of people who write YAML.

Annotated[int, Field(ge=1)]    ->    "whole number ≥ 1"
"""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from specforge.catalog.definition import Definition, Item, Section

_SINGULAR = {"losses": "loss", "mixes": "mix", "datasets": "data set"}
_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
_BOUNDS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}


def singular(family: str) -> str:
    """`optimizers -> optimizer`."""
    return _SINGULAR.get(family, family[:-1])


def type_words(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """`int | tuple[int, ...]` is `whole number or list of whole numbers`."""
    *first, last = dict.fromkeys(_alternatives(annotation, metadata))
    return f"{', '.join(first)} or {last}" if first else last


def _alternatives(annotation: Any, metadata: tuple[Any, ...]) -> list[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _alternatives(arguments[0], (*arguments[1:], *metadata))
    if origin in (Union, UnionType):
        return [words for part in arguments if part is not NoneType for words in _alternatives(part, metadata)]
    if origin is Literal:
        return [str(word) for word in arguments]
    if origin is tuple:
        number = "" if Ellipsis in arguments else f"{len(arguments)} "
        return [f"list of {number}{_plural(type_words(arguments[0]))}"]
    if origin is dict:
        return [f"mapping of names to {_plural(type_words(arguments[1]))}"]
    return [_WORDS[annotation] + _bounds(metadata) if annotation in _WORDS else _entry(annotation)]


def _entry(annotation: Any) -> str:
    """A layer, a section, or a word of a family."""
    if annotation is Item:
        return "layer"
    if annotation is Any:
        return "value"
    if isinstance(annotation, type) and issubclass(annotation, Definition):
        return singular(annotation.family)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "mapping"
    return str(getattr(annotation, "__name__", annotation)).lower()


def _plural(words: str) -> str:
    """`whole number ≥ 1 -> whole numbers ≥ 1`, `list of texts -> lists of texts`."""
    if " or " in words:
        return f"({words})"
    noun = next(word for word in ("whole number", "data set", words.partition(" ")[0]) if words.startswith(word))
    return f"{noun}{'es' if noun.endswith(('ss', 'x')) else 's'}{words[len(noun) :]}"


def _bounds(metadata: tuple[Any, ...]) -> str:
    """` ≥ 0 and < 1`."""
    nested = [part.metadata if isinstance(part, FieldInfo) else [part] for part in metadata]
    told = []
    for constraint in [constraint for constraints in nested for constraint in constraints]:
        if type(constraint) in _BOUNDS:
            name, sign = _BOUNDS[type(constraint)]
            told.append(f"{sign} {getattr(constraint, name):,}")
    return f" {' and '.join(told)}" if told else ""

"""The type of a field -> the JSON Schema of its values.

    Annotated[int, Field(ge=1)]    ->    {"type": ["integer", "string", "null"], "minimum": 1, "pattern": "\\$"}

An expression may stand for every value, and nothing for every value too: `null` removes what a parent says. What must
be there is the affair of `requirements`. Keywords that speak of one type leave the others alone, so that alternatives
of different types need no `anyOf`, whose messages in editors are hard to read.
"""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from specforge.catalog.definition import Definition, Extent, Item, Margin, Section

Schema = dict[str, Any]

EXPRESSION = r"\$"
IDENTIFIER = r"^[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\u0080-\uFFFF]*$"
# what the validators of these types demand of a number
_LEAST = {get_args(Extent)[1]: 1, get_args(Margin)[1]: 0}
_BOUNDS = {Ge: ("ge", "minimum"), Gt: ("gt", "exclusiveMinimum"), Le: ("le", "maximum"), Lt: ("lt", "exclusiveMaximum")}
_WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false"} | {
    "array": "a list",
    "object": "a mapping",
}


def reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def values(annotation: Any, metadata: tuple[Any, ...] = ()) -> Schema:
    """The schema of a field's values, expressions included."""
    return joined(arms(annotation, metadata))


def arms(annotation: Any, metadata: tuple[Any, ...] = ()) -> list[Schema]:
    """The alternatives of a type, each of one JSON type, a list of words, or a reference."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return arms(arguments[0], (*arguments[1:], *metadata))
    if origin in (Union, UnionType):
        found = [arm for part in arguments if part is not NoneType for arm in arms(part, metadata)]
        return [_text(arm) for arm in found] if any("type" in arm for arm in found) else found
    if origin is Literal:
        return [{"enum": list(arguments)}]
    if origin is tuple:
        return [_list(arguments, metadata)]
    if origin is dict:
        return [{"type": "object", "additionalProperties": values(arguments[1])}]
    if annotation is Any:
        return [{}]
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [reference(annotation.family if issubclass(annotation, Definition) else annotation.__name__)]
    return [_scalar(annotation, metadata)]


def _text(arm: Schema) -> Schema:
    """Words beside values of other types, as `find` beside a number, are texts of a pattern: no alternative."""
    words = arm.get("enum", [])
    if not words or not all(isinstance(word, str) for word in words):
        return arm
    return {"type": "string", "pattern": f"^({'|'.join(words)})$"}


def _list(arguments: tuple[Any, ...], metadata: tuple[Any, ...]) -> Schema:
    first = arguments[0]
    if first is Item or Item in get_args(first):
        return {"type": "array", "items": reference("item")}
    if arguments[-1] is not Ellipsis:
        size = len(arguments)
        return {"type": "array", "items": [values(part) for part in arguments], "minItems": size, "maxItems": size}
    least = tuple(part for part in metadata if isinstance(part, BeforeValidator) and part in _LEAST)
    found: Schema = {"type": "array", "items": values(first, least)}
    for constraint in _flat(metadata):
        if isinstance(constraint, MinLen):
            found["minItems"] = constraint.min_length
        elif isinstance(constraint, MaxLen):
            found["maxItems"] = constraint.max_length
    return {**found, "minItems": 1} if least else found


def _scalar(annotation: Any, metadata: tuple[Any, ...]) -> Schema:
    types = {bool: "boolean", int: "integer", float: "number", str: "string"}
    found: Schema = {"type": types[annotation]}
    for constraint in _flat(metadata):
        if isinstance(constraint, BeforeValidator) and constraint in _LEAST:
            found["minimum"] = _LEAST[constraint]
        elif type(constraint) in _BOUNDS:
            name, keyword = _BOUNDS[type(constraint)]
            found[keyword] = getattr(constraint, name)
        elif isinstance(constraint, MinLen):
            found["minLength"] = constraint.min_length
        elif getattr(constraint, "pattern", None):
            found["pattern"] = constraint.pattern
    return found


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    """Constraints, those that stand inside a `Field` included."""
    nested = [part.metadata if isinstance(part, FieldInfo) else [part] for part in metadata]
    return [constraint for constraints in nested for constraint in constraints]


def joined(alternatives: list[Schema]) -> Schema:
    """One schema for several alternatives, expressions and `null`, flat where their types differ.

    What is referred to allows an expression and `null` itself.
    """
    if {} in alternatives:
        return {}
    apart = [arm for arm in alternatives if "type" not in arm]
    plain = [arm for arm in alternatives if "type" in arm]
    if plain or not any("$ref" in arm for arm in apart):
        plain += [{"type": "string", "pattern": EXPRESSION}, {"type": "null"}]
    flat: Schema = {"type": []}
    for arm in plain:
        _merge(flat, arm)
    expected = [_WORDS[name] for name in flat["type"] if name in _WORDS]
    if "pattern" in flat and expected:
        flat["patternErrorMessage"] = f"Expected {' or '.join(expected)}, or an expression such as $width."
    every = [*apart, flat] if plain else apart
    return every[0] if len(every) == 1 else {"anyOf": every}


def _merge(flat: Schema, arm: Schema) -> None:
    """Add an alternative of one type. A text that may be anything needs no pattern for expressions."""
    kind = arm["type"]
    if kind == "string" and "string" in flat["type"]:
        if "pattern" in flat and "pattern" in arm:
            flat["pattern"] = f"{flat['pattern']}|{arm['pattern']}"
        return
    if kind not in flat["type"]:
        flat["type"].append(kind)
    flat.update({key: value for key, value in arm.items() if key != "type"})

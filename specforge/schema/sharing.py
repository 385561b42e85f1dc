"""Types that occur often -> definitions of their own, which keeps the schema small.

    "stride": {"type": ["integer", "null"], "minimum": 1, "default": 1}    ->    {"$ref": "…", "default": 1}

Only `description` and `default` stay beside a reference: validators of draft 7 ignore what stands there, editors show
it.
"""

import json
from collections import Counter
from typing import Any

from specforge.schema.values import Schema, reference

_BESIDE = ("description", "default")
_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
_OFTEN, _LONG = 3, 100


def shared(definitions: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions with what their properties have in common taken out."""
    counts: Counter[str] = Counter()
    for schema in definitions.values():
        _count(schema, counts)
    often = sorted(text for text, count in counts.items() if count >= _OFTEN and len(text) > _LONG)
    names: dict[str, str] = {}
    for text in often:
        name = _named(json.loads(text))
        names[text] = name if name not in names.values() else f"{name}-{len(names)}"
    taken = {names[text]: json.loads(text) for text in often}
    return {name: _replaced(schema, names) for name, schema in definitions.items()} | taken


def _named(schema: Schema) -> str:
    """A name that says what the values are: `integer-from-1`, `number-from-0-below-1`, `same-valid-integer-from-0`."""
    if "anyOf" in schema:
        return "-".join(filter(None, map(_named, schema["anyOf"])))
    parts = [str(word) for word in schema.get("enum", ())]
    types = schema.get("type", ())
    parts += [name for name in ([types] if isinstance(types, str) else types) if name not in ("string", "null")]
    parts += [f"{word}-{schema[bound]:g}" for bound, word in _BOUNDS.items() if bound in schema]
    return "-".join(parts)


def _core(schema: Schema) -> str:
    return json.dumps({key: value for key, value in schema.items() if key not in _BESIDE}, sort_keys=True)


def _count(schema: Any, counts: Counter[str]) -> None:
    for name, inner in schema.items() if isinstance(schema, dict) else ():
        if name == "properties":
            for value in inner.values():
                counts[_core(value)] += 1
                _count(value, counts)
        else:
            _count(inner, counts)


def _replaced(schema: Any, names: dict[str, str]) -> Any:
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, inner in schema.items():
        found[key] = {n: _value(v, names) for n, v in inner.items()} if key == "properties" else _replaced(inner, names)
    return found


def _value(schema: Schema, names: dict[str, str]) -> Schema:
    name = names.get(_core(schema))
    if name is None:
        inside: Schema = _replaced(schema, names)
        return inside
    return {**reference(name), **{key: schema[key] for key in _BESIDE if key in schema}}

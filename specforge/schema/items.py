"""Items of `layers:`, blocks and edits: what expansion reads, and no catalogue class describes."""

from specforge.expand.edit import OPERATIONS
from specforge.reference.keys import EDIT_KEYS, ITEM_KEYS, REPEAT_KEYS
from specforge.schema.values import EXPRESSION, IDENTIFIER, Schema, joined, reference, values
from specforge.schema.words import classes, snippets

_LAYERS: Schema = {"type": "array", "items": reference("item")}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def item() -> Schema:
    """One entry of `layers:`: a word or a block's name alone, or a mapping with it and item keys.

    Blocks have any name, so that any identifier is allowed here, and so is a param that holds a layer, `$unit: {…}`;
    `requirements` narrows it where there are no blocks.
    """
    words = list(classes("layers"))
    keys = {name: {**schema, "description": ITEM_KEYS[name].text} for name, schema in item_keys().items()}
    return {
        "description": "One layer, written `relu`, `dropout: 0.5` or `conv: {out_channels: 32, kernel_size: 3}`.",
        "type": ["object", "string"],
        "pattern": f"{IDENTIFIER}|{EXPRESSION}",
        "patternErrorMessage": "Expected the name of a layer or of a block.",
        "defaultSnippets": snippets("layers"),
        "properties": {**keys, **{word: reference(f"layers.{word}") for word in words}},
        "patternProperties": {IDENTIFIER: {}, EXPRESSION: {}},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": len(keys) + 1,
        "if": {"not": {"anyOf": [{"required": [name]} for name in keys]}},
        "then": {"maxProperties": 1},
    }


def item_keys() -> dict[str, Schema]:
    """The keys that may stand beside an item's layer."""
    return {
        "id": joined([{"type": "string", "pattern": IDENTIFIER}]),
        "from": joined([{"type": "string"}, {**_TEXTS, "minItems": 1}]),
        "when": values(bool),
        "shared": joined([{"type": "string", "minLength": 1}]),
        "init": joined([{"type": "object", "additionalProperties": reference("initializers")}]),
        "trainable": values(bool),
    }


def repeat_arguments() -> dict[str, Schema]:
    """The arguments of `repeat` as people write it."""
    columns: Schema = {"type": "object", "propertyNames": {"pattern": IDENTIFIER}, "additionalProperties": _lists()}
    rows: Schema = {"type": "array", "items": _lists()}
    found = {
        "times": joined([{"type": "integer", "minimum": 0, "maximum": 10_000}]),
        "for": joined([columns, rows]),
        "index": joined([{"type": "string", "pattern": IDENTIFIER}]),
        "layers": joined([_LAYERS]),
    }
    return {name: {**schema, "description": REPEAT_KEYS[name].text} for name, schema in found.items()}


def _lists() -> Schema:
    return joined([{"type": "array"}])


def block() -> Schema:
    """The definition of a block."""
    params: Schema = {"type": "object", "propertyNames": {"pattern": IDENTIFIER}}
    return {
        "description": "A layer of your own: its params with their defaults, and its layers.",
        "type": ["object", "null"],
        "properties": {
            "params": {
                "description": "Names and defaults. One whose default is `required` must be given at every use.",
                **joined([params]),
            },
            "layers": {"description": "What the block is made of.", **joined([_LAYERS])},
        },
        "additionalProperties": False,
    }


def edit() -> Schema:
    """One entry of `edit:`."""
    several: Schema = {"anyOf": [reference("item"), _LAYERS]}
    operations: dict[str, Schema] = {
        "replace": several,
        "set": {"type": "object", "minProperties": 1},
        "insert_before": several,
        "insert_after": several,
        "remove": {"enum": [True]},
        "wrap": reference("item"),
    }
    assert set(operations) == set(OPERATIONS)
    found: dict[str, Schema] = {"at": {"type": "string"}, **operations}
    return {
        "description": "One change: `at`, the address of an item, and what happens to it.",
        "type": "object",
        "properties": {name: {**schema, "description": EDIT_KEYS[name].text} for name, schema in found.items()},
        "additionalProperties": False,
        "required": ["at"],
        "minProperties": 2,
        "maxProperties": 2,
    }

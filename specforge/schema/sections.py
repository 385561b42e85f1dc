"""The sections of a spec -> definitions, those reached from `Spec`."""

from specforge.binding import held
from specforge.catalog.definition import Section
from specforge.expand.repeat import KEYS as REPEAT_KEYS
from specforge.reference.documentation import text_of
from specforge.reference.keys import SECTION_KEYS
from specforge.schema.items import block, edit, item, repeat_arguments
from specforge.schema.values import IDENTIFIER, Schema, joined, reference
from specforge.schema.words import choice, classes, properties, word
from specforge.spec import Model, Spec

_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def section(kind: type[Section]) -> Schema:
    """A mapping with the fields of a class."""
    given = {**properties(kind), **_expanded(kind)}
    named: Schema = {"type": "object", "properties": given, "additionalProperties": False}
    return {"description": text_of(kind), **joined([named])}


def root() -> Schema:
    """The whole file."""
    given = {**_expanded(Spec), **properties(Spec)}
    return {
        "description": text_of(Spec),
        "type": "object",
        "properties": given,
        "additionalProperties": False,
    }


def _expanded(kind: type[Section]) -> dict[str, Schema]:
    """The keys of a section that expansion takes out."""
    names = {Spec: ("extends", "include", "params", "blocks", "edit"), Model: ("defaults",)}.get(kind, ())
    keys = {
        "extends": joined([{"type": "string"}]),
        "include": joined([_TEXTS]),
        "params": {"type": ["object", "null"], "propertyNames": {"pattern": IDENTIFIER}},
        "blocks": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": IDENTIFIER},
            "additionalProperties": reference("block"),
        },
        "edit": {"type": ["array", "null"], "items": reference("edit")},
        "defaults": joined([{"type": "object", "properties": _defaults(), "additionalProperties": False}]),
    }
    prefix = "model." if kind is Model else ""
    return {name: {"description": SECTION_KEYS[prefix + name].text, **keys[name]} for name in names}


def _defaults() -> dict[str, Schema]:
    """The arguments of every layer that has some, by their names only."""
    with_arguments = [name for name, kind in classes("layers").items() if kind.model_fields]
    return {name: {"type": ["object", "null"], "allOf": [reference(f"layers.{name}")]} for name in with_arguments}


def reached(kind: type[Section], found: dict[str, type[Section]] | None = None) -> dict[str, type[Section]]:
    """Every section below one, by the name of its definition."""
    found = {} if found is None else found
    for field in kind.model_fields.values():
        for arm in held(field.annotation):
            if arm.kind == "section" and arm.type is not None and arm.type.__name__ not in found:
                found[arm.type.__name__] = arm.type
                reached(arm.type, found)
    return found


def definitions(families: tuple[str, ...]) -> dict[str, Schema]:
    """Everything that the root refers to."""
    found = {name: section(kind) for name, kind in sorted(reached(Spec).items())}
    found |= {"item": item(), "block": block(), "edit": edit()}
    for family in families:
        if family != "layers":
            found[family] = choice(family)
        for name, kind in classes(family).items():
            given = properties(kind)
            if (family, name) == ("layers", "repeat"):
                given = {**{key: repeat_arguments()[key] for key in REPEAT_KEYS}, **given}
            found[f"{family}.{name}"] = word(kind, given)
    return found

"""What must be there, as overlays of the root: it depends on what else the file says.

A file that extends another, or has no `model.layers`, may lack anything; `model.defaults` may give a layer's required
arguments; and only where a file brings no blocks must every item be a word of the catalogue.
"""

from typing import Any

from specforge.binding import held
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import word_for
from specforge.recipe import Group, Recipe, Stage
from specforge.schema.items import item_keys
from specforge.schema.values import EXPRESSION, Schema, reference
from specforge.schema.words import classes, main_of, names_of, required, word
from specforge.spec import Model, Spec

_WHOLE: Schema = {
    "not": {"required": ["extends"]},
    "required": ["model"],
    "properties": {"model": {"type": "object", "required": ["layers"]}},
}
# what a section may leave to the recipe that it is laid over
_LAID_OVER: dict[type[Section], frozenset[str]] = {
    Stage: frozenset(Recipe.model_fields) - {"epochs"},
    Group: frozenset({"optimizer"}),
}
_DEFAULTS: Schema = {"properties": {"model": {"required": ["defaults"]}}}


def overlays() -> list[Schema]:
    """The conditions of the root, each with what it demands."""
    complete: Schema = {"items": reference("complete-item")}
    known: Schema = {"items": reference("known-item")}
    body: Schema = {"properties": {"layers": complete}}
    lacking: list[tuple[Schema, Schema]] = [
        (_WHOLE, reference("complete-Spec")),
        (
            {**_WHOLE, "allOf": [{"not": _DEFAULTS}]},
            {"properties": {"model": body, "blocks": {"additionalProperties": body}}},
        ),
        (_without("blocks", "include", "extends"), {"properties": {"model": {"properties": {"layers": known}}}}),
        (
            _without("edit", "extends"),
            {"properties": {"blocks": {"additionalProperties": {"required": ["layers"]}}}},
        ),
    ]
    return [{"if": condition, "then": _unsuggested(demand)} for condition, demand in lacking]


def _without(*keys: str) -> Schema:
    return {"not": {"anyOf": [{"required": [key]} for key in keys]}}


def definitions(families: tuple[str, ...]) -> dict[str, Schema]:
    """What the overlays refer to."""
    found = _complete_sections(Spec, {})
    for family in families:
        if family != "layers" and any(_needs(kind) for kind in classes(family).values()):
            found[f"complete-{family}"] = _complete_choice(family)
    found |= {"complete-item": _complete_item(), "known-item": _known_item()}
    return {name: _unsuggested(schema) for name, schema in found.items()}


def _unsuggested(schema: Schema) -> Schema:
    """The demands with their keys hidden from completion, where they would stand a second time."""
    if "properties" not in schema:
        return schema
    keys = {name: {**_unsuggested(demand), "doNotSuggest": True} for name, demand in schema["properties"].items()}
    return {**schema, "properties": keys}


def _complete_sections(kind: type[Section], found: dict[str, Schema]) -> dict[str, Schema]:
    """The required keys of a section, and those of the sections in it."""
    laid = _LAID_OVER.get(kind, frozenset())
    needed = [name for name in required(kind) if name not in laid] + (["input"] if kind is Model else [])
    demands: dict[str, Schema] = {}
    for name, field in kind.model_fields.items():
        for arm in held(field.annotation):
            if name in laid and arm.kind == "word":
                continue  # of the same word it may say a part
            below = _below(arm.type, found) if arm.type is not None else None
            if below is not None:
                demands[name] = _listed({"additionalProperties": below} if arm.by_name else below, arm.levels)
    if needed or demands:
        found[f"complete-{kind.__name__}"] = {"required": needed, "properties": demands}
    return found


def _below(kind: type[Section], found: dict[str, Schema]) -> Schema | None:
    """What a section or a choice demands, by reference; None where it demands nothing."""
    if issubclass(kind, Definition):
        demands = any(_needs(word) for word in classes(kind.family).values())
        return reference(f"complete-{kind.family}") if demands else None
    name = f"complete-{kind.__name__}"
    return reference(name) if name in _complete_sections(kind, found) else None


def _needs(kind: type[Definition]) -> Schema:
    """What must stand behind a word: nothing, its main argument, or several by their names."""
    if word_for(kind) == "repeat":
        return _REPEAT
    needed = required(kind)
    if not needed:
        return {}
    if needed == [main_of(kind)]:
        types = word(kind, {}).get("type", ["object", "string"])
        return {"type": [name for name in types if name != "null"], "required": needed}
    return {**_by_name(needed), "required": needed}


def _by_name(needed: list[str]) -> Schema:
    message = f"Needs {', '.join(needed)}, in {{…}}."
    return {"type": ["object", "string"], "pattern": EXPRESSION, "patternErrorMessage": message}


_REPEAT: Schema = {
    **_by_name(["layers", "times or for"]),
    "anyOf": [{"required": ["layers", "times"]}, {"required": ["layers", "for"]}, {"required": ["iterations"]}],
    "not": {"type": "object", "required": ["times", "for"]},
}


def _alone(family: str) -> Schema:
    """Words that need something are not written alone."""
    demanding = [name for name, kind in classes(family).items() if _needs(kind)]
    message = "This word needs arguments."
    return {"pattern": f"^(?!(?:{'|'.join(demanding)})$)", "patternErrorMessage": message} if demanding else {}


def _complete_choice(family: str) -> Schema:
    needs = {name: _needs(kind) for name, kind in classes(family).items()}
    return {**_alone(family), "properties": {name: need for name, need in needs.items() if need}}


def _complete_item() -> Schema:
    found = {}
    for name, kind in classes("layers").items():
        need, inside = _needs(kind), _inside(kind, "complete-item")
        if need or inside:
            found[name] = {**need, **inside}
    return {**_alone("layers"), "properties": found}


def _known_item() -> Schema:
    """An item where there are no blocks: its layer is a word of the catalogue."""
    words, message = list(classes("layers")), "No layer of this name, and this file defines no blocks."
    inside = {name: _inside(kind, "known-item") for name, kind in classes("layers").items()}
    return {
        "pattern": f"{names_of(words)}|{EXPRESSION}",
        "patternErrorMessage": message,
        "propertyNames": {
            "pattern": f"{names_of([*item_keys(), *words])}|{EXPRESSION}",
            "patternErrorMessage": message,
        },
        "properties": {name: schema for name, schema in inside.items() if schema},
    }


def _inside(kind: type[Definition], name: str) -> Schema:
    """The same demand on the layers that a layer holds, which may be written without the argument's name."""
    found: dict[str, Schema] = {}
    for field_name, field in kind.model_fields.items():
        for arm in held(field.annotation):
            if arm.kind == "items":
                found[field_name] = _listed(reference(name), arm.levels)
    if word_for(kind) == "repeat":
        found["layers"] = _listed(reference(name), 1)
    main: Any = found.get(main_of(kind) or "", {})
    return {"properties": found, **main} if found else {}


def _listed(schema: Schema, levels: int) -> Schema:
    for _ in range(levels):
        schema = {"items": schema}
    return schema

"""The catalogue's words -> definitions: one for each word, one for the choice of a word of each family.

    Dropout    ->    "layers.dropout": {"type": ["object", "number", "string", "null"], "properties": {"p": …}, …}

The three forms of a word are alternatives of different types: named arguments (an object), the main argument, nothing.
"""

from collections.abc import Iterator

from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import definition, index, word_for
from specforge.reference.documentation import argument_text, summary_of, text_of
from specforge.reference.keys import FILLED_IN
from specforge.schema.values import EXPRESSION, Schema, arms, joined, values

SINGULAR = {"losses": "loss", "mixes": "mix", "datasets": "data set"}


def names_of(words: Iterator[str] | list[str]) -> str:
    """A pattern for one of these words."""
    return f"^(?:{'|'.join(words)})$"


def classes(family: str) -> dict[str, type[Definition]]:
    """Every word of a family with its class, in the order of the alphabet."""
    found = {word: definition(family, word) for word in sorted(index(family))}
    return {word: kind for word, kind in found.items() if kind is not None}


def properties(kind: type[Section]) -> Schema:
    """The fields of a class, with what is said about them and their defaults."""
    found = {}
    for name, field in kind.model_fields.items():
        schema = values(field.annotation, tuple(field.metadata))
        text = argument_text(kind, name)
        if text:
            schema["description"] = text
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        if default is not None and not isinstance(default, Section | dict) and default != ():
            schema["default"] = default
        found[name] = schema
    return found


def required(kind: type[Section]) -> list[str]:
    """The fields that people must give: those without a default that expansion does not fill in."""
    filled = FILLED_IN.get(word_for(kind), ()) if issubclass(kind, Definition) else ()
    return [name for name, field in kind.model_fields.items() if field.is_required() and name not in filled]


def main_of(kind: type[Definition]) -> str | None:
    """The argument of the short form: a layer that has `layers` and no main argument takes a list of them."""
    return kind.main or ("layers" if "layers" in kind.model_fields else None)


def word(kind: type[Definition], given: Schema) -> Schema:
    """What may stand behind the key of a word whose named arguments are `given`."""
    main = main_of(kind)
    field = kind.model_fields[main] if main is not None else None
    short = [] if field is None else arms(field.annotation, tuple(field.metadata))
    named: Schema = {"type": "object", "properties": given, "additionalProperties": False}
    return {"description": summary_of(kind), "markdownDescription": text_of(kind), **joined([named, *short])}


def snippets(family: str) -> list[Schema]:
    """What an editor offers as a word alone: those that need no arguments."""
    alone = [name for name, kind in classes(family).items() if not required(kind) and name != "repeat"]
    return [{"label": name, "body": name} for name in alone]


def choice(family: str) -> Schema:
    """One word of a family, alone or with its arguments."""
    words = classes(family)
    what = SINGULAR.get(family, family[:-1])
    return {
        "type": ["object", "string", "null"],
        "pattern": f"{names_of(list(words))}|{EXPRESSION}",
        "patternErrorMessage": f"No {what} of this name. Known are {', '.join(words)}.",
        "defaultSnippets": snippets(family),
        "properties": {name: {"$ref": f"#/definitions/{family}.{name}"} for name in words},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }

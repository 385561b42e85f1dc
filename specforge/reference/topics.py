"""Everything that has a name in the language -> what `list`, `explain` and the reference pages say about it.

"conv"              ->    Topic("conv", "layers", "Slides learned kernels …", arguments=(…, …))
"train.batch_size"  ->    Topic("train.batch_size", "keys", …)
"SF304"             ->    Topic("SF304", "diagnostics", …)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from specforge.binding import held
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.diagnostics import RULES, Rule
from specforge.reference.documentation import argument_text, default_of, summary_of, text_of
from specforge.reference.keys import EDIT_KEYS, FILLED_IN, ITEM_KEYS, REPEAT_KEYS, SECTION_KEYS, Key
from specforge.reference.wording import singular, type_words
from specforge.spec import Model, Spec

GROUPS = (*FAMILIES, "items", "keys", "diagnostics")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a word, or a key of a section. `default` is None for a required one."""

    name: str
    type: str
    default: str | None
    main: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """One name and its documentation.

    `label` says what the name is. `place` is the file of a layer's family, or the name of a rule. A key has a `type`,
    and a `default` unless it is required.
    """

    name: str
    group: str
    label: str
    summary: str
    text: str
    arguments: tuple[Argument, ...] = ()
    place: str = ""
    type: str = ""
    default: str | None = None


@cache
def topics() -> tuple[Topic, ...]:
    """Every name, the groups in order, the names of each in the order of the alphabet or of the spec."""
    return (*_words(), *_items(), *_keys(), *map(_diagnostic, rules()))


def rules() -> list[Rule]:
    """Every kind of finding, by its code: each phase defines its own when it is imported."""
    import specforge.analysis
    import specforge.experiment
    import specforge.importing.rules
    import specforge.project  # noqa: F401

    return [RULES[code] for code in sorted(RULES)]


def _words() -> Iterator[Topic]:
    for family in FAMILIES:
        for name in sorted(index(family)):
            kind = definition(family, name)
            assert kind is not None
            yield _word(family, name, kind)


def _word(family: str, name: str, kind: type[Definition]) -> Topic:
    arguments = [_argument(kind, field) for field in kind.model_fields]
    filled = FILLED_IN.get(name, ()) if family == "layers" else ()
    arguments = [replace(each, default="none") if each.name in filled else each for each in arguments]
    if (family, name) == ("layers", "repeat"):
        arguments = [*(_of_key(key, known) for key, known in REPEAT_KEYS.items()), *arguments]
    return Topic(
        name=name,
        group=family,
        label=singular(family),
        summary=summary_of(kind),
        text=text_of(kind),
        arguments=tuple(arguments),
        place=kind.__module__.rpartition(".")[2],
    )


def _argument(kind: type[Section], name: str) -> Argument:
    field = kind.model_fields[name]
    return Argument(
        name=name,
        type=type_words(field.annotation, tuple(field.metadata)),
        default=default_of(field),
        main=issubclass(kind, Definition) and kind.main == name,
        text=argument_text(kind, name),
    )


def _of_key(name: str, key: Key) -> Argument:
    return Argument(name, key.type, key.default, text=key.text)


def _items() -> Iterator[Topic]:
    """The keys of an item beside its layer."""
    for name, key in ITEM_KEYS.items():
        yield _from_table(name, "items", "key of an item", key)


def _keys() -> Iterator[Topic]:
    """The keys of a spec, top to bottom, each before what is inside it."""
    inside = tuple(_of_key(name, key) for name, key in EDIT_KEYS.items())
    for name in ("extends", "include", "params", "blocks", "edit"):
        yield _from_table(name, "keys", "key", SECTION_KEYS[name], inside if name == "edit" else ())
    for name, key in EDIT_KEYS.items():
        yield _from_table(f"edit.{name}", "keys", "key", key)
    yield from _section_keys(Spec, "")


def _from_table(name: str, group: str, label: str, key: Key, inside: tuple[Argument, ...] = ()) -> Topic:
    text = f"{key.text}\n\n    {key.example}"
    return Topic(name, group, label, _first(key.text), text, inside, type=key.type, default=key.default)


def _first(text: str) -> str:
    """The first sentence, on one line."""
    return re.split(r"(?<=\.) (?=[A-Z`])", " ".join(text.split()), maxsplit=1)[0]


def _section_keys(kind: type[Section], prefix: str) -> Iterator[Topic]:
    if kind is Model:
        yield _from_table("model.defaults", "keys", "key", SECTION_KEYS["model.defaults"])
    for name, field in kind.model_fields.items():
        path = f"{prefix}{name}"
        arms = held(field.annotation)
        sections = [arm.type for arm in arms if arm.kind == "section" and arm.type is not None]
        families = list(dict.fromkeys(arm.type for arm in arms if arm.kind == "word" and arm.type is not None))
        yield _section_key(path, _argument(kind, name), sections, families)
        for section in sections:
            yield from _section_keys(section, f"{path}.")


def _section_key(path: str, argument: Argument, sections: list[type[Section]], families: list[Any]) -> Topic:
    """What the key's own class says of it, what its section says, and which words it takes."""
    told = [] if sections and argument.type == "mapping" else [argument.text or ""]
    inside: list[Argument] = []
    for section in sections:
        told.append(text_of(section))
        inside += [_argument(section, name) for name in section.model_fields]
        if section is Model:
            inside.append(_of_key("defaults", SECTION_KEYS["model.defaults"]))
    told += [f"One of {', '.join(f'`{word}`' for word in sorted(index(kind.family)))}." for kind in families]
    return Topic(
        name=path,
        group="keys",
        label="key",
        summary=_first(told[0]),
        text="\n\n".join(told),
        arguments=tuple(inside),
        type=argument.type,
        default=argument.default,
    )


def _diagnostic(rule: Rule) -> Topic:
    text = " ".join(rule.explanation.split())
    return Topic(rule.code, "diagnostics", f"{rule.name} ({rule.severity})", _first(text), text, place=rule.name)

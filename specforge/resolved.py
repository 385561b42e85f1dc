"""A bound spec -> its canonical form: plain data, YAML, JSON, and the hash of what it means.

    params: {width: 32}                            model:
    blocks:                                          input: [3, 32, 32]
      unit:                                          layers:
        params: {channels: required}                   - id: unit_1
        layers: [{conv: {out_channels: $channels,        sequential:
                         kernel_size: 3, bias: true}},     layers:
                 relu]                          ->             - conv: {out_channels: 32, kernel_size: 3}
    model:                                                     - relu
      input: [3, 32, 32]
      layers: [unit: $width]

Everything that a spec says by reference is gone, arguments are named, and values that equal their default are left
out. The text is a spec again: it binds to the same spec, with the same paths.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from math import isfinite
from textwrap import wrap
from typing import Any, get_args

import yaml
from pydantic.fields import FieldInfo

from specforge.catalog.definition import PER_AXIS, Definition, Item, Items, Section, Unit
from specforge.catalog.discovery import word_for
from specforge.expand.overrides import steps_of
from specforge.recipe import Group, Recipe, Stage
from specforge.source import NoNumber, resolve_plain
from specforge.spec import Spec

# arguments that hold layers are written one layer a line
_BLOCK_STYLE = ("layers", "shortcut", "iterations", "paths")

# lists of what is laid over the recipe that they stand in
_LAID = ("stages", "groups")

WIDTH = 120
MEANING = ("model", "data", "train")


def resolve(spec: Spec) -> dict[str, Any]:
    """The spec as plain data, in the order of the language's keys; without a search that it can't keep."""
    if not keeps_search(spec):
        assumed = tuple(path for path in spec.assumed if steps_of(path)[0] != "search")
        spec = spec.model_copy(update={"search": None, "assumed": assumed})
    return arguments_of(spec)


def keeps_search(spec: Spec) -> bool:
    """Whether the paths of its search, if there is one, lead to the same values in the resolved spec.

    Params and blocks are gone in it, and the items of `layers` are others.
    """
    return spec.search is None or all(steps_of(path)[0] in ("data", "train") for path in spec.search.space)


def spec_hash(spec: Spec) -> str:
    """SHA-256 (hexadecimal) of what is trained on what and how: `model`, `data` and `train`, paths included.

    What is said about it (name, description, source, assumed, accept, expect, reported) does not count, nor does what a
    search would try instead, nor where images are in memory, nor how it is written: params, blocks, `extends`, explicit
    defaults, `1` for `1.0`.
    """
    resolved = resolve(spec)
    meaning = {key: resolved[key] for key in MEANING if key in resolved}
    if "data" in meaning:  # a run that was stopped because memory was short goes on in another way
        meaning["data"] = {key: value for key, value in meaning["data"].items() if key != "memory"}
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def to_json(spec: Spec) -> str:
    """The resolved spec in JSON, which is YAML: a spec again, so a dollar in a text is written `$$` here too."""
    text = json.dumps(_escaped(resolve(spec)), indent=2, ensure_ascii=False)
    # U+2028, U+0085 and the like are letters to JSON but line breaks or forbidden in YAML
    return "".join(c if c.isprintable() or c == "\n" or c > "\uffff" else f"\\u{ord(c):04x}" for c in text) + "\n"


def to_yaml(spec: Spec) -> str:
    """The resolved spec as people write specs: one layer a line, lines of up to 120 characters."""
    lines: list[str] = []
    for key, value in _escaped(resolve(spec)).items():
        if key in MEANING:
            lines += [f"{key}:", *_indented(_block(value, WIDTH - 2))]
        else:
            lines += _entry(key, value, WIDTH)
    return "\n".join(lines) + "\n"


def plain_value(value: Any) -> Any:
    """A bound value as plain data: `Adam(lr=0.1) -> {"adam": {"lr": 0.1}}`, `Relu() -> "relu"`."""
    if isinstance(value, Definition):
        arguments = arguments_of(value)
        return {word_for(value): arguments} if arguments else word_for(value)
    if isinstance(value, Section):
        return arguments_of(value)
    if isinstance(value, tuple):
        return _items(value) if value and isinstance(value[0], Item) else [plain_value(part) for part in value]
    if isinstance(value, Mapping):
        return {key: plain_value(below) for key, below in value.items()}
    return value


def arguments_of(section: Section, base: Section | None = None) -> dict[str, Any]:
    """What differs from the defaults of a section or a word, as plain data by name.

    Of what is laid over a `base`, as a stage is over `train`, what differs from that.
    """
    given = {}
    for name, field in type(section).model_fields.items():
        value = meant(section, name)
        inherits = base is not None and name in type(base).model_fields
        unsaid = meant(base, name) if inherits and base is not None else field.get_default(call_default_factory=True)
        if (field.is_required() and not inherits) or value != unsaid:
            given[name] = _over(value, section) if name in _LAID else _over(value, unsaid)
    return given


def _over(value: Any, base: Any) -> Any:
    """A value as plain data, where a word, a section, or each of several stages or groups, is laid over a base."""
    if isinstance(value, Section) and type(value) is type(base):
        arguments = arguments_of(value, base)
        if not isinstance(value, Definition):
            return arguments
        return {word_for(value): arguments} if arguments else word_for(value)
    if isinstance(value, tuple) and isinstance(base, Recipe):
        return [laid_over(part, base) for part in value]
    return plain_value(value)


def laid_over(part: Stage | Group, recipe: Recipe) -> dict[str, Any]:
    """A stage or a group as plain data: what it says beside the recipe that it stands in."""
    return arguments_of(part, recipe) if isinstance(part, Stage) else _group(part, recipe)


def _group(group: Group, recipe: Recipe) -> dict[str, Any]:
    given = arguments_of(group)
    return {**given, "optimizer": _over(group.optimizer, recipe.optimizer)} if "optimizer" in given else given


def meant(section: Section, name: str) -> Any:
    """The value of a field as it counts: `[3, 3]` for two axes is `3`."""
    value = getattr(section, name)
    if isinstance(value, tuple) and name in _per_axis(type(section)) and len(set(value)) == 1:
        return value[0]
    return value


@cache
def _per_axis(kind: type[Section]) -> frozenset[str]:
    """The fields that take one number for all axes or a list."""
    return frozenset(name for name, field in kind.model_fields.items() if PER_AXIS in _marks(field))


@cache
def unit_of(kind: type[Section], name: str) -> str | None:
    """What the number of a field counts, where its name does not say so: `epochs`."""
    return next((mark.name for mark in _marks(kind.model_fields[name]) if isinstance(mark, Unit)), None)


def _marks(field: FieldInfo) -> list[Any]:
    """What is annotated on a field or an arm of its union."""
    return [*field.metadata, *(mark for arm in get_args(field.annotation) for mark in getattr(arm, "__metadata__", ()))]


def _items(items: Items) -> list[Any]:
    """Items in their shortest form. An `id` is written where `kind_n`, counted as printed, is another path."""
    counts: Counter[str] = Counter()
    written = []
    for item in items:
        counts[item.kind] += 1
        arguments = arguments_of(item.layer)
        entry: dict[str, Any] = {}
        if item.id != f"{item.kind}_{counts[item.kind]}":
            entry["id"] = item.id
        if item.reads:
            entry["from"] = item.reads[0] if len(item.reads) == 1 else list(item.reads)
        if item.shared is not None:
            entry["shared"] = item.shared
        if item.initializers:
            entry["init"] = plain_value(item.initializers)
        if not item.trainable:
            entry["trainable"] = False
        written.append({**entry, item.kind: arguments} if entry or arguments else item.kind)
    return written


def flow(value: Any) -> str:
    """Plain data in YAML's flow style, on one line: `{adam: {lr: 1e-3}}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted_if_needed(key)}: {flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return _quoted_if_needed(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _float(value) if isinstance(value, float) else str(value)


def _float(value: float) -> str:
    """The shortest text that reads back as this float; exponents only for what is small or large."""
    text = repr(value)
    if not isfinite(value):
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}[text]
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    assert isinstance(exponent, int)
    if value == 0 or 1e-2 <= abs(value) < 1e6:
        return text
    rest = "".join(map(str, digits[1:]))
    short = f"{'-' * sign}{digits[0]}{'.' * bool(rest)}{rest}e{exponent + len(rest)}"
    return short if len(short) < len(text) else text


# What is certainly one plain word or a sentence in every context; anything else is quoted.
_PLAIN = re.compile(r"[\w$./(+][^\x00-\x1f\x7f,\[\]{}\"`]*\Z")
_NOT_PLAIN = re.compile(r": |:$| #| $|  ")


def _quoted_if_needed(text: str) -> str:
    first = text[:1]
    old = any(tag.match(text) for _, tag in yaml.SafeLoader.yaml_implicit_resolvers.get(first, ()))
    safe = text.isprintable() and _PLAIN.match(text) and not _NOT_PLAIN.search(text)
    # what YAML 1.1 takes for a boolean, number or date is quoted too: other tools read specs with it
    if safe and not old and _is_text(text):
        return text
    return '"' + "".join(_escape(character) for character in text) + '"'


def _is_text(plain: str) -> bool:
    """Whether an unquoted text is read as that text, and not as a number or another value."""
    try:
        return isinstance(resolve_plain(plain), str)
    except NoNumber:
        return False


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    named = {"\n": "\\n", "\t": "\\t"}.get(character)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _escaped(value: Any) -> Any:
    """Dollars in texts doubled, since a spec's texts may hold expressions. Keys never do."""
    if isinstance(value, dict):
        return {key: _escaped(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _is_structure(value: Any) -> bool:
    """Written over several lines: layers, and lists of mappings."""
    if isinstance(value, dict):
        return any(
            (key in _BLOCK_STYLE and isinstance(below, list)) or _is_structure(below) for key, below in value.items()
        )
    return isinstance(value, list) and any(isinstance(item, dict) or _is_structure(item) for item in value)


def _inline(value: Any, room: int) -> str | None:
    """The value on one line, None where it needs or deserves several."""
    if isinstance(value, dict | list) and _is_structure(value):
        return None
    text = flow(value)
    fits = len(text) <= room and not (isinstance(value, str) and value.endswith("\n"))
    can_break = (isinstance(value, dict | list) and value) or (isinstance(value, str) and _foldable(value))
    return text if fits or not can_break else None


def _foldable(text: str) -> bool:
    """Words with single spaces between them, and one line end at most, at the end: what `>` keeps as it is."""
    body = text.removesuffix("\n")
    return body.isprintable() and all(body.split(" "))


def _entry(key: str, value: Any, room: int) -> list[str]:
    head = f"{_quoted_if_needed(key)}:"
    if key in _BLOCK_STYLE and isinstance(value, list) and value:
        return [head, *_indented(_list(value, room - 2))]
    text = _inline(value, room - len(head) - 1)
    if text is not None:
        return [f"{head} {text}"]
    if isinstance(value, str):
        style = ">" if value.endswith("\n") else ">-"
        return [f"{head} {style}", *_indented(_folded(value, room - 2))]
    return [head, *_indented(_block(value, room - 2))]


def _block(value: Any, room: int) -> list[str]:
    """A mapping or list in block style."""
    if isinstance(value, dict):
        return [line for key, below in value.items() for line in _entry(key, below, room)]
    return _list(value, room)


def _list(items: list[Any], room: int) -> list[str]:
    return [line for item in items for line in _dashed(_item(item, room - 2))]


def _item(item: Any, room: int) -> list[str]:
    if isinstance(item, dict) and len(item) == 1:  # `- conv: {…}` rather than `- {conv: {…}}`
        return _block(item, room)
    if isinstance(item, list) and item and not all(isinstance(part, int | float) for part in item):
        return _list(item, room)
    text = _inline(item, room)
    if text is not None:
        return [text]
    if isinstance(item, str):
        return [">" if item.endswith("\n") else ">-", *_folded(item, room)]
    return _block(item, room)


def _folded(text: str, room: int) -> list[str]:
    return wrap(text, max(room, 40), break_long_words=False, break_on_hyphens=False)


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _dashed(lines: list[str]) -> list[str]:
    return [f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines)]

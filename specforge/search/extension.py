"""A tree and the same with other values -> the text of a spec that extends the first and means the second.

    train: {optimizer: {adam: {lr: 1e-3}}}        extends: base.yaml
    train.optimizer = sgd                    ->   train: {optimizer: sgd}

Mappings are merged when a spec is extended, so that only what differs is written, and `null` for what is gone.
"""

import json
from typing import Any

from specforge.binding import plain
from specforge.expand.words import Choices, Path, chosen, named
from specforge.resolved import flow
from specforge.source import Mapping, Node

_WIDTH = 100
# what a spec does not inherit, and what a result has of its own
_OWN = ("specforge", "name", "description", "source", "assumed", "accept", "expect", "reported", "search", "extends")


def extension(base: Mapping, wanted: Mapping, choices: Choices) -> dict[str, Any]:
    """What a spec that extends `base` must say to be `wanted`, as plain data."""
    found = _mapping(base.without(*_OWN, "weights"), wanted.without(*_OWN, "weights"), choices, ())
    if "weights" in wanted.entries:
        found["weights"] = data_of(wanted.entries["weights"].value)
    return found


def text_of(data: dict[str, Any]) -> str:
    """Plain data as YAML: mappings over several lines where one is too long."""
    return "".join(f"{line}\n" for line in _lines(data))


def _mapping(old: Mapping, new: Mapping, choices: Choices, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {key: None for key in old.entries if key not in new.entries}
    for key, entry in new.entries.items():
        before = old.get(key)
        if before is None:
            found[key] = data_of(entry.value)
        elif not _is_same(before, entry.value):
            found[key] = _difference(before, entry.value, choices, (*path, key))
    return found


def _difference(old: Node, new: Node, choices: Choices, path: Path) -> Any:
    if path in choices:
        return _choice(old, new, choices, path)
    if isinstance(old, Mapping) and isinstance(new, Mapping) and not _are_words(old, new, path):
        return _mapping(old, new, choices, path)
    return data_of(new)


def _choice(old: Node, new: Node, choices: Choices, path: Path) -> Any:
    """Of the same word, arguments are merged like any mapping."""
    before, after = chosen(old), chosen(new)
    if before is None or after is None or before[0] != after[0]:
        return data_of(new)
    word, main = after[0], choices[path](after[0])
    inherited, given = named(before[1].value, main), named(after[1].value, main)
    if inherited is None or given is None or not inherited.entries:
        return data_of(new)
    return {word: _mapping(inherited, given, choices, (*path, word))}


def _are_words(old: Mapping, new: Mapping, path: Path) -> bool:
    """Whether a param is a layer that takes the place of another one."""
    return (
        path[:-1] == ("params",)
        and len(old.entries) == 1 == len(new.entries)
        and old.entries.keys() != new.entries.keys()
    )


def _is_same(old: Node, new: Node) -> bool:
    # as text: to Python, `1`, `1.0` and `true` are equal
    return old is new or json.dumps(plain(old)) == json.dumps(plain(new))


def data_of(node: Node) -> Any:
    """The tree as plain data, lists as lists."""
    return _lists(plain(node))


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(below) for key, below in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def _lines(data: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for key, value in data.items():
        text = f"{flow(key)}: {flow(value)}"
        if isinstance(value, dict) and value and (len(text) > _WIDTH or len(value) > 1):
            lines += [f"{flow(key)}:", *(f"  {line}" for line in _lines(value))]
        elif isinstance(value, list) and len(text) > _WIDTH:
            lines += [f"{flow(key)}:", *(f"  - {flow(item)}" for item in value)]
        else:
            lines.append(text)
    return lines

"""Layers and blocks -> the text of a spec, as people write specs.

    Node("conv", {"out_channels": 32, "kernel_size": 3})    ->    - conv: {out_channels: 32, kernel_size: 3}
    Node("relu")                                                  - relu
    Node("dropout", {"p": 0.5})                                   - dropout: 0.5

One layer a line, lines of up to 120 characters, paths of branches on one line where they fit; what a whole network says
of a kind of layer stands in `defaults`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from specforge.catalog.definition import Definition
from specforge.catalog.discovery import definition
from specforge.importing.patterns import ANYTHING, CHOSEN, Blocks
from specforge.importing.tree import Node, Nodes, everything
from specforge.resolved import flow

WIDTH = 120
SHORT = 76  # a list of layers of up to so many characters stands on one line
_COMPOSITES = ("repeat", "residual", "branches", "sequential", "auxiliary")
Plain = Any


def spec_text(keys: Mapping[str, Plain], nodes: Nodes, blocks: Blocks, input: Sequence[int], comment: str) -> str:
    """The text of a spec with these layers and further top-level keys; `comment` stands above it."""
    defaults = _defaults(nodes, blocks)
    parts = [f"# {line}".rstrip() for line in comment.splitlines()]
    parts += _entries({"specforge": 1, **{key: keys[key] for key in ("name", "description", "source") if key in keys}})
    if blocks.layers:
        parts += ["", "blocks:", *_indented(_block_lines(blocks, defaults))]
    model = [f"input: {flow(list(input))}"]
    model += _entry("defaults", defaults) if defaults else []
    model += _rules(keys["init"]) if "init" in keys else []
    model += ["layers:", *_indented(_items(_plain(nodes, blocks, defaults), WIDTH - 4))]
    parts += ["", "model:", *_indented(model)]
    rest = {key: value for key, value in keys.items() if key not in ("name", "description", "source", "init")}
    for key, value in rest.items():
        parts += ["", *_entry(key, value)]
    return "\n".join(parts) + "\n"


def _rules(init: Sequence[Plain]) -> list[str]:
    """`model.init`, a rule a line."""
    return ["init:", *(f"  - {flow(rule)}" for rule in init)]


def _block_lines(blocks: Blocks, defaults: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, layers in blocks.layers.items():
        inner = _entry("params", dict(blocks.params[name]), WIDTH - 4) if blocks.params[name] else []
        inner += ["layers:", *_indented(_items(_plain(layers, blocks, defaults), WIDTH - 6))]
        lines += [f"{name}:", *_indented(inner)]
    return lines


def _defaults(nodes: Nodes, blocks: Blocks) -> dict[str, dict[str, Any]]:
    """Arguments that all layers of a kind have, other than by default, in at least three places."""
    found: dict[str, dict[str, Any]] = {}
    every = [*everything(nodes), *(node for layers in blocks.layers.values() for node in everything(layers))]
    for word in {node.word: None for node in every}:
        if word not in ("conv", "depthwise_conv", "batch_norm", "layer_norm", "channel_layer_norm", "linear"):
            continue
        alike = [node for node in every if node.word == word]
        for name in ("bias", "eps", "momentum"):
            values = {repr(node.arguments.get(name)): node.arguments.get(name) for node in alike}
            value = next(iter(values.values()))
            if len(values) == 1 and len(alike) > 2 and value is not None and not isinstance(value, str):
                found.setdefault(word, {})[name] = value
    return found


def _plain(nodes: Nodes, blocks: Blocks, defaults: Mapping[str, Any]) -> list[Plain]:
    return [_item(node, blocks, defaults) for node in nodes]


def _item(node: Node, blocks: Blocks, defaults: Mapping[str, Any]) -> Plain:
    """A node as the data of an item, in its shortest form."""
    word, arguments = node.word, dict(node.arguments)
    if word == CHOSEN:
        layer = arguments["layer"]
        if isinstance(layer, str) and not node.keys:
            return layer
        word, arguments = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
    usual = defaults.get(word, {})
    arguments = {name: value for name, value in arguments.items() if name not in usual and value is not ANYTHING}
    regions = {name: _plain(items, blocks, defaults) for name, items in node.regions.items()}
    if word == "branches":
        arguments = {"paths": list(regions.values()), **arguments}
    elif word in _COMPOSITES:
        arguments = {**arguments, **{name: regions[name] for name in ("shortcut", "layers") if name in regions}}
    main = _main(word, blocks)
    given: Plain = arguments
    if main is not None and set(arguments) == {main} and not isinstance(arguments[main], dict):
        given = arguments[main]
    if not node.keys and given in ({}, None):
        return word
    return {**node.keys, word: None if given == {} else given}


def _main(word: str, blocks: Blocks) -> str | None:
    """The argument that may stand alone."""
    if word in blocks.params:
        params = blocks.params[word]
        required = [name for name, default in params.items() if default == "required"]
        first = next(iter(params), None)
        return first if required in ([], [first]) else None
    kind = definition("layers", word)
    assert kind is None or issubclass(kind, Definition)
    return None if kind is None or word in _COMPOSITES else kind.main


def _entries(mapping: Mapping[str, Plain]) -> list[str]:
    return [line for key, value in mapping.items() for line in _entry(key, value)]


def _entry(key: str, value: Plain, room: int = WIDTH) -> list[str]:
    """`key: value`, on one line where it fits."""
    if value is None:
        return [f"{key}:"]
    if key in ("layers", "shortcut") and isinstance(value, list):
        line = f"{key}: {_flow(value)}"
        short = key == "shortcut" and _is_plain(value) and len(line) <= min(room, SHORT)
        return [line] if short else [f"{key}:", *_indented(_items(value, room - 2))]
    if key == "paths" and isinstance(value, list):
        return ["paths:", *_indented([line for path in value for line in _dashed(_path(path, room - 4))])]
    line = f"{flow(key)}: {_flow(value)}"
    if not _has_layers(value) and (len(line) <= room or not isinstance(value, dict | list)):
        return [line]
    if key == "for":
        return _rows(value, room)
    if isinstance(value, dict):
        return [f"{key}:", *_indented([x for name, each in value.items() for x in _entry(name, each, room - 2)])]
    return [f"{key}:", *_indented([line for each in value for line in _dashed(_lines(each, room - 4))])]


def _path(path: list[Plain], room: int) -> list[str]:
    text = _flow(path)
    return [text] if _is_plain(path) and len(text) <= min(room, WIDTH - 24) else _items(path, room)


def _rows(columns: Mapping[str, list[Plain]], room: int) -> list[str]:
    """Lists that are walked together: rows under a header where they are many, else one below the other."""
    lists = [f"{name}: {_flow(values)}" for name, values in columns.items()]
    rows = [f"- {_flow(list(row))}" for row in (columns, *zip(*columns.values(), strict=True))]
    fits = all(len(line) <= room - 2 for line in lists)
    return ["for:", *_indented(lists if fits and (len(columns) < 4 or max(map(len, rows)) > room - 2) else rows)]


def _items(items: Sequence[Plain], room: int) -> list[str]:
    return [line for item in items for line in _dashed(_lines(item, room - 2))]


def _lines(item: Plain, room: int) -> list[str]:
    if not isinstance(item, dict):
        return [_flow(item)]
    if len(item) > 1 and not _has_layers(item) and len(_flow(item)) <= room:
        return [_flow(item)]
    return [line for key, value in item.items() for line in _entry(key, value, room)]


def _has_layers(value: Plain) -> bool:
    """Whether layers lie inside, each of which has a line of its own."""
    if isinstance(value, dict):
        return any(key in ("layers", "paths", "for") or _has_layers(each) for key, each in value.items())
    return isinstance(value, list) and any(_has_layers(each) for each in value)


def _is_plain(items: Sequence[Plain]) -> bool:
    """Whether a list of layers holds no others."""
    return not any(_has_layers(item) for item in items)


def _flow(value: Plain) -> str:
    """One line; a layer in a list without braces of its own: `[conv: {…}, relu]`."""
    if isinstance(value, list):
        return (
            "["
            + ", ".join(_pair(each) if isinstance(each, dict) and len(each) == 1 else _flow(each) for each in value)
            + "]"
        )
    if isinstance(value, dict):
        return "{" + ", ".join(_pair({key: each}) for key, each in value.items()) + "}"
    return flow(value)


def _pair(mapping: Mapping[str, Plain]) -> str:
    ((key, value),) = mapping.items()
    return f"{flow(key)}: {'' if value is None else _flow(value)}"


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]


def _dashed(lines: list[str]) -> list[str]:
    return [f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines)]

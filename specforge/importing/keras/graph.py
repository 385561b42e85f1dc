"""The JSON of a Keras network -> calls of its layers in an order in which each finds what it reads.

Keras 2 writes a call's inputs as `[["conv", 0, 0, {}], …]`, Keras 3 as tensors with a `keras_history` among its
arguments; a Sequential writes none. A network inside a network is entered with what it is called with.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, int]  # a layer's name and which of its calls


@dataclass(frozen=True, slots=True)
class LayerCall:
    """One call: what it reads, and what it is given besides, such as a number that is added; both in order."""

    reads: tuple[Key, ...]
    constants: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """A layer of the JSON: its class, its arguments, its place there, and its calls."""

    kind: str
    name: str
    config: Mapping[str, Any]
    path: str
    calls: tuple[LayerCall, ...]
    module: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A network of the JSON. `inputs` and `outputs` are values; those of a Sequential follow from its order."""

    entries: tuple[LayerEntry, ...]
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]


class BrokenModel(Exception):
    """JSON that is no network: what is wrong at which path."""

    def __init__(self, path: str, message: str):
        super().__init__(message)
        self.path, self.message = path, message


MODELS = ("Sequential", "Functional", "Model")


def model_of(data: Mapping[str, Any], path: str) -> Model:
    """A network's layers and calls; raises `BrokenModel` for what is none."""
    config = data.get("config")
    if data.get("class_name") == "Sequential":
        return _sequential(config, path)
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise BrokenModel(f"{path}.config.layers", "a network lists its `layers` here")
    entries = tuple(_entry(layer, f"{path}.config.layers[{number}]") for number, layer in enumerate(config["layers"]))
    inputs = _ends(config.get("input_layers"), f"{path}.config.input_layers")
    return Model(entries, inputs, _ends(config.get("output_layers"), f"{path}.config.output_layers"))


def ordered(model: Model) -> Iterator[tuple[LayerEntry, int, LayerCall]]:
    """Every call after those that it reads, else in the order of the JSON. Calls that read what is nowhere are left."""
    waiting: dict[Key, list[tuple[int, int]]] = {}
    missing: dict[tuple[int, int], int] = {}
    made: set[Key] = set()
    ready: list[tuple[int, int]] = []
    for place, entry in enumerate(model.entries):
        for number, call in enumerate(entry.calls):
            reads = set(call.reads)
            missing[place, number] = len(reads)
            for read in reads:
                waiting.setdefault(read, []).append((place, number))
            if not reads:
                heapq.heappush(ready, (place, number))
    while ready:
        place, number = heapq.heappop(ready)
        entry = model.entries[place]
        yield entry, number, entry.calls[number]
        key = entry.name, number
        for reader in waiting.get(key, ()) if key not in made else ():
            missing[reader] -= 1
            if missing[reader] == 0:
                heapq.heappush(ready, reader)
        made.add(key)


def _sequential(config: Any, path: str) -> Model:
    """Keras 2.1 and before wrote the list alone."""
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(layers, list):
        raise BrokenModel(f"{path}.config.layers", "a network lists its `layers` here")
    entries: list[LayerEntry] = []
    for number, layer in enumerate(layers):
        entry = _entry(layer, f"{path}.config.layers[{number}]")
        if not entries and entry.kind != "InputLayer":
            shape = entry.config.get("batch_input_shape") or entry.config.get("batch_shape")
            built = config.get("build_input_shape") if isinstance(config, dict) else None
            given = {"batch_shape": shape or built}
            entries.append(LayerEntry("InputLayer", "input of the first layer", given, entry.path, (LayerCall(()),)))
        reads = ((entries[-1].name, 0),) if entries else ()
        name = entry.name if all(entry.name != other.name for other in entries) else f"{entry.name} [{number}]"
        entries.append(LayerEntry(entry.kind, name, entry.config, entry.path, (LayerCall(reads),), entry.module))
    if not entries:
        raise BrokenModel(f"{path}.config.layers", "there are no layers")
    return Model(tuple(entries), ((entries[0].name, 0),), ((entries[-1].name, 0),))


def _entry(layer: Any, path: str) -> LayerEntry:
    if not isinstance(layer, dict) or not isinstance(layer.get("class_name"), str):
        raise BrokenModel(path, "a layer has a `class_name` and a `config`")
    config = layer.get("config")
    if layer["class_name"] in MODELS:
        arguments = layer
    elif isinstance(config, dict):
        arguments = config
    else:
        raise BrokenModel(f"{path}.config", "a layer's arguments are a mapping")
    name = layer.get("name") or (config.get("name") if isinstance(config, dict) else None) or path
    nodes = layer.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise BrokenModel(f"{path}.inbound_nodes", "the calls of a layer are a list")
    calls = tuple(_call(node, f"{path}.inbound_nodes[{number}]") for number, node in enumerate(nodes))
    if layer["class_name"] == "InputLayer":
        calls = (LayerCall(()),)
    return LayerEntry(layer["class_name"], str(name), arguments, path, calls, str(layer.get("module", "")))


def _call(node: Any, path: str) -> LayerCall:
    if isinstance(node, dict):  # Keras 3
        arguments, named = node.get("args") or [], node.get("kwargs") or {}
        if not isinstance(arguments, list) or not isinstance(named, dict):
            raise BrokenModel(path, "a call has a list `args` and a mapping `kwargs`")
        constants = [value for value in arguments if not list(_tensors(value))]
        return LayerCall(tuple(_tensors([arguments, named])), tuple(constants))
    if isinstance(node, list):
        return _older_call(node, path)
    raise BrokenModel(path, "a call lists what it reads")


def _older_call(node: list[Any], path: str) -> LayerCall:
    """`[["conv", 0, 0, {}]]`; what an operator is given besides stands in the mapping, `{"y": ["other", 0, 0]}`."""
    if node and isinstance(node[0], str):
        node = [node]
    reads: list[Key] = []
    constants: list[Any] = []
    for entry in node:
        reads.append(_reference(entry, path))
        named = entry[3] if len(entry) > 3 and isinstance(entry[3], dict) else {}
        for value in named.values():
            if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
                reads.append(_reference(value, path))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                constants.append(value)
    return LayerCall(tuple(reads), tuple(constants))


def _tensors(value: Any) -> Iterator[Key]:
    """Tensors among the arguments, however deep, in order."""
    stack = [value]
    while stack:
        entry = stack.pop()
        if isinstance(entry, dict):
            history = (
                (entry.get("config") or {}).get("keras_history") if isinstance(entry.get("config"), dict) else None
            )
            if history is not None:
                yield _reference(history, "keras_history")
            else:
                stack.extend(reversed(list(entry.values())))
        elif isinstance(entry, list):
            stack.extend(reversed(entry))


def _reference(entry: Any, path: str) -> Key:
    if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[0], str) and type(entry[1]) is int:
        return entry[0], entry[1]
    raise BrokenModel(path, "a value is named by a layer, its call and its output: [name, 0, 0]")


def _ends(value: Any, path: str) -> tuple[Key, ...]:
    """`["conv", 0, 0]`, or a list of such, or a mapping to them."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list) and value and isinstance(value[0], str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise BrokenModel(path, "a network names its inputs and outputs here")
    return tuple(_reference(entry, path) for entry in value)

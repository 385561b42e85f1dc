"""A network as a tree of plain nodes, and what a reported difference makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from specforge.catalog.discovery import definition
from specforge.diff.network import Element, layers
from specforge.diff.reading import Reader
from specforge.graph import Graph
from specforge.resolved import plain_value
from specforge.spec import Model


@dataclass
class Tree:
    """A layer by its path, with what it does and the paths of what it reads; `regions` by their full paths."""

    path: str
    kind: str
    arguments: dict[str, Any]
    reads: tuple[str, ...]
    shares: str | None
    derived: bool
    regions: "dict[str, list[Tree]]" = field(default_factory=dict)

    def walk(self) -> "Iterator[Tree]":
        yield self
        for level in self.regions.values():
            for child in level:
                yield from child.walk()


def tree(model: Model, graph: Graph) -> Tree:
    """The network below a root whose only region is ``""``."""
    level = Reader(initializers=True).read(model, graph).level
    return Tree("", "root", {}, (), None, False, {"": [_node(element) for element in layers(level)]})


def _node(element: Element) -> Tree:
    place = element.place()
    arguments = {name: value for name, value in place.arguments.items() if name not in ("from", "shared")}
    node = Tree(place.path, place.kind, arguments, place.reads, place.shares, element.derived)
    for name, level in element.regions.items():
        node.regions[f"{place.path}.{name}" if name else place.path] = [_node(inner) for inner in layers(level)]
    return node


def applied(before: Tree, architecture: dict[str, Any]) -> Tree:
    """The first network with all that was reported done to it; it is changed in place."""
    nodes = {node.path: node for node in before.walk()}
    for entry in architecture["removed"]:
        _take_out(before, nodes.pop(entry["path"]))
    placed = [entry for entry in architecture["moved"] if not entry["renamed"]]
    for entry in placed:
        _take_out(before, nodes[entry["path_before"]])
    nodes = _renamed(nodes, architecture["paths"])
    for entry in architecture["added"]:
        nodes[entry["path"]] = Tree(entry["path"], entry["kind"], _own(entry["arguments"]), (), None, False)
    placed += architecture["added"]
    for entry in placed:
        _fill(before, nodes, entry)
    _insert(before, nodes, placed)
    for entry in (*placed, *architecture["changed"]):
        if entry["kind"] != "model":
            node = nodes[entry["path"]]
            node.reads, node.shares = tuple(entry.get("reads", ())), entry.get("shares")
    for entry in architecture["changed"]:
        if entry["kind"] != "model":
            _change(nodes[entry["path"]], entry["arguments"])
    return before


def _own(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in ("from", "shared")}


def _take_out(root: Tree, node: Tree) -> None:
    """What it holds stays in its place."""
    for holder in root.walk():
        for level in holder.regions.values():
            if any(child is node for child in level):
                at = next(n for n, child in enumerate(level) if child is node)
                level[at : at + 1] = [child for inner in node.regions.values() for child in inner]
                node.regions = {}
                return


def _renamed(nodes: dict[str, Tree], paths: dict[str, str]) -> dict[str, Tree]:
    for node in nodes.values():
        node.reads = tuple(paths.get(path, path) for path in node.reads)
        node.shares = node.shares and paths.get(node.shares, node.shares)
        new = paths.get(node.path, node.path)
        node.regions = {new + region.removeprefix(node.path): level for region, level in node.regions.items()}
        node.path = new
    return {node.path: node for node in nodes.values()}


def _fill(root: Tree, nodes: dict[str, Tree], entry: dict[str, Any]) -> None:
    """Put into a composite what it holds, as far as it is there."""
    for region, paths in entry.get("holds", {}).items():
        held = [nodes[path] for path in paths if path in nodes]
        for holder in root.walk():
            for level in holder.regions.values():
                level[:] = [child for child in level if not any(child is inner for inner in held)]
        nodes[entry["path"]].regions[region] = held


def _insert(root: Tree, nodes: dict[str, Tree], placed: list[dict[str, Any]]) -> None:
    by_region: dict[str, list[dict[str, Any]]] = {}
    for entry in placed:
        by_region.setdefault(entry["region"], []).append(entry)
    levels = {region: level for node in (root, *nodes.values()) for region, level in node.regions.items()}
    for region, entries in by_region.items():
        if region not in levels:  # one that was empty
            levels[region] = nodes[region.rpartition(".")[0]].regions[region] = []
        for entry in sorted(entries, key=lambda entry: entry["index"]):
            node = nodes[entry["path"]]
            if not any(child is node for child in levels[region]):
                levels[region].insert(entry["index"], node)


def _change(node: Tree, changed: dict[str, Any]) -> None:
    for path, values in changed.items():
        name, dot, inner = path.partition(".")
        if name in ("from", "shared"):
            continue
        if dot:
            node.arguments = {**node.arguments, name: {**node.arguments.get(name, {})}}
            _set(node.arguments[name], inner, values["after"])
            if not node.arguments[name]:
                del node.arguments[name]
        else:
            _set(node.arguments, name, values["after"])
            if _is_default(node.kind, name, values["after"]):
                del node.arguments[name]


def _set(arguments: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        arguments.pop(name, None)
    else:
        arguments[name] = value


def _is_default(kind: str, name: str, value: Any) -> bool:
    if name == "trainable":
        return value is True
    found = definition("layers", kind)
    known = found.model_fields.get(name) if found else None
    if known is None or value is None or known.is_required():
        return False
    return bool(plain_value(known.get_default(call_default_factory=True)) == value)


def differs(one: Tree, other: Tree) -> str | None:
    """The first difference of two trees; arguments that a composite made up from shapes are none."""
    if (one.path, one.kind, one.reads, one.shares) != (other.path, other.kind, other.reads, other.shares):
        return f"{one} is not {other}"
    if one.arguments != other.arguments and not (one.derived and other.derived):
        return f"{one.path}: {one.arguments} is not {other.arguments}"
    for region in {**one.regions, **other.regions}:
        level, theirs = one.regions.get(region, []), other.regions.get(region, [])
        if [child.path for child in level] != [child.path for child in theirs]:
            return f"{region}: {[child.path for child in level]} are not {[child.path for child in theirs]}"
        for child, their in zip(level, theirs, strict=True):
            found = differs(child, their)
            if found:
                return found
    return None

"""`blocks:` -> definitions, and the values of a block's params for one use.

    conv_unit: {params: {channels: required, kernel_size: 3}, layers: […]}
    conv_unit: {channels: 32}    ->    {"channels": 32, "kernel_size": 3}

A default fixes the type; the first param is the main argument of the short form `conv_unit: 32`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from specforge.diagnostics import Findings, Span, define, did_you_mean, nearest
from specforge.expand.expressions import in_words
from specforge.expand.substitution import BROKEN, MAX_PARAMS, LayerValue, Scope, name_problem, value_of
from specforge.source import LIMIT, Entry, Mapping, Node, Scalar, Sequence

BLOCK = define(
    "SF209",
    "bad-block",
    """
A block is `{params: {name: default}, layers: […]}`. A param whose default is the word `required` must be given at every
use; any other default fixes the param's type. The first param may be given without its name: `conv_unit: 32`. A block
may not have the name of a layer.""",
)
BLOCK_ARGUMENT = define(
    "SF210",
    "bad-block-argument",
    """
A use of a block gives an argument that the block does not have, leaves out a required one, or gives a value whose type
differs from the default's.""",
)
RECURSION = define(
    "SF208", "recursive-block", "A block uses itself, directly or through other blocks, and would never end."
)

OWN_PARAMS = "a block sees only its own params: add `NAME: required` to them and give it at every use"


@dataclass(frozen=True, slots=True)
class Signature:
    """What expansion must know of a layer: its arguments, and which hold layers or lists of lists of them."""

    arguments: frozenset[str]
    layers: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()


Signatures = Callable[[str], Signature | None]


@dataclass(frozen=True, slots=True)
class Block:
    """A block's definition as written. `defaults` maps each param to its node; `layers` is None when broken."""

    name: str
    key: Span
    defaults: dict[str, Entry] = field(default_factory=dict)
    layers: Sequence | None = None


def define_blocks(node: Node | None, signature: Signatures, findings: Findings) -> dict[str, Block]:
    """Every block of the spec; mistakes in a definition are reported once, used or not."""
    if node is None or _is_null(node):
        return {}
    if not isinstance(node, Mapping):
        findings.add(BLOCK, node.span, "`blocks` is a mapping of names", "`blocks: {conv_unit: {layers: […]}}`")
        return {}
    blocks = {}
    for name, entry in node.entries.items():
        blocks[name] = _define(name, entry, findings)
        problem = name_problem(name)
        if signature(name) is not None:
            problem = f"`{name}` is a layer: a block can't take its name", f"name it `{name}_unit`"
        if problem is not None:
            findings.add(BLOCK, entry.key, *problem)
    return _without_recursion(blocks, signature, findings)


def _define(name: str, entry: Entry, findings: Findings) -> Block:
    body = entry.value
    if not isinstance(body, Mapping):
        findings.add(BLOCK, body.span, f"block `{name}` needs `layers`", "`{params: {…}, layers: […]}`")
        return Block(name, entry.key)
    for key, other in body.entries.items():
        if key not in ("params", "layers"):
            findings.add(BLOCK, other.key, f"a block has no `{key}`", did_you_mean(key, ("params", "layers")))
    params, layers = body.get("params"), body.get("layers")
    if not isinstance(layers, Sequence):
        misspelt = any(nearest(key, ("layers",)) for key in body.entries if key not in ("params", "layers"))
        if not misspelt:
            span = entry.key if layers is None else layers.span
            findings.add(BLOCK, span, f"block `{name}` needs a list of `layers`", "add `layers: […]`")
        layers = None
    if params is not None and not isinstance(params, Mapping) and not _is_null(params):
        findings.add(BLOCK, params.span, "`params` is a mapping of names to defaults", "`params: {channels: required}`")
    defaults = params.entries if isinstance(params, Mapping) else {}
    if len(defaults) > MAX_PARAMS and params is not None:
        findings.add(LIMIT, params.span, f"more than {MAX_PARAMS:,} params", "use lists")
        defaults = {}
    for param, default in defaults.items():
        problem = name_problem(param)
        if problem is not None:
            findings.add(BLOCK, default.key, *problem)
    return Block(name, entry.key, defaults, layers)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None and "$" not in node.text and not node.broken


def _without_recursion(blocks: dict[str, Block], signature: Signatures, findings: Findings) -> dict[str, Block]:
    """The blocks, those on a circle reported and without layers. Each is visited once, on an explicit path."""
    uses = {name: list(_uses(block.layers, blocks, signature)) for name, block in blocks.items()}
    done: set[str] = set()
    sound = dict(blocks)
    for start in blocks:
        path, pending = [start], [iter(uses[start])]
        while path:
            name, span = next(pending[-1], (None, None))
            if name is None or span is None:
                done.add(path.pop())
                pending.pop()
            elif name in path:
                circle = " -> ".join((*path[path.index(name) :], name))
                findings.add(RECURSION, span, f"block `{name}` uses itself: {circle}", "use `repeat` to stack layers")
                for inside in path[path.index(name) :]:
                    sound[inside] = replace(blocks[inside], layers=None)
            elif name not in done:
                path.append(name)
                pending.append(iter(uses[name]))
    return sound


def _uses(node: Node | None, blocks: dict[str, Block], signature: Signatures) -> Iterator[tuple[str, Span]]:
    """Every block that a list of layers uses, at any depth, with the place of the use."""
    for item in node.items if isinstance(node, Sequence) else ():
        if isinstance(item, Scalar) and item.text in blocks:
            yield item.text, item.span
        for word, entry in item.entries.items() if isinstance(item, Mapping) else ():
            if word in blocks:
                yield word, entry.key
            known = signature(word)
            arguments = entry.value.entries if isinstance(entry.value, Mapping) else {}
            for name, argument in arguments.items():
                if known is None or name in known.layers or (word == "repeat" and name == "layers"):
                    yield from _uses(argument.value, blocks, signature)  # a block may splice any of its arguments


def block_values(block: Block, key: Entry, arguments: Node, scope: Scope, findings: Findings) -> dict[str, Any] | None:
    """The params of one use: given values (in the user's scope), then defaults (in the block's own)."""
    given = _given(block, arguments, scope, findings)
    if given is None:
        return None
    place, inside = f"the defaults of block `{block.name}`", (*scope.inside, block.name)
    own = Scope(scope.budget, place, "a default sees only the params above it", inside=inside)
    values: dict[str, Any] = {}
    complete = True
    for name, default in block.defaults.items():
        required = isinstance(default.value, Scalar) and default.value.value == "required"
        if name in given:
            value = value_of(given[name].value, scope, findings)
            if not required:
                expected = _default(default, values, own, findings)
                complete &= _check_type(block, name, value, expected, given[name], scope, findings)
        elif required:
            complete = False
            _report_missing(block, name, key, arguments, findings)
            value = BROKEN
        else:
            value = _default(default, values, own, findings)
        values[name] = value
    return values if complete else None


def _default(entry: Entry, values: dict[str, Any], own: Scope, findings: Findings) -> Any:
    """A default's value, which may use the params above it."""
    if isinstance(entry.value, Scalar) and "$" not in entry.value.text:
        return BROKEN if entry.value.broken else entry.value.value
    return value_of(entry.value, own.with_values(values), findings)


def _report_missing(block: Block, name: str, key: Entry, arguments: Node, findings: Findings) -> None:
    """A required param that is not given, unless a misspelt one was reported in its place."""
    unknown = [n for n in arguments.entries if n not in block.defaults] if isinstance(arguments, Mapping) else []
    if any(nearest(other, block.defaults) == name for other in unknown):
        return
    hint = f"write `{block.name}: {{{name}: …}}`"
    if isinstance(arguments, Mapping) and arguments.entries:
        hint = f"add `{name}: …` to its arguments"
    findings.add(BLOCK_ARGUMENT, key.key, f"block `{block.name}` needs `{name}`", hint)


def _given(block: Block, node: Node, scope: Scope, findings: Findings) -> dict[str, Entry] | None:
    """The arguments by name; the short form gives the first param."""
    if _is_null(node):
        return {}
    first = next(iter(block.defaults), None)
    if not isinstance(node, Mapping):
        if first is None:
            message = f"block `{block.name}` has no params"
            findings.add(BLOCK_ARGUMENT, scope.located(node.span), message, f"write `- {block.name}`")
            return None
        return {first: Entry(node.span, node)}
    for name, entry in node.entries.items():
        if name not in block.defaults:
            message = f"block `{block.name}` has no param `{name}`"
            hint = did_you_mean(name, block.defaults) or f"block `{block.name}` has no params"
            findings.add(BLOCK_ARGUMENT, scope.located(entry.key), message, hint)
    return {name: entry for name, entry in node.entries.items() if name in block.defaults}


def _check_type(
    block: Block, name: str, value: Any, default: Any, entry: Entry, scope: Scope, findings: Findings
) -> bool:
    """A default fixes the type: a whole number also serves where a number is expected, null where nothing is."""
    if value is BROKEN or default is BROKEN or value is None or default is None or _kind(value) == _kind(default):
        return True
    if _kind(value) == "a whole number" and _kind(default) == "a number":
        return True
    if _may_be_layers(value) and _may_be_layers(default):
        return True
    message = f"`{name}` of block `{block.name}` must be {_kind(default)}, found {_kind(value)}"
    hint = f"its default is `{in_words(default)}`, which fixes the type"
    findings.add(BLOCK_ARGUMENT, scope.located(entry.value.span), message, hint)
    return False


def _may_be_layers(value: Any) -> bool:
    """Layers with arguments, one layer's word, or a list of words."""
    if isinstance(value, tuple):
        return all(_may_be_layers(item) for item in value)
    return isinstance(value, LayerValue | str)


def _kind(value: Any) -> str:
    if isinstance(value, LayerValue):
        return "layers"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list"}
    return names[type(value)]

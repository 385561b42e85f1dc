"""`blocks:` -> definitions, checked whether they are used or not.

conv_unit:
  params: {channels: required integer, kernel_size: 3}
  layers: […]
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from specforge.diagnostics import Findings, Span, define, did_you_mean, nearest
from specforge.expand.substitution import MAX_PARAMS, name_problem
from specforge.expand.words import Signatures, is_null
from specforge.source import LIMIT, Entry, Mapping, Node, Scalar, Sequence

BLOCK = define(
    "SF209",
    "bad-block",
    """
A block is `{params: {name: default}, layers: […]}`. A param that is `required` must be given at every use, and may say
of which type: `required integer`, `number`, `text`, `boolean`, `list`, `layers` or `any`. Any other default fixes the
param's type. The first param may be given without its name: `conv_unit: 32`. A block may not have the name of a
layer.""",
)
RECURSION = define(
    "SF208", "recursive-block", "A block uses itself, directly or through other blocks, and would never end."
)

OWN_PARAMS = "a block sees only its own params: add `NAME: required` to them and give it at every use"


REQUIRED = "required"
_OTHER_NAMES = {
    "int": "integer",
    "float": "number",
    "str": "text",
    "string": "text",
    "bool": "boolean",
    "layer": "layers",
}
TYPES = ("integer", "number", "text", "boolean", "list", "layers", "any")


class Param(NamedTuple):
    """A param of a block: its `default`, or the type that a required one must have (`any` if it does not say)."""

    name: str
    default: Entry
    type: str | None = None

    @property
    def required(self) -> bool:
        return self.type is not None


@dataclass(frozen=True, slots=True)
class Block:
    """A block's definition as written. `layers` is None when broken."""

    name: str
    key: Span
    params: dict[str, Param] = field(default_factory=dict)
    layers: Sequence | None = None


def define_blocks(node: Node | None, signature: Signatures, findings: Findings) -> dict[str, Block]:
    """Every block of the spec; mistakes in a definition are reported once, used or not."""
    if node is None or is_null(node):
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
    if params is not None and not isinstance(params, Mapping) and not is_null(params):
        findings.add(BLOCK, params.span, "`params` is a mapping of names to defaults", "`params: {channels: required}`")
    defaults = params.entries if isinstance(params, Mapping) else {}
    if len(defaults) > MAX_PARAMS and params is not None:
        findings.add(LIMIT, params.span, f"more than {MAX_PARAMS:,} params", "use lists")
        defaults = {}
    return Block(name, entry.key, {key: _param(key, default, findings) for key, default in defaults.items()}, layers)


def _param(name: str, default: Entry, findings: Findings) -> Param:
    problem = name_problem(name)
    if problem is not None:
        findings.add(BLOCK, default.key, *problem)
    text = default.value.value if isinstance(default.value, Scalar) else None
    first, _, rest = text.partition(" ") if isinstance(text, str) else ("", "", "")
    if first != REQUIRED:
        return Param(name, default)
    kind = rest.strip() or "any"
    if kind not in TYPES:
        hint = did_you_mean(_OTHER_NAMES.get(kind, kind), TYPES)
        findings.add(BLOCK, default.value.span, f"`{kind}` is no type of a param", hint)
        kind = "any"
    return Param(name, default, kind)


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
            arguments = entry.value if isinstance(entry.value, Mapping) or known is None else known.named(entry.value)
            if not isinstance(arguments, Mapping):
                continue
            inside = [layers for _, _, layers in known.inside(arguments)] if known is not None else []
            if known is None:  # a block may splice any of its arguments
                inside = [argument.value for argument in arguments.entries.values()]
            for layers in inside:
                yield from _uses(layers, blocks, signature)

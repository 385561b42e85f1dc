"""A use of a block -> the values of its params.

    conv_unit: {params: {channels: required integer, kernel_size: 3}, layers: […]}
    conv_unit: {channels: 32}    ->    {"channels": 32, "kernel_size": 3}

The first param is the main argument of the short form `conv_unit: 32`. A type is required by name or by a default.
"""

from typing import Any, NamedTuple

from specforge.diagnostics import Findings, Span, define, did_you_mean, nearest
from specforge.expand.blocks import Block, Param
from specforge.expand.expressions import in_words
from specforge.expand.substitution import BROKEN, LayerValue, Scope, value_of
from specforge.expand.words import is_null
from specforge.source import Entry, Mapping, Scalar, Sequence

BLOCK_ARGUMENT = define(
    "SF210",
    "bad-block-argument",
    """
A use of a block gives an argument that the block does not have, leaves out a required one, or gives a value whose type
is not the param's: the one that it requires (`required integer`), or that of its default.""",
)

OWN_PARAMS = "a block sees only its own params: add `NAME: required` to them and give it at every use"
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
    "list": "a list",
    "layers": "a layer or a list of layers",
}


class _Given(NamedTuple):
    """An argument, with the scope of the text that wrote it."""

    entry: Entry
    scope: Scope


def block_values(
    block: Block, at: Span, written: tuple[LayerValue, ...], scope: Scope, findings: Findings
) -> dict[str, Any] | None:
    """The params of one use at `at`: given values, each in its writer's scope, then defaults in the block's own.

    `written` are the arguments in any of their forms; of several, the later win.
    """
    given: dict[str, _Given] = {}
    for arguments in written:
        named = _named(block, arguments, findings)
        if named is None:
            return None
        given |= named
    place, inside = f"the defaults of block `{block.name}`", (*scope.inside, block.name)
    own = Scope(scope.budget, place, "a default sees only the params above it", inside=inside)
    values: dict[str, Any] = {}
    complete = True
    for name, param in block.params.items():
        if name in given:
            default = None if param.required else _default(param, values, own, findings)
            values[name] = value_of(given[name].entry.value, given[name].scope, findings)
            complete &= _check_type(block, param, values[name], default, given[name], findings)
        elif param.required:
            complete = False
            _report_missing(block, name, at, written, findings)
            values[name] = BROKEN
        else:
            values[name] = _default(param, values, own, findings)
    return values if complete else None


def _default(param: Param, values: dict[str, Any], own: Scope, findings: Findings) -> Any:
    """A default's value, which may use the params above it."""
    node = param.default.value
    if isinstance(node, Scalar) and "$" not in node.text:
        return BROKEN if node.broken else node.value
    return value_of(node, own.with_values(values), findings)


def _report_missing(block: Block, name: str, at: Span, written: tuple[LayerValue, ...], findings: Findings) -> None:
    """A required param that is not given, unless a misspelt one was reported in its place."""
    names = [given for part in written if isinstance(part.node, Mapping) for given in part.node.entries]
    if any(nearest(other, block.params) == name for other in names if other not in block.params):
        return
    hint = f"add `{name}: …` to its arguments" if names else f"write `{block.name}: {{{name}: …}}`"
    findings.add(BLOCK_ARGUMENT, at, f"block `{block.name}` needs `{name}`", hint)


def _named(block: Block, arguments: LayerValue, findings: Findings) -> dict[str, _Given] | None:
    """The arguments by name; the short form gives the first param."""
    node, scope = arguments.node, arguments.scope
    if is_null(node):
        return {}
    first = next(iter(block.params), None)
    if not isinstance(node, Mapping):
        if first is None:
            message = f"block `{block.name}` has no params"
            findings.add(BLOCK_ARGUMENT, scope.located(node.span), message, f"write `- {block.name}`")
            return None
        return {first: _Given(Entry(node.span, node), scope)}
    for name, entry in node.entries.items():
        if name not in block.params:
            message = f"block `{block.name}` has no param `{name}`"
            hint = did_you_mean(name, block.params) or f"block `{block.name}` has no params"
            findings.add(BLOCK_ARGUMENT, scope.located(entry.key), message, hint)
    return {name: _Given(entry, scope) for name, entry in node.entries.items() if name in block.params}


def _check_type(block: Block, param: Param, value: Any, default: Any, given: _Given, findings: Findings) -> bool:
    """Whether a value has the type that its param requires, or that its default fixes."""
    if value is BROKEN or default is BROKEN:
        return True
    if param.type is not None:
        if _is_of(param.type, value):
            return True
        wanted, hint = _KINDS[param.type], f"the block says `{param.name}: required {param.type}`"
        if param.type == "integer" and isinstance(value, float) and value.is_integer():
            hint = f"write `{value:.0f}`; in an expression, `//` divides to a whole number"
    else:
        if _agrees(value, default):
            return True
        wanted, hint = _kind(default), f"its default is `{in_words(default)}`, which fixes the type"
        if isinstance(value, float) and isinstance(default, int) and not isinstance(default, bool):
            hint = f"write its default as `{default}.0` if it may be any number"
        else:
            hint += "; `required any` takes everything"
    found = "nothing" if value is None else _kind(value)
    message = f"`{param.name}` of block `{block.name}` must be {wanted}, found {found}"
    findings.add(BLOCK_ARGUMENT, given.scope.located(given.entry.value.span), message, hint)
    return False


def _is_of(kind: str, value: Any) -> bool:
    """Whether a value is of a required type; no layers are layers too, as for a splice."""
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    if kind == "list":
        return isinstance(value, tuple) or (isinstance(value, LayerValue) and isinstance(value.node, Sequence))
    if kind == "layers":
        return value is None or _may_be_layers(value)
    return kind == "any" or isinstance(value, str if kind == "text" else bool)


def _agrees(value: Any, default: Any) -> bool:
    """Null serves everywhere, a whole number for a number, and a list of numbers for one, as in layers' arguments."""
    if value is None or default is None or _kind(value) == _kind(default):
        return True
    if _kind(default) in _NUMBERS and (_kind(value) == "a whole number" or _is_of_numbers(value)):
        return True
    return (_may_be_layers(value) and _may_be_layers(default)) or (_kind(value) in _NUMBERS and _is_of_numbers(default))


_NUMBERS = ("a whole number", "a number")


def _is_of_numbers(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(_kind(item) in _NUMBERS for item in value)


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

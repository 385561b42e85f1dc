"""What is known of words, arguments and layers -> Markdown, as hovers and completions show it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from specforge.catalog.definition import Definition, Item
from specforge.catalog.discovery import definition
from specforge.graph import GraphNode
from specforge.lsp.keys import argument, keys_of
from specforge.lsp.slots import Slot
from specforge.reference.documentation import spelled, text_of
from specforge.reference.pages import fenced, presence, table
from specforge.reference.topics import Argument
from specforge.reference.wording import singular
from specforge.shapes import spelled as shape_spelled

MAX_ROWS = 8
_MAX_VALUES = 6
_MAX_TEXT = 120  # characters of one value


@lru_cache(maxsize=200)
def word_markdown(family: str, word: str) -> str:
    """The documentation of a word, as `explain` gives it."""
    kind = definition(family, word)
    assert kind is not None
    parts = [f"**{word}** ({singular(family)})", fenced(text_of(kind))]
    rows = [
        (f"`{known.name}`", known.type, known.default if known.default is not None else "required", known.text or "")
        for known in keys_of(Slot("arguments", kind))
    ]
    if rows:
        parts.append(table(("argument", "type", "default", "meaning"), rows))
    return "\n\n".join(parts)


def argument_markdown(known: Argument, *, of: str = "") -> str:
    """One argument or key: its type, its default, and what it means."""
    head = f"**{known.name}**{f' of `{of}`' if of else ''}: {known.type}, {presence(known.default)}"
    return f"{head}\n\n{known.text}" if known.text else head


def layers_markdown(nodes: Sequence[GraphNode]) -> str:
    """The layers that one item became: where they are, their shapes and costs, and the totals."""
    rows = [
        (f"`{node.path}`", shape_spelled(node.output), _count(parameters_of([node])), _count(macs_of([node])))
        for node in nodes[:MAX_ROWS]
    ]
    if len(nodes) > MAX_ROWS:
        rows.append((f"… {len(nodes) - MAX_ROWS} more", "", "", ""))
    if len(nodes) > 1:
        rows.append(("**total**", "", _count(parameters_of(nodes)), _count(macs_of(nodes))))
    return table(("path", "output", "parameters", "MACs"), rows)


def parameters_of(nodes: Iterable[GraphNode]) -> int:
    """Values of all tensors, those of layers inside included; shared weights count where they are kept."""
    leaves = (leaf for node in nodes for leaf in node.leaves())
    return sum(leaf.parameter_count(trainable=True) + leaf.parameter_count(trainable=False) for leaf in leaves)


def macs_of(nodes: Iterable[GraphNode]) -> int:
    return sum(leaf.macs for node in nodes for leaf in node.leaves())


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def arguments_markdown(nodes: Sequence[GraphNode]) -> str:
    """The values that the layers' arguments have, with those that are defaults marked."""
    layer = nodes[0].layer
    rows = []
    for name in type(layer).model_fields if isinstance(layer, Definition) else ():
        values = values_of(nodes, name)
        if values:
            known = argument(type(layer), name) if isinstance(layer, Definition) else None
            is_default = known is not None and values == [known.default]
            why = f"default. {known.text}" if is_default and known and known.text and values == ["none"] else "default"
            rows.append((f"`{name}`", ", ".join(values), why if is_default else ""))
    return table(("argument", "value", ""), rows) if rows else ""


def values_of(nodes: Iterable[GraphNode], name: str) -> list[str]:
    """The different values of an argument, in the order of the layers."""
    found: dict[str, None] = {}
    for node in nodes:
        if not isinstance(node.layer, Definition) or name not in type(node.layer).model_fields:
            continue
        value = getattr(node.layer, name)
        text = spelled(value) if not _holds_layers(value) else ""
        if text:
            found[text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"] = None
        if len(found) > _MAX_VALUES:
            return [*list(found)[:_MAX_VALUES], "…"]
    return list(found)


def _holds_layers(value: object) -> bool:
    """Items, or lists of them, are layers of their own in the table above."""
    while isinstance(value, tuple) and value:
        value = value[0]
    return isinstance(value, Item)

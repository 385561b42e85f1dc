"""What expansion must know of the catalogue's words, and short forms made long.

linear: 512              ->    linear: {out_features: 512}      its main argument
sequential: [relu]       ->    sequential: {layers: [relu]}     a bare list of layers
relu                     ->    relu: {}
"""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Names
from dataclasses import dataclass

from specforge.source import Entry, Mapping, Node, Scalar, Sequence

# in the order that messages list them; as keys, since every key of every item is looked up
ITEM_KEYS = dict.fromkeys(("id", "from", "when", "shared", "init", "trainable"))


@dataclass(frozen=True, slots=True)
class Signature:
    """What expansion must know of a layer: its arguments, and which hold layers or lists of lists of them.

    `main` is the argument of the short form.
    """

    arguments: frozenset[str]
    layers: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    main: str | None = None

    def named(self, node: Node) -> Mapping | None:
        """The arguments by name, None where a short form is none; a bare list may be the layers of a composite."""
        is_body = self.main is None and isinstance(node, Sequence) and "layers" in self.layers
        return named(node, "layers" if is_body else self.main)

    def inside(self, arguments: Mapping) -> Iterator[tuple[str, int | None, Node]]:
        """Where layers are held: an argument, the number of one of several lists in it, and the list."""
        for name, entry in arguments.entries.items():
            if name in self.layers:
                yield name, None, entry.value
            elif name in self.lists and isinstance(entry.value, Sequence):
                for number, layers in enumerate(entry.value.items):
                    yield name, number, layers


Signatures = Callable[[str], Signature | None]
Path = tuple[str, ...]
# The paths that hold one word of a family, such as `train.optimizer`, each with what tells a word's main argument; `*`
# stands for the number of an entry in a list.
Choices = Names[Path, Callable[[str], str | None]]


def numbered(path: Path) -> Path:
    """A path with `*` for the numbers of entries, as the keys of `Choices` are."""
    return tuple(["*" if step.isdigit() else step for step in path])


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None and not node.broken and "$" not in node.text


def named(node: Node, main: str | None) -> Mapping | None:
    """Arguments in any of their forms as a mapping; None for a short form without a main argument."""
    if isinstance(node, Mapping):
        return node
    if is_null(node):
        return Mapping(node.span, {})
    return None if main is None else Mapping(node.span, {main: Entry(node.span, node)})


def chosen(node: Node) -> tuple[str, Entry] | None:
    """The word of a choice and its arguments: `adam` and `{adam: {lr: 0.1}}`; None for what is no choice."""
    if isinstance(node, Mapping) and len(node.entries) == 1:
        return next(iter(node.entries.items()))
    if isinstance(node, Scalar) and isinstance(node.value, str) and "$" not in node.text:
        return node.value, Entry(node.span, Scalar(node.span, None, ""))
    return None


def layer_of(item: Node) -> tuple[str, Entry] | None:
    """The word of an item as written and its arguments; None for a splice or what is no item."""
    if isinstance(item, Scalar):
        is_word = isinstance(item.value, str) and "$" not in item.text
        return (str(item.value), Entry(item.span, Scalar(item.span, None, ""))) if is_word else None
    if not isinstance(item, Mapping):
        return None
    kinds = [key for key in item.entries if key not in ITEM_KEYS]
    return (kinds[0], item.entries[kinds[0]]) if len(kinds) == 1 else None

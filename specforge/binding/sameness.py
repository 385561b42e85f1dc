"""A layer's arguments as written -> a key that is equal for equal arguments, wherever they stand.

{kernel_size: 3, bias: false}    ->    ("kernel_size", "bias", (int, 3), (bool, False))

The types are in it, since `1`, `1.0` and `true` are equal in Python, and only one of them may be right.
"""

from collections.abc import Hashable

from specforge.source import Mapping, Node, Scalar, Sequence


def values_of(arguments: Node) -> Hashable:
    """None for what has no key: arguments that may hold layers, which know where they stand, and reported mistakes."""
    if not isinstance(arguments, Mapping):
        return _value(arguments)
    values = [_value(entry.value) for entry in arguments.entries.values()]
    return None if None in values else (*arguments.entries, *values)


def _value(node: Node) -> Hashable:
    if isinstance(node, Scalar):
        return None if node.broken else (type(node.value), node.value)
    parts = (None,) if isinstance(node, Mapping) else (Sequence, *[_value(item) for item in node.items])
    return None if None in parts else parts

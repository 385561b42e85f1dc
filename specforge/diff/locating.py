"""A path of a spec -> where its value was written: `train.optimizer.lr` -> lab2.yaml:31:30.

Of what is not written, as a default is not, the nearest thing around it that is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from specforge.analysis import Analysis
from specforge.diagnostics import Span
from specforge.diff.difference import Setting
from specforge.source import Mapping, Node, Scalar, Sequence


def located(settings: Iterable[Setting], before: Analysis | None, after: Analysis | None) -> tuple[Setting, ...]:
    """The settings with their places in the second spec, or in the first for those that only it has."""

    def at(each: Setting) -> Span | None:
        here, else_here = (before, after) if each.after is None else (after, before)
        return place(each.path, here) or place(each.path, else_here)

    return tuple([replace(each, at=at(each)) for each in settings])


def params_between(before: Analysis | None, after: Analysis | None) -> tuple[Setting, ...]:
    """The params that both specs have, with other values; None where one of them says it in another way."""
    tables = [_params(analysis) for analysis in (before, after)]
    found = (Setting(f"params.{name}", tables[0][name], tables[1][name]) for name in tables[0] if name in tables[1])
    return located((each for each in found if each.before != each.after), None, after)


def _params(analysis: Analysis | None) -> dict[str, object]:
    params = None if analysis is None or analysis.expanded is None else analysis.expanded.root.get("params")
    entries = params.entries.items() if isinstance(params, Mapping) else ()
    return {name: _plain(entry.value) for name, entry in entries}


def _plain(node: Node) -> object:
    if isinstance(node, Mapping):
        return {name: _plain(entry.value) for name, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return node.value


def place(path: str, analysis: Analysis | None) -> Span | None:
    """Where the value at a path was written."""
    if analysis is None or analysis.expanded is None:
        return None
    spans = list(_spans(re.split(r"\.|(?=\[)", path), analysis.expanded.root))
    return spans[-1] if spans else None


def _spans(steps: list[str], node: Node | None) -> Iterator[Span]:
    """The places on the way to a value, as far as it is written."""
    for number, step in enumerate(steps):
        if isinstance(node, Sequence) and step.startswith("["):
            index = int(step.strip("[]"))
            node = node.items[index] if index < len(node.items) else None
            if node is not None:
                yield node.span
        elif isinstance(node, Mapping) and step in node.entries:
            yield node.entries[step].key
            node = node.entries[step].value
        elif number and isinstance(node, Mapping) and len(node.entries) == 1:  # the word of a choice
            (entry,) = node.entries.values()
            yield from _spans(steps[number:], entry.value) if isinstance(entry.value, Mapping) else ()
            return
        else:
            return
        if isinstance(node, Scalar):
            yield node.span

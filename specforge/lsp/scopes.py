"""A place in a text -> the names that an expression there may use, with where each is defined.

In a block's definition these are the block's own params, elsewhere those of the spec, with those that it inherits; and
everywhere the variables of the `repeat`s around.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from specforge.diagnostics import Span
from specforge.lsp.documents import Document
from specforge.lsp.parts import Part
from specforge.lsp.text import At
from specforge.source import Mapping, Node, Scalar


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an expression: what it is, the text that it stands for as written, and where that stands.

    `file` is that of an inherited param, None for this text.
    """

    name: str
    label: str
    written: str
    start: At
    end: At
    file: str | None = None


def names_at(document: Document, part: Part) -> dict[str, Name]:
    """What is visible at a part of the document's tree, the innermost of a name last."""
    found = {name.name: name for name in _params(document, part)}
    for above in reversed(list(_above(part))):
        if above.kind == "entry" and above.text == "repeat" and above.value is not None:
            found |= {name.name: name for name in _loop(above.value, above)}
    return found


def _above(part: Part) -> Iterator[Part]:
    above: Part | None = part
    while above is not None:
        yield above
        above = above.parent


def block_around(part: Part) -> Part | None:
    """The entry of the block's definition that a part stands in."""
    for above in _above(part):
        path = above.path() if above.kind == "entry" else ()
        if len(path) == 2 and path[0] == "blocks":
            return above
    return None


def _params(document: Document, part: Part) -> Iterator[Name]:
    block = block_around(part)
    if block is not None:
        params = None if block.value is None else block.value.get("params")
        yield from _written(params, f"param of block `{block.text}`")
        return
    good = document.good
    expanded = None if good is None else good.analysis.expanded
    entry = None if expanded is None else expanded.definitions.get("params")
    if good is not None and entry is not None and isinstance(entry.value, Mapping):
        for name, param in entry.value.entries.items():
            if param.key.file != good.name:
                yield _inherited(name, param.key, param.value)
    own = None if document.mapping is None else document.mapping.get("params")
    yield from _written(own, "param")


def _inherited(name: str, key: Span, value: Node) -> Name:
    written = value.text if isinstance(value, Scalar) else "…"
    return Name(name, "param", written, At(key.line, key.column), At(key.end_line, key.end_column), key.file)


def _written(params: Part | None, label: str) -> Iterator[Name]:
    for entry in params.entries() if params is not None and params.kind == "mapping" else ():
        if entry.colon:
            yield Name(entry.text, label, told(entry.value), entry.start, entry.name_end)


def _loop(repeat: Part, entry: Part) -> Iterator[Name]:
    """The variables of one `repeat`."""
    index = repeat.get("index")
    if index is not None and index.kind == "text":
        yield Name(index.text, "number of the iteration", "from 0", index.start, index.end)
    else:
        yield Name("index", "number of the iteration", "from 0", entry.start, entry.name_end)
    yield from walked(repeat)


def walked(repeat: Part) -> Iterator[Name]:
    """The variables that `for` gives, each with its values as they are written."""
    columns = repeat.get("for")
    if columns is not None and columns.kind == "mapping":
        for column in columns.entries():
            yield Name(column.text, "variable of `repeat`", told(column.value), column.start, column.name_end)
    elif columns is not None and columns.kind == "list":
        yield from _header(columns)


def _header(rows: Part) -> Iterator[Name]:
    """The variables that the first row names, with what the other rows give them."""
    lists = [item.value for item in rows.children if item.value is not None and item.value.kind == "list"]
    for number, cell in enumerate(lists[0].children if lists else ()):
        name = cell.value
        if name is not None and name.kind == "text":
            values = [told(row.children[number].value) for row in lists[1:] if number < len(row.children)]
            yield Name(name.text, "variable of `repeat`", f"[{', '.join(values)}]", name.start, name.end)


def told(part: Part | None) -> str:
    """A value in one line, as YAML in braces writes it."""
    if part is None:
        return ""
    if part.kind == "text":
        return part.text
    if part.kind == "list":
        return "[" + ", ".join(told(item.value) for item in part.children) + "]"
    entries = [f"{entry.text}: {told(entry.value)}" if entry.colon else entry.text for entry in part.entries()]
    return "{" + ", ".join(entries) + "}"

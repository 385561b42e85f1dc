"""The source of modules that torch lacks, for a file that stands alone.

In: the names of classes of `specforge.modules`, each in a file that imports torch only. Out: their text and imports.
The files are read, never imported: torch is not needed.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_TYPE_IGNORE = re.compile(r"  # type: ignore\[.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Inlined:
    """One file's text below its imports, and these: a module with the names taken from it, or none for all of it."""

    text: str
    imports: tuple[tuple[str, str | None], ...]
    positional: tuple[str, ...]
    names: tuple[str, ...]


def inlined(name: str) -> Inlined | None:
    """The source of a class of `specforge.modules`; None for a class that is not there."""
    return _classes().get(name)


@cache
def _classes() -> dict[str, Inlined]:
    found = {}
    for file in sorted((files("specforge") / "modules").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".py") or file.name == "__init__.py":
            continue
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name] = _of(text, tree, node)
    return found


def _of(text: str, tree: ast.Module, wanted: ast.ClassDef) -> Inlined:
    """A class with the constants and private functions of its file, without its neighbours."""
    parts: list[tuple[ast.stmt, str]] = []
    imports: list[tuple[str, str | None]] = []
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            imports += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [(str(node.module), alias.name) for alias in node.names]
        elif isinstance(node, ast.Assign | ast.FunctionDef) or node is wanted or _is_private(node):
            parts.append((node, _segment(text, node)))
            names += [node.name] if isinstance(node, ast.ClassDef | ast.FunctionDef) else _assigned(node)
    code = ""
    for number, (node, part) in enumerate(parts):
        is_constant = isinstance(node, ast.Assign) and number and isinstance(parts[number - 1][0], ast.Assign)
        code += ("" if not number else "\n" if is_constant else "\n\n\n") + part
    used = tuple(entry for entry in imports if re.search(rf"\b{(entry[1] or entry[0]).split('.')[0]}\b", code))
    return Inlined(code, used, _positional(wanted), tuple(names))


def _is_private(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and node.name.startswith("_")


def _assigned(node: ast.stmt) -> list[str]:
    return [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]


def _segment(text: str, node: ast.stmt) -> str:
    """The lines of a definition, comments behind it included, without what is for type checkers of this package."""
    assert node.end_lineno is not None
    first = min([node.lineno, *[one.lineno for one in getattr(node, "decorator_list", [])]])
    return _TYPE_IGNORE.sub("", "\n".join(text.splitlines()[first - 1 : node.end_lineno]))


def _positional(node: ast.ClassDef) -> tuple[str, ...]:
    """What the constructor takes without a name."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return tuple(argument.arg for argument in part.args.args[1:])
    return ()


def import_lines(imports: Iterable[tuple[str, str | None]]) -> list[str]:
    """Import statements in order: the standard library, then torch."""
    whole = sorted({module for module, name in imports if name is None})
    names: dict[str, set[str]] = {}
    for module, name in imports:
        if name is not None:
            names.setdefault(module, set()).add(name)
    sections = []
    for is_torch in (False, True):
        lines = [f"import {module}" for module in whole if _is_torch(module) is is_torch]
        for module in sorted(names):
            if _is_torch(module) is is_torch:
                listed = ", ".join(sorted(names[module], key=_import_order))
                lines.append(f"from {module} import {listed}")
        if lines:
            sections.append(lines)
    return [line for number, section in enumerate(sections) for line in ([""] if number else []) + section]


def _is_torch(module: str) -> bool:
    return module.split(".")[0] == "torch"


def _import_order(name: str) -> tuple[int, str]:
    """As isort has it: CONSTANTS, Classes, functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)

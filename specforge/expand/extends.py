"""`extends:` -> one merged tree in which every value still says which file wrote it.

    base.yaml   train: {epochs: 40, optimizer: {adam: {lr: 1e-3}}}
    child.yaml  extends: base.yaml
                train: {epochs: 5, optimizer: {sgd: {lr: 0.1}}}
    merged      train: {epochs: 5, optimizer: {sgd: {lr: 0.1}}}

Mappings merge, lists and scalars replace, `null` removes, and a choice (`optimizer`) is replaced when its word differs.
"""

from collections.abc import Callable
from pathlib import Path

from specforge.diagnostics import Findings, define
from specforge.source import Entry, Mapping, Node, Scalar

MAX_PARENTS = 32
NEVER_INHERITED = ("name", "description", "source", "assumed", "accept", "expect", "reported", "extends")

BAD_EXTENDS = define(
    "SF203",
    "bad-extends",
    """
`extends:` names the spec that this one starts from, by a path relative to this file. It must exist, hold a mapping, and
must not lead back to a file that is already being extended.""",
)

Path_ = tuple[str, ...]
Load = Callable[[Path, Scalar], Node | None]


def resolve_extends(root: Mapping, file: Path, load: Load, choices: frozenset[Path_], findings: Findings) -> Mapping:
    """Merge the chain of parents under `root`, the oldest first."""
    chain = [root]
    seen = [file.resolve()]
    while (parent := chain[-1].get("extends")) is not None:
        if not isinstance(parent, Scalar) or not isinstance(parent.value, str):
            message = "`extends` takes the path of one spec"
            findings.add(BAD_EXTENDS, parent.span, message, "write `extends: base.yaml`; that one may extend another")
            break
        path = _resolved(seen[-1].parent, parent, findings)
        if path is None:
            break
        if path in seen or len(seen) > MAX_PARENTS:
            circle = " -> ".join(step.name for step in [*seen, path])
            message = f"`extends` goes in a circle: {circle}" if path in seen else f"more than {MAX_PARENTS} parents"
            findings.add(BAD_EXTENDS, parent.span, message, "extend another file, or none")
            break
        node = load(path, parent)
        if node is None:
            break
        if not isinstance(node, Mapping):
            findings.add(BAD_EXTENDS, parent.span, f"`{parent.value}` holds no mapping", "extend a spec file")
            break
        chain.append(node)
        seen.append(path)
    merged = chain.pop()
    while chain:
        merged = merge(merged.without(*NEVER_INHERITED), chain.pop(), choices)
    return merged.without("extends")


def _resolved(folder: Path, reference: Scalar, findings: Findings) -> Path | None:
    try:
        path = (folder / str(reference.value)).resolve()
        path.is_file()
    except (ValueError, OSError, RuntimeError):  # a NUL, a name that is too long, links in a circle
        findings.add(BAD_EXTENDS, reference.span, "this is not the path of a file", "write `extends: base.yaml`")
        return None
    return path


def merge(base: Mapping, over: Mapping, choices: frozenset[Path_], path: Path_ = ()) -> Mapping:
    """`over` laid over `base`; its spans win where both speak. A `null` that removes nothing stays, to be reported."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        value, below = entry.value, (*path, key)
        if key in entries and isinstance(value, Scalar) and value.value is None and not value.broken:
            del entries[key]
            continue
        old = base.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and not _other_choice(old, value, below, choices):
            value = merge(old, value, choices, below)
        entries[key] = Entry(entry.key, value)
    return Mapping(over.span, entries)


def _other_choice(old: Mapping, new: Mapping, path: Path_, choices: frozenset[Path_]) -> bool:
    return path in choices and list(old.entries) != list(new.entries)

"""`extends:` -> one merged tree in which every value still says which file wrote it.

    base.yaml   train: {epochs: 40, optimizer: {adam: {lr: 1e-3, eps: 1e-7}}}
    child.yaml  extends: base.yaml
                train: {epochs: 5, optimizer: {adam: 4e-4}}
    merged      train: {epochs: 5, optimizer: {adam: {lr: 4e-4, eps: 1e-7}}}

Mappings merge, lists and scalars replace, `null` removes, and a choice (`optimizer`) is replaced when its word differs.
Each file brings the blocks that it includes, and its `edit` is applied when it has been merged.
"""

from pathlib import Path

from specforge.diagnostics import Findings, define
from specforge.expand import words
from specforge.expand.edit import Addressed, apply_edits
from specforge.expand.files import MAX_FILES, Load, locate
from specforge.expand.include import Includes
from specforge.expand.words import Choices, Signatures, chosen, is_null, named
from specforge.source import Entry, Mapping, Node, Scalar

NEVER_INHERITED = ("name", "description", "source", "assumed", "accept", "weights", "expect", "reported", "extends")

PARAMS = ("params",)

BAD_EXTENDS = define(
    "SF203",
    "bad-extends",
    """
`extends:` names the spec that this one starts from, by a path relative to this file. It must exist, hold a mapping, and
must not lead back to a file that is already being extended. `zoo/NAME.yaml` is a spec that comes with specforge.""",
)


def resolve_extends(
    root: Mapping,
    file: Path,
    load: Load,
    choices: Choices,
    signature: Signatures,
    findings: Findings,
    addressed: Addressed | None = None,
) -> Mapping | None:
    """Merge the chain of parents under `root`, the oldest first, each with its includes and edits.

    `addressed` takes what the edits are about (`apply_edits`).

    None, with findings, when a file is missing or wrong: what it would have defined is unknown.
    """
    chain = _chain(root, file, load, findings)
    includes = Includes(load, findings)
    merged: Mapping | None = None
    complete = not findings.has_errors
    for node, path in reversed(chain):
        known = len(findings)
        level = includes.into(node, path, merged)
        complete = complete and len(findings) == known
        own = node.get("blocks")
        if merged is not None and own is not None and is_null(own):
            merged = merged.without("blocks")  # `blocks: null` removes what is inherited, not what is included
        over = level.without("extends", "edit")
        merged = over if merged is None else merge(merged.without(*NEVER_INHERITED), over, choices)
        if "edit" in level.entries and not findings.has_errors:
            merged = apply_edits(merged, level.entries["edit"].value, signature, findings, addressed)
    return merged if complete else None


def _chain(root: Mapping, file: Path, load: Load, findings: Findings) -> list[tuple[Mapping, Path]]:
    """The spec and its parents, each with its file, the youngest first."""
    chain = [(root, file.resolve())]
    while (parent := chain[-1][0].get("extends")) is not None:
        seen = [path for _, path in chain]
        if not isinstance(parent, Scalar) or not isinstance(parent.value, str):
            message = "`extends` takes the path of one spec"
            findings.add(BAD_EXTENDS, parent.span, message, "write `extends: base.yaml`; that one may extend another")
            break
        path = locate(seen[-1].parent, parent, BAD_EXTENDS, load, findings)
        if path is None:
            break
        if path in seen or len(seen) > MAX_FILES:
            circle = " -> ".join(step.name for step in [*seen, path])
            message = f"`extends` goes in a circle: {circle}" if path in seen else f"more than {MAX_FILES} parents"
            findings.add(BAD_EXTENDS, parent.span, message, "extend another file, or none")
            break
        node = load(path, parent, BAD_EXTENDS)
        if node is None:
            break
        if not isinstance(node, Mapping):
            findings.add(BAD_EXTENDS, parent.span, f"`{parent.value}` holds no mapping", "extend a spec file")
            break
        chain.append((node, path))
    return chain


def merge(base: Mapping, over: Mapping, choices: Choices, path: words.Path = ()) -> Mapping:
    """`over` laid over `base`; its spans win where both speak. A `null` that removes nothing stays, to be reported."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        value, below = entry.value, (*path, key)
        if key in entries and is_null(value):
            del entries[key]
            continue
        old = base.get(key)
        if old is not None and below in choices:
            value = merged_choice(old, value, choices, below)
        elif (
            isinstance(old, Mapping) and isinstance(value, Mapping) and not (path == PARAMS and _are_words(old, value))
        ):
            value = merge(old, value, choices, below)
        entries[key] = Entry(entry.key, value)
    return Mapping(over.span, entries)


def _are_words(old: Mapping, new: Mapping) -> bool:
    """Whether each is one word with its arguments, another one: of params, a layer that replaces a layer."""
    return len(old.entries) == 1 == len(new.entries) and old.entries.keys() != new.entries.keys()


def merged_choice(old: Node, new: Node, choices: Choices, path: words.Path) -> Node:
    """The new choice; what the old one says of the same word stays."""
    before, after = chosen(old), chosen(new)
    if before is None or after is None or before[0] != after[0]:
        return new
    word, entry = after
    main = choices[path](word)
    inherited, given = named(before[1].value, main), named(entry.value, main)
    if inherited is None or given is None or not inherited.entries:
        return new
    return Mapping(new.span, {word: Entry(entry.key, merge(inherited, given, choices, (*path, word)))})

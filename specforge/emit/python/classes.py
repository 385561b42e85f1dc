"""Instances -> classes: uses of the same block, or of the same part of it, that are alike become one.

    ConvUnit(3, 32), ConvUnit(32, 64)    ->    class ConvUnit with `in_channels` and `channels`

What differs is a parameter. Uses that have too little in common become several classes, `Block` and `Block2`.
"""

import keyword
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from specforge.emit.python.alignment import Children, NotAlike
from specforge.emit.python.bodies import Bodies, Instance, Label, Step
from specforge.emit.python.columns import Variables, names_in, usual
from specforge.emit.python.likeness import unify_children
from specforge.emit.python.terms import ABSENT, Group, Held, Hole, Literal, Loop, Make, Term, Variable

MOST_COMPARED = 40  # kinds of uses of one block: comparing all with all takes their square


@dataclass(eq=False)
class Class:
    """A class of the emitted file.

    `adds` says whether a `sum` really is one; None where it is for all uses. `parameters` are in the order of its
    constructor.
    """

    name: str
    children: list[tuple[str, Term]]
    parameters: list[Variable]
    instances: list[Instance]
    adds: Term | None = None
    steps: tuple[Step, ...] = field(default=())

    @property
    def kind(self) -> str:
        return "sum" if any(instance.kind == "sum" for instance in self.instances) else self.instances[0].kind

    @property
    def is_root(self) -> bool:
        return not self.instances[0].node.path


def classes_of(bodies: Bodies, name: str, taken: Iterable[str]) -> list[Class]:
    """The classes of a file, those that others use first, the network of this name last.

    `taken` are names that they can't have.
    """
    root, found = bodies.root, list[Class]()
    names = {*taken, name}
    for group in _in_order(bodies.instances):
        if group == [root]:
            found.append(_defined([root], name))
            continue
        for alike in _alike(group):
            wish = camel("_".join(alike[0].label), "Block")
            if wish == "Stage" and wish in names:  # of a block
                wish = "RepeatedStage"
            chosen = _unused(wish, names)
            names.add(chosen)
            found.append(_defined(alike, chosen))
    return found


def camel(words: str, default: str) -> str:
    """`conv_unit -> ConvUnit`; the default before what can't begin a name."""
    parts = re.findall(r"[A-Za-z0-9]+", words)
    name = "".join(part[:1].upper() + part[1:] for part in parts)
    name = name if name.isidentifier() else f"{default}{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _unused(name: str, taken: set[str]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name}{number}", number + 1
    return found


def _in_order(instances: list[Instance]) -> list[list[Instance]]:
    """Instances by label, each after all that it holds. A label that holds itself is taken apart by depth."""
    holds = {
        id(instance): [child for _, term in instance.children for child in _inside(term)] for instance in instances
    }
    depth: dict[int, int] = {}
    for instance in instances:  # those inside come first
        depth[id(instance)] = 1 + max((depth[id(child)] for child in holds[id(instance)]), default=0)
    try:
        return _sorted(instances, holds, lambda one: (one.label, 0))
    except CycleError:
        return _sorted(instances, holds, lambda one: (one.label, depth[id(one)]))


def _sorted(
    instances: list[Instance], holds: dict[int, list[Instance]], key: Callable[[Instance], tuple[Label, int]]
) -> list[list[Instance]]:
    """Instances in groups by a key, each after those that it holds."""
    groups: dict[tuple[Label, int], list[Instance]] = {}
    edges: dict[tuple[Label, int], set[tuple[Label, int]]] = {}
    for instance in instances:
        groups.setdefault(key(instance), []).append(instance)
        edges.setdefault(key(instance), set()).update(key(child) for child in holds[id(instance)])
    return [groups[label] for label in TopologicalSorter(edges).static_order()]


def _inside(term: Term) -> list[Instance]:
    """The instances that a term holds, not those inside them."""
    if isinstance(term, Instance):
        return [term]
    if isinstance(term, Group):
        return [found for _, child in term.children for found in _inside(child)]
    if isinstance(term, Loop):
        return [found for child in term.iterations for found in _inside(child)]
    if isinstance(term, Held):
        return _inside(term.group)
    return []


def _alike(instances: list[Instance]) -> list[list[Instance]]:
    """The instances in as few groups as have one code each."""
    by_layout: dict[Any, list[Instance]] = {}
    for instance in instances:
        names = tuple(name for name, _ in instance.children)
        by_layout.setdefault((instance.kind, names), []).append(instance)
    groups: list[list[Instance]] = []
    for layout in by_layout.values():
        for part in [layout] if _unified(layout) is not None else [[instance] for instance in layout]:
            home = next((group for group in groups[:MOST_COMPARED] if _unified([*group, *part]) is not None), None)
            if home is None:
                groups.append(list(part))
            else:
                home += part
    order = {id(instance): number for number, instance in enumerate(instances)}
    return [sorted(group, key=lambda one: order[id(one)]) for group in groups]


def _unified(instances: list[Instance]) -> list[tuple[str, Term]] | None:
    """The children of all instances as one, or None."""
    kinds = {instance.kind for instance in instances}
    if len(kinds) > 1 and kinds != {"chain", "sum"}:
        return None
    uses: list[Children] = [tuple((name, _built(term)) for name, term in instance.children) for instance in instances]
    if "wired" in kinds and len({_program(instance) for instance in instances}) > 1:
        return None
    if kinds != {"chain"} and kinds != {"sum"} and kinds != {"chain", "sum"}:
        first = [name for name, _ in uses[0]]
        if any([name for name, _ in children] != first for children in uses):
            return None
    try:
        return unify_children(uses)
    except NotAlike:
        return None


def _built(term: Term) -> Term:
    """The term with instances as calls of their classes."""
    if isinstance(term, Instance):
        assert term.build is not None, "what an instance holds comes first"
        return term.build
    if isinstance(term, Group):
        return Group(tuple((name, _built(child)) for name, child in term.children))
    if isinstance(term, Loop):
        return Loop(tuple(_built(child) for child in term.iterations))
    if isinstance(term, Held):
        return Held(_built(term.group), term.join)
    return term


def _program(instance: Instance) -> object:
    """What an instance does, its values numbered from the input."""
    names = {instance.node.reads[0]: 0}
    program = []
    for step in instance.steps:
        names.setdefault(step.makes, len(names))
        does = step.does if isinstance(step.does, str) else (step.does.target, *step.does.arguments.items())
        program.append((does, tuple(names[number] for number in step.reads), names[step.makes]))
    return tuple(program), names[instance.output]


def _defined(instances: list[Instance], name: str) -> Class:
    """The class of instances that are alike, which are told how to build it."""
    children = _unified(instances)
    assert children is not None
    variables = Variables(names_in(term for _, term in children))
    column = tuple(instance.kind == "sum" for instance in instances)
    settled, adds = variables.settle(Group(tuple(children)), Hole(column, None, "adds", "shortcut"))
    assert isinstance(settled, Group)
    defaults = {variable.name: usual(variable) for variable in variables.all if not variable.is_size}
    sizes = frozenset(variable.name for variable in variables.all if variable.is_size)
    variables.all.sort(key=lambda one: (defaults.get(one.name, ABSENT) is not ABSENT, not one.name.startswith("in_")))
    for number, instance in enumerate(instances):
        arguments = tuple((variable.name, Literal(variable.column[number])) for variable in variables.all)
        instance.build = Make(name, arguments, defaults, is_own=True, sizes=sizes)
    return Class(
        name,
        list(settled.children),
        variables.all,
        instances,
        adds if len(set(column)) > 1 else None,
        instances[0].steps,
    )

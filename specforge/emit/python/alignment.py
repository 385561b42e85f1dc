"""The children of several uses side by side: what stands in the same place has one name.

    conv_1  batch_norm_1  relu_1               conv_1  batch_norm_1  activation_1  dropout_1
    conv_1  batch_norm_1  gelu_1  dropout_1    ->

Layers with tensors keep their names, which are keys of the state_dict; plain ones may share a place under another.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from specforge.emit.python.terms import ABSENT, Absent, Make, Term

Use = Term | Absent
Uses = Sequence[Use]
Children = tuple[tuple[str, Term], ...]
Place = tuple[str, list[Use]]


class NotAlike(Exception):
    """Uses that no term is the code of."""


def aligned(uses: list[Children]) -> list[Place]:
    """The children of all uses side by side, in an order that is right for each."""
    places: list[Place] = [(name, [term]) for name, term in uses[0]]
    for number, children in enumerate(uses[1:], 1):
        if [name for name, _ in children] == [name for name, _ in places]:
            for (_, chosen), (_, term) in zip(places, children, strict=True):
                chosen.append(term)
        else:
            places = _woven(places, children, number)
    return places


def _woven(places: list[Place], children: Children, number: int) -> list[Place]:
    """The places with another use's children: by name, and between such anchors, plain layers by what they do."""
    woven: list[Place] = []
    ours, theirs = [name for name, _ in places], [name for name, _ in children]
    for what, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if what == "equal":
            pairs = zip(places[a:b], children[c:d], strict=True)
            woven += [(name, [*chosen, term]) for (name, chosen), (_, term) in pairs]
        else:
            woven += _between(places[a:b], children[c:d], number)
    names = [name for name, _ in woven]
    if len(set(names)) < len(names):
        raise NotAlike
    return woven


def _between(places: list[Place], children: Children, number: int) -> list[Place]:
    """What stands between layers of the same names: plain layers of one role share a place, others have none."""
    ours, theirs = [_role(chosen) for _, chosen in places], [_role([term]) for _, term in children]
    found: list[Place] = []
    for what, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if what == "equal":
            for (name, chosen), (other, term) in zip(places[a:b], children[c:d], strict=True):
                uses = [*chosen, term]
                found.append((name if name == other else _common_name(name, uses), uses))
        else:
            found += [(name, [*chosen, ABSENT]) for name, chosen in places[a:b]]
            found += [(name, [*[ABSENT] * number, term]) for name, term in children[c:d]]
    return found


def _role(uses: list[Use]) -> object:
    """The role of plain layers; something unlike all others for the rest."""
    makes = [use for use in uses if isinstance(use, Make)]
    is_plain = len(makes) == sum(not isinstance(use, Absent) for use in uses) and all(make.is_plain for make in makes)
    return makes[0].role if is_plain else object()


def _common_name(name: str, uses: list[Use]) -> str:
    """`activation_1` for what is `relu_1` and `hardswish_1`."""
    roles = {use.role for use in uses if isinstance(use, Make)}
    number = name.rpartition("_")[2]
    role = roles.pop() if len(roles) == 1 else "layer"
    return f"{role}_{number}" if number.isdigit() else role

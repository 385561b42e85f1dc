"""A difference in words: styled lines for a terminal.

different architecture, same data and recipe
+ batch_norm_1  batch_norm  [32, 32, 32]  128 parameters                             lab2.yaml:14
~ conv_1  out_channels: 32 -> 64  [32, 32, 32] -> [64, 32, 32]  parameters: 896 -> 1,792   lab2.yaml:12
    3 layers differ as a consequence: linear_1 2,097,664 -> 4,194,816 parameters
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from specforge.diagnostics import Span
from specforge.diff.difference import Alteration, Difference, Place, Repetition, Setting
from specforge.diff.folding import Fold, folds
from specforge.diff.loading import Checkpoints
from specforge.diff.patterns import listed, patterns
from specforge.diff.phrases import arrow, cost, counted, joined, number, numbered, said, word
from specforge.shapes import spelled

Style = Literal["added", "removed", "changed", "plain", "heading", "note"]

MARKS: dict[str, str] = {"added": "+", "removed": "-", "changed": "~", "moved": "~"}
MOST_VALUES = 4
MOST_RENAMED = 8


class Line(NamedTuple):
    """A line, how it is meant, and where what it says was written, as `lab2.yaml:14`."""

    style: Style
    text: str
    at: str = ""

    def __str__(self) -> str:
        return f"{self.text}  ({self.at})" if self.at else self.text


def lines(difference: Difference, *, unfolded: bool = False) -> Iterator[Line]:
    """What differs, the most important first. Added, removed and changed lines begin with `+`, `-` and `~`.

    `unfolded`: every layer has a line, also those that differ as a consequence.
    """
    yield Line("heading", headline(difference))
    yield from network_lines(difference, unfolded=unfolded)
    yield from other_lines(difference)


def other_lines(difference: Difference) -> Iterator[Line]:
    """All but the layers: data, recipe and search, sizes, loading weights."""
    for setting in (*difference.data, *difference.recipe, *difference.search):
        yield Line("changed", f"~ {said(setting)}", _at(setting.at))
    yield from totals_lines(difference)
    yield from _loading(difference.checkpoints)


def params_lines(difference: Difference) -> Iterator[Line]:
    """The params that may be why layers differ."""
    if not difference.architecture.is_only_renamed:
        yield from (Line("note", f"  {said(setting)}", _at(setting.at)) for setting in difference.params)


def network_lines(difference: Difference, *, unfolded: bool = False) -> Iterator[Line]:
    """What became of the layers."""
    architecture = difference.architecture
    yield from params_lines(difference)
    for fold in folds(architecture):
        yield from _unfolded(fold) if unfolded else _folded(fold)
    renamed = [each for each in architecture.moved if each.action == "renamed"]
    most = len(renamed) if unfolded else MOST_RENAMED
    for each in renamed[:most]:
        yield Line("changed", f"~ {_changed(each)}  renamed", _at(each.at))
    if len(renamed) > most:
        yield Line("note", f"  {len(renamed) - most} more layers with weights are renamed")


def totals_lines(difference: Difference) -> Iterator[Line]:
    """Both sizes of the networks."""
    before, after = difference.parameters
    yield Line("plain", number("parameters", before.total, after.total))
    if before.total == after.total and before.trainable != after.trainable:
        yield Line("plain", number("trained parameters", before.trainable, after.trainable))
    yield Line("plain", number("MACs", *difference.macs))


def headline(difference: Difference) -> str:
    """`same architecture, different recipe`; `same function, data and recipe` where only the writing differs."""
    verdicts = difference.verdicts()
    same = [name for name, verdict in verdicts.items() if verdict == "same"]
    different = [name for name, verdict in verdicts.items() if verdict == "different"]
    if not different:
        same[0] = "function"
    words = [f"{word} {joined(names)}" for word, names in (("different", different), ("same", same)) if names]
    if "architecture" in same:
        words.reverse()
    if difference.architecture.is_only_renamed and difference.architecture.moved:
        words.append("weights under other names")
    return ", ".join(words)


def _at(span: Span | None) -> str:
    return f"{span.file}:{span.line}" if span else ""


def _folded(fold: Fold) -> Iterator[Line]:
    mark, style = MARKS[fold.action], _style(fold.action)
    places, at = len(fold.paths), _at(fold.members[0].at)
    if fold.repetition is not None:
        yield Line("changed", f"~ {_repeated(fold, fold.repetition)}", _at(fold.repetition.at))
    elif fold.action == "moved":
        yield Line(style, f"{mark} {_moved(fold)}", at)
    elif places == 1:
        told = f"{fold.paths[0]}  {_several(fold.members)}" if fold.is_whole else _one(fold.members[0])
        yield Line(style, f"{mark} {told}", at)
    else:
        told = _several(fold.members, fold.first) if fold.is_whole else _alike(fold.members)
        yield Line(style, f"{mark} {told}", at)
        yield Line("note", f"    in {places} places: {listed(patterns(fold.paths))}")
    yield from _following(fold.consequences)


def _unfolded(fold: Fold) -> Iterator[Line]:
    if fold.repetition is not None:
        yield Line("changed", f"~ {_repeated(fold, fold.repetition)}", _at(fold.repetition.at))
    for member in fold.members:
        text = _moved(Fold("moved", (member,), (member.place.path,))) if member.action == "moved" else _one(member)
        yield Line(_style(member.action), f"{MARKS[member.action]} {text}", _at(member.at))
        for each in member.consequences:
            yield Line("note", f"    as a consequence: {_changed(each)}", _at(each.at))


def _style(action: str) -> Style:
    return "added" if action == "added" else "removed" if action == "removed" else "changed"


def _one(alteration: Alteration) -> str:
    return _changed(alteration) if alteration.before and alteration.after else _described(alteration.place)


def _described(place: Place) -> str:
    shape = "" if place.output is None else spelled(place.output)
    return "  ".join(part for part in (place.path, word(place), shape, cost((place,))) if part)


def _changed(alteration: Alteration) -> str:
    before, after = alteration.both
    if after.kind == "model":
        return said(replace(alteration.arguments[0], path=after.path))
    parts = [arrow(before.path, after.path), *map(said, alteration.arguments)]
    if before.output != after.output:
        parts.append(" -> ".join(spelled(place.output or ()) for place in (before, after)))
    return "  ".join([*parts, *_costs([alteration])])


def _costs(alterations: Sequence[Alteration]) -> Iterator[str]:
    """Parameters and MACs of all of them, before and after, where they differ."""
    for name in ("parameters", "macs"):
        before, after = (sum(getattr(each.both[side], name) for each in alterations) for side in (0, 1))
        if before != after:
            yield number("MACs" if name == "macs" else name, before, after)


def _several(members: Sequence[Alteration], first: Sequence[Alteration] | None = None) -> str:
    """`10 layers (residual, conv ×3, batch_norm ×3, relu ×3)  1,120,256 parameters` for a whole composite.

    For composites at several places, of which `first` is one: `2 layers (conv, batch_norm) ×4  32,768 parameters`.
    """
    places = f" ×{len(members) // len(first)}" if first else ""
    costs = cost(member.place for member in members)
    return "  ".join(part for part in (_layers(first or members) + places, costs) if part)


def _layers(members: Sequence[Alteration]) -> str:
    return f"{len(members)} layer{'s' * (len(members) > 1)} ({', '.join(counted([m.place.kind for m in members]))})"


def _alike(members: Sequence[Alteration]) -> str:
    """Layers that one place of the text makes."""
    if members[0].before is None or members[0].after is None:
        words = list(dict.fromkeys(word(member.place) for member in members))
        told = words[0] if len(words) == 1 else members[0].place.kind
        return "  ".join(part for part in (f"{told} ×{len(members)}", cost(member.place for member in members)) if part)
    parts = [f"{members[0].place.kind} ×{len(members)}"]
    arguments = zip(*(member.arguments for member in members), strict=True)
    return "  ".join([*parts, *map(_values, arguments), *_costs(members)])


def _values(settings: Sequence[Setting]) -> str:
    """`out_channels: 32 -> 48 (×2), 64 -> 96 (×2)`."""
    counts = Counter(said(setting).removeprefix(f"{setting.path}: ") for setting in settings)
    if len(counts) == 1:
        return said(settings[0])
    shown = [f"{values} (×{count})" if count > 1 else values for values, count in counts.items()]
    more = f" and {len(shown) - MOST_VALUES} more" if len(shown) > MOST_VALUES else ""
    return f"{settings[0].path}: {', '.join(shown[:MOST_VALUES])}{more}"


def _repeated(fold: Fold, repetition: Repetition) -> str:
    """`repeat_1: 3 -> 4 iterations, 3 is new  2 layers (conv, relu)  9,248 parameters`."""
    path = arrow(repetition.path_before, repetition.path) if len(fold.paths) == 1 else listed(patterns(fold.paths))
    parts = [f"{path}: {repetition.before} -> {repetition.after} iterations"]
    for numbers, words in ((repetition.added, ("is new", "are new")), (repetition.removed, ("is gone", "are gone"))):
        if numbers:
            parts.append(f"{numbered(numbers)} {words[len(numbers) > 1]}")
    layers, costs = _of_iterations(fold.members), cost(member.place for member in fold.members)
    several = "together " * layers.startswith("each")
    return "  ".join(part for part in (", ".join(parts), layers, f"{several}{costs}" if costs else "") if part)


def _of_iterations(members: Sequence[Alteration]) -> str:
    """The layers of each iteration, or of all where those differ, as with `when`."""
    groups: dict[str | None, list[Alteration]] = {}
    for member in members:
        groups.setdefault(member.place.group, []).append(member)
    each = {_layers(group) for group in groups.values()}
    return _layers(members) if len(each) > 1 else f"{'each ' * (len(groups) > 1)}{each.pop()}"


def _moved(fold: Fold) -> str:
    before, after = fold.members[0].both
    places = [_standing(place) for place in (before, after)]
    if places[0] == places[1]:  # another layer has this path now
        places = [f"{places[0]} in A", f"{places[1]} in B"]
    what = f"{fold.paths[0]}, {len(fold.members)} layers" if fold.is_whole else arrow(before.path, after.path)
    return f"{what}  moved: {' -> '.join(places)}"


def _standing(place: Place) -> str:
    if place.follows is None and place.region:
        return f"first in {place.region}"
    return f"behind {place.follows or 'the input'}"


def _following(consequences: Sequence[Alteration]) -> Iterator[Line]:
    """One line for all layers that differ only because of what arrives."""
    if not consequences:
        return
    heavy = [
        f"{after.path} {before.parameters:,} -> {after.parameters:,} parameters"
        for before, after in (consequence.both for consequence in consequences)
        if before.parameters != after.parameters
    ]
    count = f"{len(consequences)} layers differ" if len(consequences) > 1 else "1 layer differs"
    costly = any(before.macs != after.macs for before, after in (consequence.both for consequence in consequences))
    detail = f": {listed(heavy)}" if heavy else ", in shape and MACs" if costly else ", in shape only"
    yield Line("note", f"    {count} as a consequence{detail}")


def _loading(checkpoints: Checkpoints) -> Iterator[Line]:
    """Whether the first network's weights fit the second, and what does not."""
    words = {"all": "yes", "renamed": "yes, under other names", "some": "all but these", "none": "no"}
    yield Line("plain", f"weights of A load into B: {words[checkpoints.verdict]}")
    if checkpoints.verdict == "renamed":
        return
    renamed, gone, new = checkpoints.renamed, checkpoints.gone, checkpoints.new
    reshaped = [
        f"{arrow(old, new)} {spelled(shapes[0])} -> {spelled(shapes[1])}" for old, new, *shapes in checkpoints.reshaped
    ]
    moved = dict.fromkeys(f"{_layer(old)} -> {_layer(new)}" for old, new in renamed.items())
    for count, what, names in (
        (len(gone), "gone", patterns(gone)),
        (len(new), "new", patterns(new)),
        (len(reshaped), "of another shape", reshaped),
        (len(renamed), "under another name", list(moved)),
    ):
        if count:
            yield Line("note", f"  {count} {what}: {listed(names)}")


def _layer(name: str) -> str:
    return name.rpartition(".")[0]

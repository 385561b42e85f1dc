"""A difference in words: styled lines for a terminal.

different architecture, same data and recipe
+ batch_norm_1  batch_norm  [32, 32, 32]  128 parameters                             lab2.yaml:14
~ conv_1  out_channels: 32 -> 64  [32, 32, 32] -> [64, 32, 32]  parameters: 896 -> 1,792   lab2.yaml:12
    3 layers differ as a consequence: linear_1 2,097,664 -> 4,194,816 parameters
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal, NamedTuple

from specforge.diagnostics import Span
from specforge.diff.difference import Alteration, Checkpoints, Difference, Place, Repetition, Setting
from specforge.diff.folding import Fold, folds
from specforge.diff.patterns import listed, patterns
from specforge.resolved import flow
from specforge.shapes import spelled

Style = Literal["added", "removed", "changed", "plain", "heading", "note"]

MARKS: dict[str, str] = {"added": "+", "removed": "-", "changed": "~", "moved": "~"}
MOST_KINDS = 6
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
    before, after = (totals.total for totals in difference.parameters)
    yield Line("plain", number("parameters", before, after))
    yield Line("plain", number("MACs", *difference.macs))


def headline(difference: Difference) -> str:
    """`same architecture, different recipe`; `same function, data and recipe` where only the writing differs."""
    verdicts = difference.verdicts()
    same = [name for name, verdict in verdicts.items() if verdict == "same"]
    different = [name for name, verdict in verdicts.items() if verdict == "different"]
    if not different:
        same[0] = "function"
    words = [f"{word} {_and(names)}" for word, names in (("different", different), ("same", same)) if names]
    if "architecture" in same:
        words.reverse()
    if difference.architecture.is_only_renamed and difference.architecture.moved:
        words.append("weights under other names")
    return ", ".join(words)


def said(setting: Setting) -> str:
    """`train.epochs: 40 -> 50 epochs`."""
    shown = ["none" if value is None else flow(value) for value in (setting.before, setting.after)]
    return f"{setting.path}: {' -> '.join(shown)} {setting.unit or ''}".rstrip()


def number(name: str, before: int, after: int) -> str:
    """`parameters: 896 -> 1,792 (+896)`."""
    return f"{name}: {before:,}" if before == after else f"{name}: {before:,} -> {after:,} ({after - before:+,})"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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
    return "  ".join(part for part in (place.path, word(place), shape, _cost((place,))) if part)


def word(place: Place) -> str:
    """`conv {out_channels: 8, kernel_size: 3}`."""
    return f"{place.kind} {flow(place.arguments)}" if place.arguments else place.kind


def _cost(places: Iterable[Place]) -> str:
    found = list(places)
    sums = (("parameters", sum(p.parameters for p in found)), ("MACs", sum(p.macs for p in found)))
    return ", ".join(f"{count:,} {name}" for name, count in sums if count)


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
    """`10 layers (3 conv, 3 batch_norm, 3 relu, residual)  1,120,256 parameters` for a whole composite."""
    kinds = [member.place.kind for member in first or members]
    cost = _cost(member.place for member in members)
    return "  ".join(part for part in (f"{len(kinds)} layers ({', '.join(_counted(kinds))})", cost) if part)


def _counted(kinds: Sequence[str]) -> Iterator[str]:
    """In their order with runs counted, as `conv, relu ×2`; where that is long, each kind once with its number."""
    runs = [(kind, len(list(run))) for kind, run in groupby(kinds)]
    if len(runs) > MOST_KINDS:
        runs = list(Counter(kinds).items())
    yield from (kind if count == 1 else f"{kind} ×{count}" for kind, count in runs)


def _alike(members: Sequence[Alteration]) -> str:
    """Layers that one place of the text makes."""
    if members[0].before is None or members[0].after is None:
        words = list(dict.fromkeys(word(member.place) for member in members))
        told = words[0] if len(words) == 1 else members[0].place.kind
        return "  ".join(
            part for part in (f"{told} ×{len(members)}", _cost(member.place for member in members)) if part
        )
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
            parts.append(f"{_numbers(numbers)} {words[len(numbers) > 1]}")
    first = fold.members[0].place.group
    kinds = [member.place.kind for member in fold.members if member.place.group == first]
    several = len(kinds) < len(fold.members)
    layers = f"{'each ' * several}{len(kinds)} layers ({', '.join(_counted(kinds))})"
    cost = _cost(member.place for member in fold.members)
    return "  ".join(
        part for part in (", ".join(parts), layers, f"together {cost}" if several and cost else cost) if part
    )


def _numbers(numbers: Sequence[int]) -> str:
    """`3`, `0 and 2`, `6 to 22`."""
    is_run = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{numbers[0]} to {numbers[-1]}" if is_run else _and(list(map(str, numbers)))


def _moved(fold: Fold) -> str:
    before, after = fold.members[0].both
    places = " -> ".join(f"behind {place.follows or 'the input'}" for place in (before, after))
    what = f"{fold.paths[0]}, {len(fold.members)} layers" if fold.is_whole else arrow(before.path, after.path)
    return f"{what}  moved: {places}"


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
    detail = f": {listed(heavy)}" if heavy else ", in shape only"
    yield Line("note", f"    {count} as a consequence{detail}")


def arrow(before: str, after: str) -> str:
    """`a -> b`, or just `a` where both are the same."""
    return before if before == after else f"{before} -> {after}"


def _loading(checkpoints: Checkpoints) -> Iterator[Line]:
    """Whether the first network's weights fit the second, and what does not."""
    words = {"all": "yes", "renamed": "yes, under other names", "some": "all but these", "none": "no"}
    yield Line("plain", f"weights of A load into B: {words[checkpoints.verdict]}")
    if checkpoints.verdict == "renamed":
        return
    renamed = checkpoints.renamed
    sources = set(renamed.values())
    mismatched = [f"{name} {arrow(spelled(old), spelled(new))}" for name, old, new in checkpoints.mismatched]
    moved = dict.fromkeys(f"{_layer(old)} -> {_layer(new)}" for old, new in renamed.items())
    gone = [name for name in checkpoints.unexpected if name not in renamed]
    new = [name for name in checkpoints.missing if name not in sources]
    for count, what, names in (
        (len(gone), "only in A", patterns(gone)),
        (len(new), "only in B", patterns(new)),
        (len(mismatched), "of another shape", mismatched),
        (len(renamed), "under another name", list(moved)),
    ):
        if count:
            yield Line("note", f"  {count} {what}: {listed(names)}")


def _layer(name: str) -> str:
    return name.rpartition(".")[0]

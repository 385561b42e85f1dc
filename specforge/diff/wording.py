"""A difference in words: styled lines for a terminal, Markdown for a pull request.

different architecture, same data and recipe
+ batch_norm_1  batch_norm  [32, 32, 32]  128 parameters
~ conv_1  conv  out_channels: 32 -> 64  parameters: 896 -> 1,792
    3 layers follow: linear_1 2,097,664 -> 4,194,816 parameters
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from specforge.diff.difference import Alteration, Checkpoints, Difference, Place, Setting
from specforge.resolved import flow
from specforge.shapes import spelled

Style = Literal["added", "removed", "changed", "plain", "heading", "note"]
Line = tuple[Style, str]

MOST_NAMES = 3
MOST_ALIKE = 4
MOST_RENAMED = 8
# a fence of ```diff colours lines by their first character
_MARKS: dict[Style, str] = {"heading": "@@ ", "plain": "  ", "note": "# "}


def lines(difference: Difference) -> Iterator[Line]:
    """What differs, the most important first. Added, removed and changed lines begin with `+`, `-` and `~`."""
    yield "heading", headline(difference)
    architecture = difference.architecture
    yield from _one_sided("removed", "-", architecture.removed)
    yield from _one_sided("added", "+", architecture.added)
    yield from _all_changed(architecture.changed)
    yield from _moved(architecture.moved)
    yield from (
        ("changed", f"~ {_setting(setting)}") for setting in (*difference.data, *difference.recipe, *difference.search)
    )
    before, after = (totals.total for totals in difference.parameters)
    yield "plain", _number("parameters", before, after)
    yield "plain", _number("MACs", *difference.macs)
    yield from _loading(difference.checkpoints)


def to_markdown(difference: Difference) -> str:
    """The same for a comment on a pull request."""
    found = list(lines(difference))
    fence = "```"
    while any(fence in text for _, text in found):
        fence += "`"
    body = [f"{_MARKS.get(style, '')}{text}" for style, text in found[1:]]
    body = [f"! {text.removeprefix('~ ')}" if text.startswith("~ ") else text for text in body]
    title = f"### `{difference.before}` → `{difference.after}`"
    return "\n".join([title, "", f"**{headline(difference)}**", "", f"{fence}diff", *body, fence, ""])


def headline(difference: Difference) -> str:
    """`same architecture, different recipe`."""
    architecture = difference.architecture
    differs = {"architecture": not architecture.is_only_renamed}
    differs |= {
        name: bool(getattr(difference, name)) for name in ("data", "recipe", "search") if name in difference.parts
    }
    same = [name for name, different in differs.items() if not different]
    different = [name for name, different in differs.items() if different]
    words = [f"{word} {_and(names)}" for word, names in (("different", different), ("same", same)) if names]
    if "architecture" in same:
        words.reverse()
    if architecture.moved and architecture.is_only_renamed:
        words.append("weights under other names")
    return ", ".join(words)


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _one_sided(style: Style, mark: str, alterations: Iterable[Alteration]) -> Iterator[Line]:
    """Layers that came or went; those that did with everything around them in one line."""
    for group, members in groupby(alterations, key=lambda alteration: alteration.place.group):
        found = list(members)
        if group is None or len(found) == 1:
            for alteration in found:
                yield style, f"{mark} {_described(alteration.place)}"
                yield from _following(alteration.consequences)
        else:
            places = [alteration.place for alteration in found]
            kinds = ", ".join(_counted(place.kind for place in places))
            parameters = sum(place.parameters for place in places)
            yield style, f"{mark} {group}  {len(places)} layers ({kinds})  {parameters:,} parameters"
            yield from _following([each for alteration in found for each in alteration.consequences])


def _counted(kinds: Iterable[str]) -> Iterator[str]:
    """`conv, relu ×2` for runs of a kind."""
    for kind, run in groupby(kinds):
        number = len(list(run))
        yield kind if number == 1 else f"{kind} ×{number}"


def _described(place: Place) -> str:
    parts = [place.path, place.kind]
    if place.arguments:
        parts[1] += f" {flow(place.arguments)}"
    if place.output is not None:
        parts.append(spelled(place.output))
    if place.parameters:
        parts.append(f"{place.parameters:,} parameters")
    return "  ".join(parts)


def _all_changed(alterations: Iterable[Alteration]) -> Iterator[Line]:
    """Changed layers; the same change of many layers in one line."""
    alike: dict[str, list[Alteration]] = {}
    for alteration in alterations:
        key = alteration.place.kind + "".join(map(_setting, alteration.arguments))
        alike.setdefault(key, []).append(alteration)
    for group in alike.values():
        if len(group) <= MOST_ALIKE:
            for alteration in group:
                yield "changed", f"~ {_changed(alteration)}"
                yield from _following(alteration.consequences)
        else:
            yield "changed", f"~ {_changed_alike(group)}"
            yield from _following([each for alteration in group for each in alteration.consequences])


def _changed_alike(group: list[Alteration]) -> str:
    places = [alteration.both for alteration in group]
    parts = [f"{len(group)} {group[0].place.kind} layers", *map(_setting, group[0].arguments)]
    before, after = (sum(pair[side].parameters for pair in places) for side in (0, 1))
    if before != after:
        parts.append(_number("parameters", before, after))
    return "  ".join([*parts, _some([place.path for _, place in places])])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _changed(alteration: Alteration) -> str:
    before, after = alteration.both
    parts = [_arrow(before.path, after.path), *(_setting(setting) for setting in alteration.arguments)]
    if not alteration.arguments and before.output != after.output:
        parts.append(" -> ".join(spelled(place.output or ()) for place in (before, after)))
    if before.parameters != after.parameters:
        parts.append(_number("parameters", before.parameters, after.parameters))
    return "  ".join(parts)


def _moved(alterations: Iterable[Alteration]) -> Iterator[Line]:
    renamed: list[Alteration] = []
    for alteration in alterations:
        before, after = alteration.both
        if alteration.action == "renamed":
            renamed.append(alteration)
            continue
        places = _arrow(*(f"behind {place.follows or 'the input'}" for place in (before, after)))
        yield "changed", f"~ {_arrow(before.path, after.path)}  moved: {places}"
        yield from _following(alteration.consequences)
    for alteration in renamed[:MOST_RENAMED]:
        yield "changed", f"~ {_changed(alteration)}  renamed"
    if len(renamed) > MOST_RENAMED:
        yield "note", f"  {len(renamed) - MOST_RENAMED} more layers with weights are renamed"


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
    detail = f": {_some(heavy)}" if heavy else ", in shape only"
    yield "note", f"    {count} as a consequence{detail}"


def _setting(setting: Setting) -> str:
    shown = ("none" if value is None else flow(value) for value in (setting.before, setting.after))
    return f"{setting.path}: {' -> '.join(shown)}"


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"


def _number(name: str, before: int, after: int) -> str:
    return f"{name}: {before:,}" if before == after else f"{name}: {before:,} -> {after:,} ({after - before:+,})"


def _loading(checkpoints: Checkpoints) -> Iterator[Line]:
    """Whether the first network's weights fit the second, and what does not."""
    yield "plain", f"weights of A load into B: {'yes' if checkpoints.compatible else 'no'}"
    mismatched = [f"{name} {_arrow(spelled(old), spelled(new))}" for name, old, new in checkpoints.mismatched]
    for what, names in (
        ("only in A", checkpoints.unexpected),
        ("only in B", checkpoints.missing),
        ("of another shape", mismatched),
    ):
        if names:
            yield "note", f"  {len(names)} {what}: {_some(names)}"

"""Two bound sections, or two words -> the paths whose values differ, with their units.

    Train(optimizer=Adam(lr=1e-3))    train.optimizer: adam -> sgd
    Train(optimizer=Sgd(lr=0.1))  ->  train.optimizer.lr: 1e-3 -> 0.1

The word of a choice is no step of a path, as in `--set`. Defaults count as if they were written.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from specforge.binding import held
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import word_for
from specforge.diff.alignment import common, gaps
from specforge.diff.difference import Setting
from specforge.recipe import Group, Recipe, Stage
from specforge.resolved import arguments_of, laid_over, meant, plain_value, unit_of

# lists of what is laid over the recipe that they stand in
_LAID = ("groups", "stages")


def differences(before: Any, after: Any, path: str, unit: str | None = None) -> Iterator[Setting]:
    """Every value that differs, in the order of the language's keys. Lists of layers are not looked into."""
    if isinstance(before, Definition) and isinstance(after, Definition) and type(before) is not type(after):
        yield Setting(path, word_for(before), word_for(after))
        yield from _arguments_of_other_words(before, after, path)
    elif isinstance(before, Recipe) and isinstance(after, Recipe):
        found = list(_of_fields(before, after, path, but=_LAID))
        for name in _LAID:
            if hasattr(before, name):
                lists = getattr(before, name), getattr(after, name)
                inner = _between_lists(*lists, _below(path, name), (before, after))
                found += _not_inherited(inner, found, path)
        yield from found
    elif isinstance(before, Section) and type(before) is type(after):
        yield from _of_fields(before, after, path)
    elif _are_lists(before, after):
        yield from _between_lists(before, after, path)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from differences(before.get(name), after.get(name), _below(path, name))
    elif before != after:
        yield Setting(path, plain_value(before), plain_value(after), unit)


def _of_fields(before: Section, after: Section, path: str, but: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Of two sections of a kind."""
    for name, field in type(before).model_fields.items():
        if name not in but and not any(arm.kind == "items" for arm in held(field.annotation)):
            yield from differences(
                meant(before, name), meant(after, name), _below(path, name), unit_of(type(before), name)
            )


def _not_inherited(found: Iterable[Setting], own: Iterable[Setting], path: str) -> list[Setting]:
    """Of what differs in stages and groups, what the recipe that they are laid over does not say already."""
    known = {(each.path.removeprefix(f"{path}."), repr((each.before, each.after))) for each in own}
    inner = ((each, each.path.removeprefix(f"{path}.").partition("].")[2]) for each in found)
    return [each for each, name in inner if (name, repr((each.before, each.after))) not in known]


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _are_lists(before: Any, after: Any) -> bool:
    """Two lists of words or sections, so that their entries can be compared one by one."""
    lists = isinstance(before, tuple) and isinstance(after, tuple)
    return lists and all(isinstance(entry, Section) for entry in (*before, *after)) and bool(before or after)


def _between_lists(
    before: tuple[Section, ...], after: tuple[Section, ...], path: str, recipes: tuple[Recipe, Recipe] | None = None
) -> Iterator[Setting]:
    """Entries that changed, by their number in the second list, and those that one of the lists has alone.

    Stages and groups are laid over the `recipes` that they stand in: of one alone, what it says itself is shown.
    """

    def plain(entry: Section, side: int) -> Any:
        return laid_over(entry, recipes[side]) if recipes and isinstance(entry, Stage | Group) else plain_value(entry)

    ours, theirs = ([repr((type(entry), plain_value(entry))) for entry in side] for side in (before, after))
    for old, new in gaps(common(ours, theirs) or [], range(len(before)), range(len(after))):
        kinds = common([type(before[n]) for n in old], [type(after[n]) for n in new]) or []
        pairs = [(old[x], new[y]) for x, y in kinds]
        for x, y in pairs:
            yield from differences(before[x], after[y], f"{path}[{y}]")
        for x in sorted(set(old) - {pair[0] for pair in pairs}):
            yield Setting(f"{path}[{x}]", plain(before[x], 0), None)
        for y in sorted(set(new) - {pair[1] for pair in pairs}):
            yield Setting(f"{path}[{y}]", None, plain(after[y], 1))


def _arguments_of_other_words(before: Definition, after: Definition, path: str) -> Iterator[Setting]:
    """Arguments that both words have and that differ, and those of one word alone that are not its defaults."""
    fields = [*type(before).model_fields, *(name for name in type(after).model_fields)]
    given = arguments_of(before).keys() | arguments_of(after).keys()
    for name in dict.fromkeys(fields):
        owners = [side for side in (before, after) if name in type(side).model_fields]
        if len(owners) == 2 or name in given:
            unit = unit_of(type(owners[0]), name)
            yield from differences(getattr(before, name, None), getattr(after, name, None), _below(path, name), unit)

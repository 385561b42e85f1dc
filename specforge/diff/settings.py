"""Two bound sections, or two words -> the paths whose values differ.

    Train(optimizer=Adam(lr=1e-3))    train.optimizer: adam -> sgd
    Train(optimizer=Sgd(lr=0.1))  ->  train.optimizer.lr: 1e-3 -> 0.1

The word of a choice is no step of a path, as in `--set`. Defaults count as if they were written.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from specforge.binding import held
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import word_for
from specforge.diff.difference import Setting
from specforge.resolved import arguments_of, meant, plain_value


def differences(before: Any, after: Any, path: str) -> Iterator[Setting]:
    """Every value that differs, in the order of the language's keys. Lists of layers are not looked into."""
    if isinstance(before, Definition) and isinstance(after, Definition) and type(before) is not type(after):
        yield Setting(path, word_for(before), word_for(after))
        yield from _arguments_of_other_words(before, after, path)
    elif isinstance(before, Section) and type(before) is type(after):
        for name, field in type(before).model_fields.items():
            if not any(arm.kind == "items" for arm in held(field.annotation)):
                yield from differences(meant(before, name), meant(after, name), _below(path, name))
    elif _are_alike(before, after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}[{number}]")
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from differences(before.get(name), after.get(name), _below(path, name))
    elif before != after:
        yield Setting(path, plain_value(before), plain_value(after))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _are_alike(before: Any, after: Any) -> bool:
    """Two lists of the same words or sections, so that their arguments can be compared one by one."""
    if not (isinstance(before, tuple) and isinstance(after, tuple) and before and len(before) == len(after)):
        return False
    return all(isinstance(old, Section) and type(old) is type(new) for old, new in zip(before, after, strict=True))


def _arguments_of_other_words(before: Definition, after: Definition, path: str) -> Iterator[Setting]:
    """Arguments that both words have and that differ, and those of one word alone that are not its defaults."""
    fields = [*type(before).model_fields, *(name for name in type(after).model_fields)]
    given = arguments_of(before).keys() | arguments_of(after).keys()
    for name in dict.fromkeys(fields):
        in_both = name in type(before).model_fields and name in type(after).model_fields
        if in_both or name in given:
            yield from differences(getattr(before, name, None), getattr(after, name, None), _below(path, name))

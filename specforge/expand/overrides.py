"""`--set path=value` -> the tree with that value, by the same paths as the spec's own keys.

The i-th setting is line i of a text called `--set`, so a mistake in one is located like any other:
`--set:1:14: error[SF302] …`. The word of a choice may be skipped: `train.optimizer.lr` reaches into `{adam: {lr: …}}`.
Entries of a list are counted from 0: `train.stages.1.epochs`.
"""

import re

from specforge.diagnostics import Findings, Span, define, did_you_mean
from specforge.expand.words import Choices, Path, chosen, is_null, named, numbered
from specforge.source import Entry, Mapping, Node, Scalar, Sequence, parse

NAME = "--set"

BAD_SETTING = define(
    "SF204",
    "bad-setting",
    """
A setting is `path=value`: keys separated by dots, then a YAML value, as in `--set train.epochs=5` or
`--set 'data.dataset={npz: {path: cifar10.npz}}'`. Entries of a list are counted from 0, as in
`train.stages.0.epochs=5`. `params.name` must exist.
`extends`, `include` and `edit` come before settings, so they can't be set.""",
)

BEFORE = ("extends", "include", "edit")
SPACE = ("search", "space")


def apply_settings(root: Mapping, settings: tuple[str, ...], choices: Choices, findings: Findings) -> Mapping:
    """Every setting applied in order."""
    for line, setting in enumerate(settings, start=1):
        path, equals, text = setting.partition("=")
        steps = steps_of(path)
        whole = Span(NAME, line, 1, line, len(setting) + 1)
        if not equals or not all(steps):
            findings.add(BAD_SETTING, whole, f"`{setting}` is not `path=value`", "write `--set train.epochs=5`")
            continue
        value = _value(text, len(path) + 1, line, findings)
        if value is not None:
            at = Span(NAME, line, 1, line, len(path) + 1)
            root = _Setting(steps, value, at, choices, findings).into(root)
    return root


def apply_value(root: Mapping, path: str, value: Node, at: Span, choices: Choices, findings: Findings) -> Mapping:
    """The tree with a value at a path that is written at `at`, as a setting of the command line would put it there."""
    return _Setting(steps_of(path), value, at, choices, findings).into(root)


def steps_of(path: str) -> Path:
    """The keys of a path. What is below `search.space` is one key, a path itself."""
    steps = tuple(path.strip().split("."))
    return (*SPACE, ".".join(steps[2:])) if steps[:2] == SPACE and len(steps) > 2 else steps


def _value(text: str, offset: int, line: int, findings: Findings) -> Node | None:
    if not text.strip():
        return Scalar(Span(NAME, line, offset, line, offset + 1), None, "")
    if text.lstrip().startswith("#"):
        span = Span(NAME, line, offset + 1, line, offset + len(text) + 1)
        hint = "quote it for YAML too: `--set 'name=\"#1\"'`"
        findings.add(BAD_SETTING, span, "a value that starts with `#` is a comment", hint)
        return None
    # leading lines and spaces put the value at its place in the text `--set`
    return parse("\n" * (line - 1) + " " * offset + text, NAME, findings)


class _Setting:
    """One value on its way to its place; `at` is where its path is written."""

    def __init__(self, steps: Path, value: Node, at: Span, choices: Choices, findings: Findings):
        self.steps, self.value, self.at = steps, value, at
        self.choices, self.findings = choices, findings
        self.train: Node | None = None

    def into(self, root: Mapping) -> Mapping:
        """The tree with the value at its place."""
        self.train = root.get("train")
        return self.apply(root, 0)

    def span(self, depth: int) -> Span:
        """Where a step of the path is written."""
        if (self.at.end_line, self.at.end_column - self.at.column) != (self.at.line, len(".".join(self.steps))):
            return self.at  # in quotes
        column = self.at.column + sum(len(step) + 1 for step in self.steps[:depth])
        return self.at._replace(column=column, end_column=column + len(self.steps[depth]))

    def apply(self, node: Mapping, depth: int) -> Mapping:
        """`node` with the value set below it; `depth` steps lead to it."""
        step = self.steps[depth]
        if depth == 0 and step in BEFORE:
            message = f"`{step}` comes before settings are applied, so it can't be set"
            self.findings.add(BAD_SETTING, self.span(0), message, "write it in a file that extends this one")
            return node
        if depth == 1 and self.steps[0] == "params" and step not in node.entries:
            message = f"the spec has no param `{step}`"
            self.findings.add(BAD_SETTING, self.span(depth), message, did_you_mean(step, node.entries))
            return node
        old = node.get(step)
        if depth == len(self.steps) - 1:
            if old is not None and is_null(self.value):
                return node.without(step)
            return node.with_entry(step, Entry(self.span(depth), self.value))
        below = self._below(old, depth)
        if below is None:
            return node
        return node.with_entry(step, Entry(node.entries[step].key if old else self.span(depth), below))

    def _below(self, old: Node | None, depth: int) -> Node | None:
        """What stands at this step, with the rest of the path applied."""
        here, following = numbered(self.steps[: depth + 1]), self.steps[depth + 1]
        if old is None:
            word = self._inherited_word(here)
            if word is None or following == word:
                return self.apply(Mapping(self.span(depth), {}), depth + 1)
            return Mapping(self.span(depth), {word: Entry(self.span(depth), self._new(depth + 1))})
        if isinstance(old, Sequence):
            return self._entry(old, depth + 1)
        choice = chosen(old) if here in self.choices else None
        if choice is None and isinstance(old, Mapping):
            return self.apply(old, depth + 1)
        if choice is None:
            self._report(depth, _kind(old), following)
            return None
        word, entry = choice
        arguments = named(entry.value, self.choices[here](word))
        if isinstance(entry.value, Scalar) and "$" in entry.value.text:
            arguments = None  # it may hold any of the ways to write them
        if following == word:
            given = entry if arguments is None else Entry(entry.key, arguments)
            return self.apply(Mapping(old.span, {word: given}), depth + 1)
        if arguments is None:
            self._report(depth, f"written without argument names, as `{word}: …`", following)
            return None
        return Mapping(old.span, {word: Entry(entry.key, self.apply(arguments, depth + 1))})

    def _new(self, depth: int) -> Mapping:
        return self.apply(Mapping(self.span(depth), {}), depth)

    def _inherited_word(self, here: Path) -> str | None:
        """The word of a choice that a stage or a group takes over from the recipe."""
        if here not in self.choices or here[0] != "train" or len(here) < 4 or not isinstance(self.train, Mapping):
            return None
        recipe = self.train.get(here[-1])
        choice = None if recipe is None else chosen(recipe)
        return None if choice is None else choice[0]

    def _entry(self, old: Sequence, depth: int) -> Node | None:
        """A list with the rest of the path applied to one of its entries."""
        step = self.steps[depth]
        count = len(old.items)
        if not re.fullmatch(r"\d{1,9}", step) or int(step) >= count:
            place = ".".join(self.steps[:depth])
            message = f"`{place}` is a list of {count}: there is no `{step}` in it"
            hint = f"entries are counted from 0: `{place}.{count - 1}` is the last" if count else f"set `{place}` whole"
            self.findings.add(BAD_SETTING, self.span(depth), message, hint)
            return None
        number = int(step)
        last = depth == len(self.steps) - 1
        changed = self.value if last else self._below(old.items[number], depth)
        if changed is None:
            return None
        return Sequence(old.span, (*old.items[:number], changed, *old.items[number + 1 :]))

    def _report(self, depth: int, what: str, following: str) -> None:
        here = ".".join(self.steps[: depth + 1])
        message = f"`{here}` is {what}: there is no `{following}` below it"
        self.findings.add(BAD_SETTING, self.span(depth + 1), message, f"set `{here}` as a whole")


def _kind(node: Node) -> str:
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    return "an expression" if "$" in node.text else "a single value"

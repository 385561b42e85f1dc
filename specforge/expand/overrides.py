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


def apply_settings(root: Mapping, settings: tuple[str, ...], choices: Choices, findings: Findings) -> Mapping:
    """Every setting applied in order."""
    for line, setting in enumerate(settings, start=1):
        path, equals, text = setting.partition("=")
        steps = tuple(path.strip().split("."))
        whole = Span(NAME, line, 1, line, len(setting) + 1)
        if not equals or not all(steps):
            findings.add(BAD_SETTING, whole, f"`{setting}` is not `path=value`", "write `--set train.epochs=5`")
            continue
        value = _value(text, len(path) + 1, line, findings)
        if value is not None:
            root = _Setting(path, line, steps, value, choices, findings).apply(root, 0)
    return root


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
    def __init__(self, path: str, line: int, steps: Path, value: Node, choices: Choices, findings: Findings):
        self.path, self.line, self.steps, self.value = path, line, steps, value
        self.choices, self.findings = choices, findings

    def span(self, depth: int) -> Span:
        column = sum(len(step) + 1 for step in self.steps[:depth]) + 1
        return Span(NAME, self.line, column, self.line, column + len(self.steps[depth]))

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
            return self.apply(Mapping(self.span(depth), {}), depth + 1)
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
        if following == word:
            return self.apply(Mapping(old.span, {word: entry}), depth + 1)
        if arguments is None or (isinstance(entry.value, Scalar) and "$" in entry.value.text):
            self._report(depth, f"written without argument names, as `{word}: …`", following)
            return None
        return Mapping(old.span, {word: Entry(entry.key, self.apply(arguments, depth + 1))})

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

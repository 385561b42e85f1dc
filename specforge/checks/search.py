"""Whether what a search varies exists, and whether its ends are specs that are right themselves."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from specforge.binding import plain
from specforge.checks.recipe import NO_VALIDATION
from specforge.checks.search_ends import End, Varied, joint_ends, single_ends, written
from specforge.checks.subject import Subject, Variations
from specforge.diagnostics import Diagnostic, Findings, Span, define, did_you_mean
from specforge.expand.overrides import steps_of
from specforge.expand.variation import VARIABLE, Value, vary, words_of
from specforge.recipe import Train
from specforge.search_space import Search
from specforge.source import Mapping, Node, Scalar
from specforge.spec import Data, Model, Spec

MOST_ENDS = 64
MOST_LAYERS = 20_000  # that are looked at again for all ends together

NOT_ALL_PROVEN = define(
    "SF529",
    "search-partly-proven",
    f"""
The space of a search has more ends than are analysed before the first trial: {MOST_ENDS}, and fewer of very large
networks. The others are analysed when a trial draws them; one that is wrong is recorded as invalid, and the search goes
on. List fewer values, or accept it with a reason.""",
    severity="warning",
)
MOST_COUNTED = 10_000

BAD_SPACE = define(
    "SF527",
    "bad-search-space",
    f"""
`search:` varies what does not exist, draws from nothing, or leads to a spec that is wrong. Paths are those of `--set`,
and the ends of the space are analysed as if they had been set: every value of a choice and both bounds of a range, one
path after another, then the first values of all of them and the last, {MOST_ENDS} in all and fewer of very large
networks. Where an argument belongs to one word of a choice, its path names the word, as in
`train.optimizer.sgd.momentum`: it then counts where that word is chosen.""",
)


def check_search(subject: Subject) -> None:
    """What trials are compared by, then every path of the space, then its ends."""
    search, node = subject.spec.search, subject.tree.get("search")
    space = node.get("space") if isinstance(node, Mapping) else None
    if search is None or not isinstance(space, Mapping):
        return
    _check_goal(subject, search)
    if not space.entries:
        hint = "write `space: {train.optimizer.lr: {log_uniform: [1e-5, 1e-1]}}`, or remove `search`"
        subject.findings.add(BAD_SPACE, subject.key_span("search", "space"), "the space has no path to vary", hint)
    varied = []
    for path, entry in space.entries.items():
        distribution = search.space[path]
        flaw = distribution.flaw()
        if steps_of(path)[0] not in VARIABLE:
            message = f"`{path}` is no path of what is trained"
            subject.findings.add(BAD_SPACE, entry.key, message, _path_hint(path))
        elif flaw is not None:
            at = written(distribution, entry.value, flaw.argument)
            span = at[0].span if at else entry.value.span
            subject.findings.add(BAD_SPACE, span, f"`{path}`: {flaw.message}", flaw.hint)
        else:
            varied.append(Varied.of(path, entry.key, distribution, entry.value))
    _check_grid(subject, search, varied)
    if subject.variations is not None:
        _Proof(subject, subject.variations, search, varied).run()


def _check_grid(subject: Subject, search: Search, space: Sequence[Varied]) -> None:
    for varied in space if search.sampler == "grid" else ():
        if varied.distribution.every() is None:
            message = f"`sampler: grid` tries every combination of listed values, and `{varied.path}` is a range"
            hint = "list its values: `choice: [1e-3, 1e-2]`; or write `sampler: random`"
            subject.findings.add(BAD_SPACE, varied.node.span, message, hint)


def _path_hint(path: str) -> str | None:
    first = steps_of(path)[0]
    for name, section in (("train", Train), ("data", Data), ("model", Model)):
        if first in section.model_fields:
            return f"did you mean `{name}.{path}`?"
    return did_you_mean(first, VARIABLE)


def _check_goal(subject: Subject, search: Search) -> None:
    if search.direction not in (None, search.best_direction):
        message = f"`direction: {search.direction}` makes `{search.metric}` worse"
        hint = f"write `direction: {search.best_direction}`, or leave it out: it follows from the metric"
        subject.findings.add(BAD_SPACE, subject.span("search", "direction"), message, hint)
    divides = any(steps_of(path)[0] == "data" for path in search.space)
    if not divides and lacks_validation(search, subject.spec):
        span = subject.span("search", "metric")
        subject.findings.add(NO_VALIDATION, span, *_no_validation(search))


def lacks_validation(search: Search, spec: Spec) -> bool:
    """Whether the metric is one of a validation part that there is not."""
    data = spec.data
    return search.metric.startswith("validation") and data is not None and data.split.validation is None


def _no_validation(search: Search) -> tuple[str, str]:
    hint = (
        f"write `split: {{train: 0.9, validation: 0.1}}`, or `metric: {search.metric.replace('validation', 'train')}`"
    )
    return f"trials are compared by `{search.metric}`, which needs a validation part", hint


class _Wrong(NamedTuple):
    """An end that is no sound spec: the first thing that is wrong with it."""

    end: End
    span: Span
    message: str
    hint: str | None


class _Proof:
    """Analyses the ends of a space, one after another, until enough layers were looked at."""

    def __init__(self, subject: Subject, variations: Variations, search: Search, space: Sequence[Varied]):
        self._subject, self._variations, self._search, self._space = subject, variations, search, space
        self._known = {_identity(found) for found in subject.findings}
        layers = 1 if subject.graph is None else max(1, len(subject.graph.nodes))
        self._left = max(2, min(MOST_ENDS, MOST_LAYERS // layers))
        self._looked_at = 0

    def run(self) -> None:
        sound = True
        for varied in self._space:
            ends = list(self._next(single_ends(varied, self._space)))
            wrong = [found for end in ends if (found := self._wrong(end)) is not None]
            for found in _once(wrong):
                self._report(found, _hint(found, ends, wrong))
            sound = sound and not wrong
        if sound and len(self._space) > 1:
            for end in self._next(joint_ends(self._space)):
                found = self._wrong(end)
                if found is not None:
                    self._report(found, found.hint)
        if sound:
            self._report_rest()

    def _report_rest(self) -> None:
        """How many ends nobody has looked at."""
        all_single = chain.from_iterable(single_ends(varied, self._space) for varied in self._space)
        joint = joint_ends(self._space) if len(self._space) > 1 else iter(())
        count = sum(1 for _ in islice(chain(all_single, joint), MOST_COUNTED + 1))
        if count > self._looked_at:
            of = f"more than {MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"
            message = f"{self._looked_at} of {of} ends of the space are proven; others are when a trial draws them"
            hint = "list fewer values, or accept it: a trial that draws an invalid one is recorded, and costs nothing"
            self._subject.findings.add(NOT_ALL_PROVEN, self._subject.key_span("search", "space"), message, hint)

    def _next(self, ends: Iterator[End]) -> Iterator[End]:
        for end in islice(ends, self._left):
            self._left -= 1
            self._looked_at += 1
            yield end

    def _wrong(self, end: End) -> _Wrong | None:
        findings = Findings()
        variations = self._variations
        root = vary(variations.root, end.values, variations.choices, findings)
        spec = None if findings.has_errors else variations.analyse(root, findings)
        errors = [found for found in findings if found.severity == "error" and _identity(found) not in self._known]
        if errors:
            return _Wrong(end, errors[0].span, errors[0].message, errors[0].hint)
        divides = any(value.steps[0] == "data" for value in end.values)
        if divides and spec is not None and lacks_validation(self._search, spec):
            span = self._subject.span("search", "metric") if end.value is None else end.value.node.span
            return _Wrong(end, span, *_no_validation(self._search))
        return None

    def _report(self, wrong: _Wrong, hint: str | None) -> None:
        end, value = wrong.end, wrong.end.value
        beside = ", ".join(map(_shown, end.beside))
        if value is None:
            span = self._subject.key_span("search", "space")
            message = f"the values {beside} do not go together: {wrong.message}"
        elif _lies_in(wrong.span, value.at):
            span = wrong.span
            message = f"`{value.path}` can't be varied{f' with {beside}' if beside else ''}: {wrong.message}"
        else:
            span = value.node.span
            message = f"{_shown(value)}{f' with {beside}' if beside else ''} is not possible: {wrong.message}"
        if not any(_lies_in(wrong.span, place) for place in (span, *(v.node.span for v in end.values))):
            message += f" ({wrong.span})"
        self._subject.findings.add(BAD_SPACE, span, message, hint)


def _identity(found: Diagnostic) -> tuple[str, Span, str]:
    return found.code, found.span, found.message


def _once(wrong: Sequence[_Wrong]) -> Iterator[_Wrong]:
    """A mistake of the path, or the same one of several values, is told of the first."""
    told: set[tuple[Span, str]] = set()
    for found in wrong:
        if (found.span, found.message) not in told:
            told.add((found.span, found.message))
            yield found


def _hint(found: _Wrong, ends: Sequence[End], wrong: Sequence[_Wrong]) -> str | None:
    """Where another word above the path takes the value, the path may name that word."""
    value, failed = found.end.value, [other.end for other in wrong]
    if value is not None and isinstance(plain(value.node), float) and "whole number" in found.message:
        return "`integers` draws whole numbers"
    fitting = [end for end in ends if end not in failed and end.beside]
    if value is None or not fitting or not found.end.beside:
        return found.hint
    above = fitting[0].beside[-1]
    word = next(iter(words_of([above.node])), None)
    rest = value.path.removeprefix(f"{above.path}.")
    if word is None or not _lies_in(found.span, value.at):
        return found.hint
    return f"write `{above.path}.{word}.{rest}`: it then counts where `{word}` is chosen"


def _lies_in(inner: Span, outer: Span) -> bool:
    if inner.file != outer.file:
        return False
    start, end = (inner.line, inner.column), (inner.end_line, inner.end_column)
    return (outer.line, outer.column) <= start and end <= (outer.end_line, outer.end_column)


def _shown(value: Value) -> str:
    """`train.batch_size: 32`, in backticks."""
    text = _text(value.node)
    return f"`{value.path}: {text if len(text) <= 40 else text[:39] + '…'}`"


def _text(node: Node) -> str:
    """A value as it is written, in one line."""
    if isinstance(node, Scalar):
        return node.text or str(plain(node))
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{key}: {_text(entry.value)}" for key, entry in node.entries.items()) + "}"
    return "[" + ", ".join(map(_text, node.items)) + "]"

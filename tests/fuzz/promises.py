"""What must hold of an analysis that has ended: it says something, at places of the text; what is right stays right.

In: an analysis. Out: the promise that it breaks, where and how, or three empty texts.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

from specforge.analysis import Analysis, analyse
from specforge.catalog.definition import Clock, Schedule, Section
from specforge.diagnostics import MAX_ERRORS, Findings
from specforge.diff import diff
from specforge.formatting import format_text
from specforge.recipe import Train
from specforge.resolved import keeps_search, resolve, spec_hash, to_json, to_yaml
from specforge.source import UNREADABLE, parse
from specforge.spec import Spec

UNUSED = ["blocks"]  # mistakes in blocks that nobody uses are seen by the schema alone
MOST_NODES = 3_000  # of a spec that is given to a validator of schemas, which is slow


class Broken(NamedTuple):
    """A promise that is not kept: which, where in the code or by which finding, and what was seen."""

    failing: str = ""
    place: str = ""
    detail: str = ""


KEPT = Broken()


def broken(analysis: Analysis, settings: tuple[str, ...] = (), *, thorough: bool = False) -> Broken:
    """The first broken promise; a `thorough` look costs some more analyses."""
    found = silent(analysis) or misplaced(analysis)
    if found is None and thorough:
        found = next((what for promise in _PROMISES if (what := promise(analysis, settings)) is not None), None)
    return found or KEPT


def silent(analysis: Analysis) -> Broken | None:
    if len(analysis.findings) or analysis.is_partial or analysis.graph is not None:
        return None
    return Broken("silent", "analyse", "no findings and no graph")


def misplaced(analysis: Analysis) -> Broken | None:
    """Every finding lies in a text that was read."""
    lines = {name: _lines(text) for name, text in analysis.texts.items()}
    for found in analysis.findings:
        span = found.span
        if span.file not in lines:
            if found.rule is not UNREADABLE:
                return Broken("misplaced", found.code, f"{span} is of a text that nobody has: {found.message}")
        elif not (1 <= span.line <= span.end_line <= lines[span.file] and span.column >= 1):
            return Broken("misplaced", found.code, f"{span} does not lie in the text: {found.message}")
    return None


def _lines(text: str) -> int:
    """How many lines a text has at most, whatever ends them."""
    return text.count("\n") + text.count("\r") + sum(map(text.count, "\x85\u2028\u2029")) + 1


def resolved_again(analysis: Analysis, settings: tuple[str, ...]) -> Broken | None:
    """`specforge config` gives a spec that means the same, in YAML and in JSON, and differs in nothing."""
    spec = _right(analysis)
    if spec is None:
        return None
    for kind, write in (("yaml", to_yaml), ("json", to_json)):
        written = write(spec)
        again = _analysed(f"resolved.{kind}", written)
        other = _right(again)
        if other is None:
            told = next((f"{found.code} {found.message}" for found in again.findings), "no spec")
            return Broken("config", told.split()[0], f"the resolved {kind} is not right: {told}\n{written[-2_000:]}")
        if spec_hash(other) != spec_hash(spec) or resolve(other) != resolve(spec):
            return Broken("config", f"{kind} hash", f"the resolved {kind} means something else\n{written[-2_000:]}")
        if write(other) != written:
            return Broken("config", f"{kind} text", f"resolved again it reads otherwise\n{written[-2_000:]}")
        seen = diff(analysis, again)
        if not seen.same and (keeps_search(spec) or seen.recipe or seen.data):
            return Broken("diff", kind, f"it differs from what it resolves to: {seen.to_dict()}"[:2_000])
    return None if diff(analysis, analysis).same else Broken("diff", "itself", "a spec differs from itself")


def laid_out_again(analysis: Analysis, settings: tuple[str, ...]) -> Broken | None:
    """`specforge fmt` keeps what a text says, right or wrong, and has nothing to do on its own result."""
    text = analysis.texts.get(analysis.name)
    if text is None or analysis.expanded is None or _errors(analysis) >= MAX_ERRORS:
        return None
    laid = format_text(text, analysis.name, Findings())
    if laid is None:
        return Broken("fmt", "refused", "a text that parses is not laid out")
    if format_text(laid, analysis.name, Findings()) != laid:
        return Broken("fmt", "again", f"laid out again it changes\n{laid[-2_000:]}")
    again = _analysed("laid_out.yaml", laid, settings)
    codes, others = (Counter(found.code for found in each.findings) for each in (analysis, again))
    if codes != others:
        return Broken("fmt", "findings", f"{codes} before, {others} after\n{laid[-2_000:]}")
    before, after = _right(analysis), _right(again)
    if before is not None and after is not None and resolve(before) != resolve(after):
        return Broken("fmt", "meaning", f"it means something else\n{laid[-2_000:]}")
    return None


def taken_by_the_schema(analysis: Analysis, settings: tuple[str, ...]) -> Broken | None:
    """The JSON Schema takes what `validate` takes; asked where its validator is installed."""
    text = analysis.texts.get(analysis.name)
    validator = _validator()
    if validator is None or text is None or settings or analysis.expanded is None or analysis.findings.has_errors:
        return None
    from specforge.binding import plain

    node = parse(text.removeprefix("\ufeff"), analysis.name, Findings())
    tree = None if node is None else _listed(plain(node))
    if tree is None or _size(tree) > MOST_NODES:
        return None
    errors = validator.iter_errors(tree)
    said = next((error for error in errors if list(error.absolute_path)[:1] != UNUSED), None)
    if said is None:
        return None
    place = ".".join("*" if isinstance(step, int) else step for step in said.absolute_path)
    return Broken("schema", place, f"{said.message[:500]}\n{text[-2_000:]}")


@cache
def _validator() -> Any:
    if find_spec("jsonschema") is None:
        return None
    from specforge.schema import json_schema

    return import_module("jsonschema").Draft7Validator(json_schema())


def moved_rates(analysis: Analysis, settings: tuple[str, ...]) -> Broken | None:
    """Every schedule of a recipe gives a rate that is a number, at any moment of a run."""
    train = analysis.spec.train if analysis.spec is not None and not analysis.findings.has_errors else None
    for stage in () if train is None else train.all_stages:
        for schedule in _schedules(stage):
            for step in (0, 1, 2, 3, 7, 10 * stage.epochs - 1):
                clock = Clock.at(min(step, 10 * stage.epochs - 1), steps_per_epoch=10, epochs=stage.epochs)
                rate, momentum = schedule.rate(0.1, clock), schedule.momentum(clock)
                if isnan(rate) or not 0 <= (momentum or 0) < 1:
                    seen = f"{schedule!r} gives rate {rate} and momentum {momentum} at {clock}"
                    return Broken("rate", type(schedule).__name__, seen)
    return None


def _schedules(stage: Train | Section) -> Iterator[Schedule]:
    own = getattr(stage, "schedule", None)
    yield from () if own is None else (own,)
    for group in getattr(stage, "groups", ()):
        yield from _schedules(group)


_PROMISES: tuple[Callable[[Analysis, tuple[str, ...]], Broken | None], ...] = (
    resolved_again,
    laid_out_again,
    taken_by_the_schema,
    moved_rates,
)


def _right(analysis: Analysis) -> Spec | None:
    return None if analysis.graph is None or analysis.findings.has_errors else analysis.spec


def _errors(analysis: Analysis) -> int:
    return sum(found.severity == "error" for found in analysis.findings)


def _analysed(name: str, text: str, settings: tuple[str, ...] = ()) -> Analysis:
    # as it is: a text may hold lone carriage returns
    Path(name).write_bytes(text.encode("utf-8", "surrogatepass"))
    return analyse(name, settings)


def _listed(value: Any) -> Any:
    """Lists as JSON has them."""
    if isinstance(value, tuple | list):
        return [_listed(part) for part in value]
    return {key: _listed(below) for key, below in value.items()} if isinstance(value, dict) else value


def _size(tree: Any) -> int:
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return 1 + sum(map(_size, below))

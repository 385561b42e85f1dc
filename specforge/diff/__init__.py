"""Two specs compared as meaning, not as text.

    diff("specs/lab2.yaml", "git:HEAD~1:specs/lab2.yaml").same
    print(to_markdown(diff("lab2.yaml", "lab2_bn.yaml")))

In: two paths, revisions or analyses. Out: a `Difference`, which is data (`to_dict`), styled lines or Markdown.
"""

import sys
from pathlib import Path
from types import ModuleType

from specforge.analysis import Analysis
from specforge.diff.architecture import architecture
from specforge.diff.changes import Change, changes
from specforge.diff.checkpoints import checkpoints
from specforge.diff.difference import Difference, Setting
from specforge.diff.locating import located, params_between, place
from specforge.diff.markdown import changes_to_markdown, to_markdown
from specforge.diff.matching import Matching, match
from specforge.diff.selections import reselected
from specforge.diff.settings import differences
from specforge.diff.sides import Side, SideError, read_as, read_sides
from specforge.diff.wording import Line, lines
from specforge.git import GitError
from specforge.summary import totals

__all__ = [
    "Change",
    "Difference",
    "GitError",
    "Line",
    "Side",
    "SideError",
    "changes",
    "changes_to_markdown",
    "diff",
    "lines",
    "read_as",
    "read_sides",
    "to_markdown",
]


def diff(a: str | Path | Analysis | Side, b: str | Path | Analysis | Side) -> Difference:
    """How `b` differs from `a`; each is a path, `git:REVISION:PATH`, an `Analysis` or a `Side`.

    Raises `SpecError` with every error of a spec that is not right, `SideError` for what git does not have.
    """
    before, after = read_sides(a, b)
    networks = (before.model, before.graph), (after.model, after.graph)
    found = match(*networks)
    return Difference(
        before=before.name,
        after=after.name,
        architecture=architecture(found, *networks, at=lambda path: place(path, after.analysis)),
        parameters=(totals(before.graph), totals(after.graph)),
        macs=(before.graph.macs, after.graph.macs),
        recipe=_recipe(found, before, after),
        data=_section(before, after, "data"),
        search=_section(before, after, "search"),
        params=params_between(before.analysis, after.analysis),
        checkpoints=checkpoints(found, before.graph, after.graph),
        parts=_parts(before) | _parts(after),
    )


def _section(before: Side, after: Side, name: str) -> tuple[Setting, ...]:
    found = differences(getattr(before.spec, name), getattr(after.spec, name), name)
    return located(found, before.analysis, after.analysis)


def _recipe(found: Matching, before: Side, after: Side) -> tuple[Setting, ...]:
    """What differs in it, else what it is about."""
    written = _section(before, after, "train")
    recipes = before.spec.train, after.spec.train
    if recipes[0] is None or recipes[1] is None or any("groups" in s.path or "stages" in s.path for s in written):
        return written
    other = reselected(found, (recipes[0], before.graph), (recipes[1], after.graph))
    return (*written, *located(other, before.analysis, after.analysis))


def _parts(side: Side) -> frozenset[str]:
    return frozenset(
        name
        for name, section in (("data", side.spec.data), ("recipe", side.spec.train), ("search", side.spec.search))
        if section is not None
    )


class _Callable(ModuleType):
    """Importing this package makes it the attribute `specforge.diff`, which is a function of the Python API."""

    __call__ = staticmethod(diff)


sys.modules[__name__].__class__ = _Callable

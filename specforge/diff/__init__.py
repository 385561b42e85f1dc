"""Two specs compared as meaning, not as text.

    diff("specs/lab2.yaml", "git:HEAD~1:specs/lab2.yaml").same
    print(to_markdown(diff("lab2.yaml", "lab2_bn.yaml")))

In: two paths, revisions or analyses. Out: a `Difference`, which is data (`to_dict`), styled lines or Markdown.
"""

import sys
from pathlib import Path
from types import ModuleType

from specforge.analysis import Analysis
from specforge.diff.architecture import compare
from specforge.diff.difference import Checkpoints, Difference
from specforge.diff.settings import differences
from specforge.diff.sides import Side, SideError, read_sides
from specforge.diff.wording import lines, to_markdown
from specforge.graph import Graph
from specforge.summary import totals

__all__ = ["Difference", "Side", "SideError", "diff", "lines", "to_markdown"]


def diff(a: str | Path | Analysis | Side, b: str | Path | Analysis | Side) -> Difference:
    """How `b` differs from `a`; each is a path, `git:REVISION:PATH`, an `Analysis` or a `Side`.

    Raises `SpecError` with every error of a spec that is not right, `SideError` for what git does not have.
    """
    before, after = read_sides(a, b)
    return Difference(
        before=before.name,
        after=after.name,
        architecture=compare((before.model, before.graph), (after.model, after.graph)),
        parameters=(totals(before.graph), totals(after.graph)),
        macs=(before.graph.macs, after.graph.macs),
        recipe=tuple(differences(before.spec.train, after.spec.train, "train")),
        data=tuple(differences(before.spec.data, after.spec.data, "data")),
        search=tuple(differences(before.spec.search, after.spec.search, "search")),
        checkpoints=_checkpoints(before.graph, after.graph),
        parts=_parts(before) | _parts(after),
    )


def _parts(side: Side) -> frozenset[str]:
    return frozenset(
        name
        for name, section in (("data", side.spec.data), ("recipe", side.spec.train), ("search", side.spec.search))
        if section is not None
    )


def _checkpoints(before: Graph, after: Graph) -> Checkpoints:
    saved, wanted = before.state(), after.state()
    return Checkpoints(
        missing=tuple(name for name in wanted if name not in saved),
        unexpected=tuple(name for name in saved if name not in wanted),
        mismatched=tuple(
            (name, saved[name], shape) for name, shape in wanted.items() if name in saved and saved[name] != shape
        ),
    )


class _Callable(ModuleType):
    """Importing this package makes it the attribute `specforge.diff`, which is a function of the Python API."""

    __call__ = staticmethod(diff)


sys.modules[__name__].__class__ = _Callable

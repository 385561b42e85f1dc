"""A spec file with a `search` section -> what is searched: values for its paths, and the spec that they make.

searched = Searched.read("lab2.yaml")
values = searched.draw(trial)      # (Value("train.optimizer", …sgd…), Value("train.optimizer.lr", …0.012…))
searched.spec_of(values)           # the spec as if they were written there; raises Invalid where it is none
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from specforge.analysis import STDIN, Analysis, analyse, variations_of
from specforge.binding import plain
from specforge.catalog.distributions.definition import Draws
from specforge.checks.search_ends import Varied
from specforge.checks.subject import Variations
from specforge.diagnostics import Findings, SpecError
from specforge.expand.variation import Value, counts, in_order, vary
from specforge.experiment import incomplete
from specforge.graph import Graph
from specforge.resolved import flow
from specforge.search.errors import SearchError
from specforge.search.extension import data_of
from specforge.search_space import Search
from specforge.source import Mapping as Tree
from specforge.source import Scalar
from specforge.spec import Spec

# what does not change which trials there are and how they are compared
_BUDGET = ("trials", "keep")
# what a spec says of itself
_SAID = ("name", "description", "source", "assumed", "accept", "expect", "reported", "search")


class Invalid(Exception):
    """Drawn values that make no sound spec: the first thing that is wrong with it."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A spec whose values are searched. `paths` are in the order in which they are drawn and applied."""

    file: Path
    settings: tuple[str, ...]
    analysis: Analysis
    spec: Spec
    graph: Graph
    search: Search
    paths: tuple[Varied, ...]
    variations: Variations

    @classmethod
    def read(cls, file: str | Path, settings: tuple[str, ...] = ()) -> "Searched":
        """Raises `SpecError` for a spec that is not right, `SearchError` for one without a search."""
        if str(file) == STDIN:
            raise SearchError("a search needs a file: its result extends it", hint="write the spec to one")
        analysis = analyse(file, settings)
        spec, graph = analysis.require()
        if spec.data is None or spec.train is None:
            raise SpecError(incomplete(str(file)), analysis.texts)
        if spec.search is None:
            hint = "write `search: {space: {train.optimizer.lr: {log_uniform: [1e-5, 1e-1]}}}`; see docs/search.md"
            raise SearchError(f"{file} has no `search:` section: nothing says what to vary", hint=hint)
        paths = _varied(analysis, spec.search)
        return cls(Path(file), settings, analysis, spec, graph, spec.search, paths, variations_of(analysis))

    @property
    def identity(self) -> str:
        """A hash of what is trained, with what varied, compared by what: equal for searches whose trials compare."""
        said = {key: plain(entry.value) for key, entry in self.variations.root.entries.items() if key not in _SAID}
        search = {key: value for key, value in self.search.model_dump(mode="json").items() if key not in _BUDGET}
        space = {varied.path: plain(varied.node) for varied in self.paths}
        text = json.dumps([said, {**search, "space": space}], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def combinations(self, budget: int) -> int | None:
        """How many trials of a budget a grid has; None of another sampler."""
        return sum(1 for _ in islice(self.grid(), budget)) if self.search.sampler == "grid" else None

    def draw(self, draws: Draws) -> tuple[Value, ...]:
        """A value for every path that counts beside the values that were drawn before."""
        drawn: list[Value] = []
        for varied in self.paths:
            if counts(varied.ends[0], drawn):
                drawn.append(_value(varied, varied.distribution.draw(varied.path, draws)))
        return tuple(drawn)

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every combination of listed values, as `draws` calls them; the last path changes fastest."""
        yield from self._grid(0, ())

    def _grid(self, place: int, drawn: tuple[Value, ...]) -> Iterator[dict[str, Any]]:
        if place == len(self.paths):
            yield {}
            return
        varied = self.paths[place]
        if not counts(varied.ends[0], drawn):
            yield from self._grid(place + 1, drawn)
            return
        for value in varied.distribution.every() or ():
            for rest in self._grid(place + 1, (*drawn, _value(varied, value))):
                yield {varied.path: varied.distribution.token(value), **rest}

    def values_of(self, tokens: Mapping[str, Any]) -> tuple[Value, ...]:
        """The values that a trial drew, by what `draws` calls them."""
        return self.draw(_Known(tokens))

    def tree_of(self, values: tuple[Value, ...]) -> Tree:
        """The spec's tree with the values; raises `Invalid` for a path that leads nowhere with them."""
        findings = Findings()
        root = vary(self.variations.root, values, self.variations.choices, findings)
        _demand(findings)
        return root

    def spec_of(self, values: tuple[Value, ...]) -> Spec:
        """The spec with the values; raises `Invalid`."""
        findings = Findings()
        spec = self.variations.analyse(self.tree_of(values), findings)
        _demand(findings)
        assert spec is not None
        return spec


def shown(values: tuple[Value, ...]) -> dict[str, str]:
    """Values for people, by path: `{"train.optimizer": "sgd", "train.optimizer.lr": "0.012"}`."""
    return {value.path: flow(data_of(value.node)) for value in values}


def _varied(analysis: Analysis, search: Search) -> tuple[Varied, ...]:
    assert analysis.expanded is not None
    section = analysis.expanded.tree.get("search")
    space = section.get("space") if isinstance(section, Tree) else None
    assert isinstance(space, Tree), "a search without a space was refused before"
    found = {path: Varied.of(path, entry.key, search.space[path], entry.value) for path, entry in space.entries.items()}
    return tuple(found[value.path] for value in in_order(varied.ends[0] for varied in found.values()))


def _value(varied: Varied, drawn: Any) -> Value:
    """What was drawn, as it stands at the path."""
    if varied.distribution.is_list:
        listed: Value = varied.ends[drawn]
        return listed
    node = Scalar(varied.node.span, drawn, flow(drawn))
    return Value(varied.path, varied.at, node, varied.ends[0].words)


def _demand(findings: Findings) -> None:
    errors = [found for found in findings if found.severity == "error"]
    if errors:
        raise Invalid(f"{errors[0].message} ({errors[0].code})")


@dataclass(frozen=True, slots=True)
class _Known:
    """Draws what was drawn before."""

    tokens: Mapping[str, Any]

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return float(self.tokens[name])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self.tokens[name])

    def suggest_categorical(self, name: str, choices: Any) -> str:
        return str(self.tokens[name])

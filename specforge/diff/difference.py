"""What two specs differ in, as values; `to_dict` is the JSON that others may rely on.

An entry of `added` and `removed` is `{path, kind, arguments, output, parameters, macs}`. One of `changed` and `moved`
has `path_before` too, and `{before, after}` for output, parameters, macs and every argument that differs. Each entry
lists as `consequences` the layers up to the next change that are written as before, but whose shape, parameters or
MACs differ because of what arrives. `moved` also holds layers with weights that are only called otherwise (`renamed`).

Together they are complete: the first network with all of it done to it is the second. For that an entry also says where
it stands, as the path of the level (`region`, empty for the network's own) and the `index` there, what it `reads` and
`shares`, and which layers a composite `holds`; `paths` are the layers that both have, where their paths differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from specforge.diagnostics import Span
from specforge.diff.loading import Checkpoints
from specforge.shapes import Shape
from specforge.summary import Totals

Action = Literal["added", "removed", "changed", "moved", "renamed", "consequence"]
# the path of the image that figures hold for: the data's, where the network takes several sizes
IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that differs, at its path in the spec; None where there is none. `at` is where the later one stands."""

    path: str
    before: Any
    after: Any
    unit: str | None = None
    at: Span | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        entry = {"path": self.path, "before": self.before, "after": self.after, "unit": self.unit}
        return entry | _written(self.at)


def _written(at: Span | None) -> dict[str, Any]:
    return {"file": at and at.file, "line": at and at.line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A layer in one of the networks, and where it was written.

    `follows` is what stands before it in its level, `group` what was added, removed or moved whole, `depth` the number
    of composites that it lies in. One that `is_start` only says with which weights its layers start.
    """

    path: str
    kind: str
    arguments: dict[str, Any]
    output: Shape | None
    parameters: int = 0
    macs: int = 0
    span: Span | None = None
    is_start: bool = False
    follows: str | None = None
    group: str | None = None
    region: str = ""
    index: int = 0
    depth: int = 0
    reads: tuple[str, ...] = ()
    shares: str | None = None
    holds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "kind": self.kind,
            "arguments": self.arguments,
            "output": None if self.output is None else list(self.output),
            "parameters": self.parameters,
            "macs": self.macs,
            **_written(self.span),
            **self.standing(),
        }

    def standing(self) -> dict[str, Any]:
        """Where it stands and what it takes."""
        entry: dict[str, Any] = {"region": self.region, "index": self.index}
        if self.reads:
            entry["reads"] = list(self.reads)
        if self.shares is not None:
            entry["shares"] = self.shares
        if self.holds:
            entry["holds"] = {region: list(paths) for region, paths in self.holds.items()}
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Alteration:
    """One difference of the architecture: a layer before, after, or both, and the arguments that differ.

    `order` is its position in the second network's order of execution; what is gone lies behind what was before it.
    """

    action: Action
    before: Place | None = None
    after: Place | None = None
    arguments: tuple[Setting, ...] = ()
    consequences: "tuple[Alteration, ...]" = ()
    order: float = field(default=0.0, compare=False)

    @property
    def place(self) -> Place:
        """Where the layer is, or was when it is gone."""
        place = self.after or self.before
        assert place is not None
        return place

    @property
    def both(self) -> tuple[Place, Place]:
        """Where the layer was and is; only for one that is in both networks."""
        assert self.before is not None
        assert self.after is not None
        return self.before, self.after

    def aspects(self) -> set[str]:
        """What it is about."""
        if self.action != "changed":
            about_weights = self.place.is_start and self.action in ("added", "removed")
            return set() if self.action == "renamed" else {"initial weights" if about_weights else "architecture"}
        words = {setting.path.partition(".")[0] for setting in self.arguments} or {"itself"}
        about = {"init": "initial weights", "trainable": "frozen layers"}
        if self.place.is_start:
            about |= dict.fromkeys(("model", "top", "weights", "published"), "initial weights")
        return {about.get(word, "architecture") for word in words - {IMAGE}}

    @property
    def at(self) -> Span | None:
        """Where it was written: the first argument that differs, else the layer."""
        return next((setting.at for setting in self.arguments if setting.at is not None), self.place.span)

    def to_dict(self) -> dict[str, Any]:
        entry = self.place.to_dict()
        if self.before is not None and self.after is not None:
            old, new = self.before.to_dict(), self.after.to_dict()
            entry = {"path": new["path"], "path_before": old["path"], "kind": new["kind"]}
            entry["arguments"] = {s.path: {"before": s.before, "after": s.after} for s in self.arguments}
            entry |= {name: {"before": old[name], "after": new[name]} for name in ("output", "parameters", "macs")}
            entry |= _written(self.at) | self.after.standing()
        if self.action in ("moved", "renamed"):
            entry["renamed"] = self.action == "renamed"
        if self.action != "consequence":
            entry["consequences"] = [consequence.to_dict() for consequence in self.consequences]
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """A `repeat` that makes more or fewer iterations, whose layers are among those that were added and removed.

    `added` and `removed` are the numbers of those iterations.
    """

    path_before: str
    path: str
    before: int
    after: int
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    at: Span | None = field(default=None, compare=False)

    def groups(self) -> dict[str, str]:
        """The paths of the iterations that came or went, by the action."""
        return {f"{self.path}.{number}": "added" for number in self.added} | {
            f"{self.path_before}.{number}": "removed" for number in self.removed
        }

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "path_before": self.path_before,
            "iterations": {"before": self.before, "after": self.after},
            "added": list(self.added),
            "removed": list(self.removed),
            **_written(self.at),
        }


@dataclass(frozen=True, slots=True)
class Architecture:
    """Causes alone, in the order of execution; `moved` ends with the renamed."""

    added: tuple[Alteration, ...] = ()
    removed: tuple[Alteration, ...] = ()
    changed: tuple[Alteration, ...] = ()
    moved: tuple[Alteration, ...] = ()
    repeated: tuple[Repetition, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Alteration, ...]:
        return (*self.added, *self.removed, *self.changed, *self.moved)

    @property
    def is_only_renamed(self) -> bool:
        """Whether both networks compute the same, with the same initial weights, all of them trained or not alike."""
        return all(alteration.action == "renamed" for alteration in self.all)

    def differing(self) -> set[str]:
        """What differs: the `architecture` itself, `initial weights`, `frozen layers`."""
        return {aspect for alteration in self.all for aspect in alteration.aspects()}

    def to_dict(self) -> dict[str, Any]:
        names = ("added", "removed", "changed", "moved", "repeated")
        entry: dict[str, Any] = {name: [each.to_dict() for each in getattr(self, name)] for name in names}
        return entry | {"paths": dict(self.paths)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How `after` differs from `before` (their names).

    `params` are the spec's own parameters, where they were written with other values: no difference of their own, but
    often the reason of others. `parts` are those of "data", "recipe" and "search" that at least one of the specs has.
    """

    before: str
    after: str
    architecture: Architecture
    parameters: tuple[Totals, Totals]
    macs: tuple[int, int]
    recipe: tuple[Setting, ...]
    data: tuple[Setting, ...]
    search: tuple[Setting, ...] = ()
    params: tuple[Setting, ...] = ()
    checkpoints: Checkpoints
    parts: frozenset[str] = field(default_factory=frozenset)

    @property
    def same(self) -> bool:
        """Whether nothing differs but the writing, and the names of weights: the same function, trained in the same
        way on the same data."""
        return self.architecture.is_only_renamed and not (self.recipe or self.data or self.search)

    @property
    def identical(self) -> bool:
        """The same, and the weights have the same names."""
        return self.same and not self.architecture.all and self.checkpoints.compatible

    def verdicts(self) -> dict[str, str]:
        """`same` or `different` for the function that is computed, and for each part that one of the specs has."""
        aspects = self.architecture.differing()
        differs = {"architecture": "architecture" in aspects}
        differs |= {name: True for name in ("initial weights", "frozen layers") if name in aspects}
        differs |= {name: bool(getattr(self, name)) for name in ("data", "recipe", "search") if name in self.parts}
        return {name: "different" if different else "same" for name, different in differs.items()}

    def to_dict(self) -> dict[str, Any]:
        before, after = self.parameters
        return {
            "same": self.same,
            "verdicts": {**self.verdicts(), "weights": self.checkpoints.verdict},
            "architecture": self.architecture.to_dict(),
            "params": [setting.to_dict() for setting in self.params],
            "parameters": {"before": before._asdict(), "after": after._asdict()},
            "macs": {"before": self.macs[0], "after": self.macs[1]},
            "recipe": [setting.to_dict() for setting in self.recipe],
            "data": [setting.to_dict() for setting in self.data],
            "search": [setting.to_dict() for setting in self.search],
            "checkpoint_compatible": self.checkpoints.to_dict(),
        }

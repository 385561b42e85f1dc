"""What two specs differ in, as values; `to_dict` is the JSON that others may rely on.

An entry of `added` and `removed` is `{path, kind, arguments, output, parameters, macs}`. One of `changed` and `moved`
has `path_before` too, and `{before, after}` for output, parameters, macs and every argument that differs. Each entry
lists as `consequences` the layers up to the next change that are written as before, but whose shape, parameters or
MACs differ because of what arrives. `moved` also holds layers with weights that are only called otherwise (`renamed`).
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from specforge.shapes import Shape
from specforge.summary import Totals

Action = Literal["added", "removed", "changed", "moved", "renamed", "consequence"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that differs, at its path in the spec; None where there is none."""

    path: str
    before: Any
    after: Any

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A layer in one of the networks. `follows` is the layer before it, `group` what was added or removed whole."""

    path: str
    kind: str
    arguments: dict[str, Any]
    output: Shape | None
    parameters: int = 0
    macs: int = 0
    follows: str | None = None
    group: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "kind": self.kind,
            "arguments": self.arguments,
            "output": None if self.output is None else list(self.output),
            "parameters": self.parameters,
            "macs": self.macs,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Alteration:
    """One difference of the architecture: a layer before, after, or both, and the arguments that differ."""

    action: Action
    before: Place | None = None
    after: Place | None = None
    arguments: tuple[Setting, ...] = ()
    consequences: "tuple[Alteration, ...]" = ()

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

    def to_dict(self) -> dict[str, Any]:
        entry = self.place.to_dict()
        if self.before is not None and self.after is not None:
            old, new = self.before.to_dict(), self.after.to_dict()
            entry = {"path": new["path"], "path_before": old["path"], "kind": new["kind"]}
            entry["arguments"] = {s.path: {"before": s.before, "after": s.after} for s in self.arguments}
            entry |= {name: {"before": old[name], "after": new[name]} for name in ("output", "parameters", "macs")}
        if self.action in ("moved", "renamed"):
            entry["renamed"] = self.action == "renamed"
        if self.action != "consequence":
            entry["consequences"] = [consequence.to_dict() for consequence in self.consequences]
        return entry


@dataclass(frozen=True, slots=True)
class Architecture:
    """Causes alone, in the order of execution; `moved` ends with the renamed."""

    added: tuple[Alteration, ...] = ()
    removed: tuple[Alteration, ...] = ()
    changed: tuple[Alteration, ...] = ()
    moved: tuple[Alteration, ...] = ()

    @property
    def all(self) -> tuple[Alteration, ...]:
        return (*self.added, *self.removed, *self.changed, *self.moved)

    @property
    def is_only_renamed(self) -> bool:
        return all(alteration.action == "renamed" for alteration in self.all)

    def to_dict(self) -> dict[str, Any]:
        names = ("added", "removed", "changed", "moved")
        return {name: [alteration.to_dict() for alteration in getattr(self, name)] for name in names}


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Loading weights of the first network into the second, by the names and shapes of the state_dict.

    `missing` are wanted and not there, `unexpected` there and not wanted.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, Shape, Shape], ...] = ()

    @property
    def compatible(self) -> bool:
        return not (self.missing or self.unexpected or self.mismatched)

    def to_dict(self) -> dict[str, Any]:
        return {
            "compatible": self.compatible,
            "missing": list(self.missing),
            "unexpected": list(self.unexpected),
            "mismatched": [
                {"name": name, "before": list(before), "after": list(after)} for name, before, after in self.mismatched
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How `after` differs from `before` (their names).

    `same`: nothing differs that a run, its weights or a search could show.
    """

    before: str
    after: str
    architecture: Architecture
    parameters: tuple[Totals, Totals]
    macs: tuple[int, int]
    recipe: tuple[Setting, ...]
    data: tuple[Setting, ...]
    search: tuple[Setting, ...] = ()
    checkpoints: Checkpoints
    parts: frozenset[str] = field(
        default_factory=frozenset
    )  # "recipe", "data", "search": what at least one of them has

    @property
    def same(self) -> bool:
        return not (self.architecture.all or self.recipe or self.data or self.search) and self.checkpoints.compatible

    def to_dict(self) -> dict[str, Any]:
        before, after = self.parameters
        return {
            "same": self.same,
            "architecture": self.architecture.to_dict(),
            "parameters": {"before": before._asdict(), "after": after._asdict()},
            "macs": {"before": self.macs[0], "after": self.macs[1]},
            "recipe": [setting.to_dict() for setting in self.recipe],
            "data": [setting.to_dict() for setting in self.data],
            "search": [setting.to_dict() for setting in self.search],
            "checkpoint_compatible": self.checkpoints.to_dict(),
        }

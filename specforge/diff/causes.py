"""A difference and what follows from it; and those of the network as a whole, as changes of layers no spec can have."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf

from specforge.diagnostics import Span
from specforge.diff.difference import IMAGE, Alteration, Place, Setting
from specforge.diff.matching import Matching
from specforge.diff.network import Element
from specforge.graph import Graph
from specforge.resolved import plain_value
from specforge.shapes import Shape
from specforge.spec import Model

At = Callable[[str], Span | None]
Same = Callable[[Element | str | None, Element | str | None], bool]


@dataclass(slots=True)
class Cause:
    """An alteration, the positions in the second network where it stands, and what follows from it.

    One that `reshapes` gives what comes after it another shape; a batch norm that was added does not.
    """

    alteration: Alteration
    positions: tuple[float, ...]
    reshapes: bool
    consequences: list[Alteration] = field(default_factory=list)

    def complete(self) -> Alteration:
        return replace(self.alteration, consequences=tuple(self.consequences), order=self.positions[-1])


def of_the_model(before: Model, after: Model, at: At, *, same_init: bool) -> Iterator[Cause]:
    """The input's shape and the rules for initial weights, as changes of layers that no spec can have."""
    for name in ("input", "init"):
        values = [plain_value(getattr(model, name)) for model in (before, after)]
        equal = _unnamed(before) == _unnamed(after) if name == "input" else values[0] == values[1]
        if equal or (name == "init" and same_init):
            continue
        shapes = [_fixed(model) if name == "input" else None for model in (before, after)]
        old, new = (
            Place(path=f"model.{name}", kind="model", arguments={name: value}, output=shape)
            for value, shape in zip(values, shapes, strict=True)
        )
        settings = (Setting(name, values[0], values[1], at=at(f"model.{name}")),)
        alteration = Alteration(action="changed", before=old, after=new, arguments=settings)
        yield Cause(alteration, (-1,), reshapes=name == "input")


def of_the_image(before: tuple[Model, Graph], after: tuple[Model, Graph]) -> Iterator[Cause]:
    """Which of the images that both networks take their figures hold for, where the data say it."""
    shapes = before[1].input, after[1].input
    if shapes[0] != shapes[1] and _unnamed(before[0]) == _unnamed(after[0]):
        settings = (Setting(IMAGE, list(shapes[0]), list(shapes[1])),)
        old, new = (Place(path=IMAGE, kind="model", arguments={IMAGE: list(s)}, output=s) for s in shapes)
        yield Cause(Alteration(action="changed", before=old, after=new, arguments=settings), (-1,), reshapes=True)


def of_the_output(found: Matching, same: Same) -> Iterator[Cause]:
    """Which layer's value the network gives, as a change of a layer that no spec can have."""
    old, new = found.outputs
    if not same(old, new):
        names = [each if isinstance(each, str) else each.path for each in (old, new)]
        places = [Place(path="model.output", kind="model", arguments={"output": name}, output=None) for name in names]
        setting = Setting("output", names[0], names[1])
        alteration = Alteration(action="changed", before=places[0], after=places[1], arguments=(setting,))
        yield Cause(alteration, (inf,), reshapes=False)


def _fixed(model: Model) -> Shape | None:
    """The input, where it has no named sizes."""
    sizes = tuple(axis for axis in model.input or () if isinstance(axis, int))
    return sizes if len(sizes) == len(model.input or ()) else None


def _unnamed(model: Model) -> list[int | str]:
    """The input with its sizes by the place of the first of each name: any name means any size."""
    axes = model.input or ()
    return [axis if isinstance(axis, int) else f"as {axes.index(axis)}" for axis in axes]

"""One side of a comparison -> a name, a spec that was proven right, and its graph.

lab2.yaml               a file
-                       standard input
git:HEAD~1:lab2.yaml    a file of a revision; as in git, paths start at the root, or at the working folder with `./`
runs/lab2               the spec that a run was trained with
resnet50                a network of the zoo
"""

from dataclasses import dataclass
from pathlib import Path

from specforge.analysis import STDIN, Analysis, analyse
from specforge.diagnostics import did_you_mean
from specforge.diff.revision import Revision
from specforge.expand.files import ZOO, zoo_folder
from specforge.git import GitError
from specforge.graph import Graph
from specforge.source import DISK, Overlaid
from specforge.spec import Model, Spec

GIT = "git:"
RUN_SPEC = "spec.yaml"


class SideError(Exception):
    """A side that can't be read: what is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True)
class Side:
    """A spec that was proven right, under the name that it was asked for by. `analysis` knows where it was written."""

    name: str
    spec: Spec
    model: Model
    graph: Graph
    analysis: Analysis | None = None


def read_side(side: "str | Path | Analysis | Side") -> Side:
    """Raises `SpecError` for a spec that is not right, `SideError` for what is no spec or can't be had from git."""
    if isinstance(side, Side):
        return side
    if isinstance(side, Analysis):
        return _side(side.name, side)
    try:
        return _side(str(side), _analysis(str(side)))
    except GitError as error:
        raise SideError(error.message, hint=error.hint) from None


def read_as(text: str, path: Path) -> Side:
    """A file as if it stood at `path`: what it extends and includes is looked for beside that."""
    file = Path(text)
    try:
        content = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return read_side(text)  # the analysis says what is wrong with it
    except OSError as error:
        hint = "`--as` is for two files; check the path"
        raise SideError(f"can't read `{text}`: {str(error.strerror).lower()}", hint=hint) from None
    return _side(text, analyse(path, files=Overlaid({path.absolute(): content})))


def read_sides(a: "str | Path | Analysis | Side", b: "str | Path | Analysis | Side") -> tuple[Side, Side]:
    """Both sides; standard input can be one of them."""
    if a == b == STDIN:
        raise SideError("both sides are standard input", hint="name a file for one of them")
    return read_side(a), read_side(b)


def _side(name: str, analysis: Analysis) -> Side:
    spec, graph = analysis.require()
    assert spec.model is not None
    return Side(name, spec, spec.model, graph, analysis)


def _analysis(text: str) -> Analysis:
    if text.startswith(GIT):
        revision, colon, path = text.removeprefix(GIT).partition(":")
        if not (revision and colon and path):
            raise SideError(f"`{text}` is not `git:REVISION:PATH`", hint="write `git:HEAD~1:specs/lab2.yaml`")
        files = Revision(revision)
        return analyse(files.path(path), files=files)
    if not text:
        raise SideError("a side is empty", hint="name a spec file")
    if text == STDIN:
        return analyse(text)
    place = Path(text)
    if place.is_dir():
        return analyse(_of_run(place))
    return analyse(place if place.exists() else DISK.shown(_of_zoo(text) or place))


def _of_run(folder: Path) -> Path:
    file = folder / RUN_SPEC
    if not file.is_file():
        hint = f"name a spec file in it, or a run directory, which holds a `{RUN_SPEC}`"
        raise SideError(f"`{folder}` is a folder without a run", hint=hint)
    return file


def _of_zoo(text: str) -> Path | None:
    """The zoo's file of this name, None for what looks like a path; raises `SideError` for another name."""
    name = text.removeprefix(f"{ZOO}/").removesuffix(".yaml")
    file = zoo_folder() / f"{name}.yaml"
    if "/" not in name and file.is_file():
        return file
    if "/" in name or text not in (name, f"{ZOO}/{name}"):
        return None
    hint = did_you_mean(name, [known.stem for known in zoo_folder().glob("*.yaml")])
    raise SideError(f"`{text}` is neither a file nor a network of the zoo", hint=hint or "name a spec file")

"""The formats of `specforge export` that are text and need no weights: Python, Mermaid, DOT. Torch is not loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from specforge.analysis import STDIN, analyse
from specforge.cli import console
from specforge.cli.files import demand_free, write_whole

if TYPE_CHECKING:
    from specforge.graph import Graph
    from specforge.spec import Spec

_SPECS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Source:
    """A network as it was read: its spec and graph, and the files that it is written in."""

    spec: "Spec"
    graph: "Graph"
    texts: dict[str, str]


def _python(source: Source, depth: int | None) -> str:
    from specforge.emit.python import to_python

    return to_python(source.spec, source.graph, source.texts)


def _mermaid(source: Source, depth: int | None) -> str:
    from specforge.emit.mermaid import to_mermaid

    return to_mermaid(source.graph, source.spec.name, depth=depth)


def _dot(source: Source, depth: int | None) -> str:
    from specforge.emit.dot import to_dot

    return to_dot(source.graph, source.spec.name, depth=depth)


# word of `--to` -> the text
TEXTS: dict[str, Callable[[Source, int | None], str]] = {"python": _python, "mermaid": _mermaid, "dot": _dot}
DIAGRAMS = ("mermaid", "dot")


def export_text(
    name: str, to: str, *, output_file: Path | None, force: bool, settings: tuple[str, ...], depth: int | None
) -> None:
    """Write a spec, or that of a run, in one of the formats of `TEXTS`, to a file or to stdout."""
    if output_file is not None:
        demand_free(output_file, force=force)
    text = TEXTS[to](_source(name, settings), depth)
    if output_file is None:
        print(text, end="")
        return
    output_file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output_file, text)
    console.note(f"wrote {output_file}: {text.count(chr(10)):,} lines")


def _source(name: str, settings: tuple[str, ...]) -> Source:
    path = Path(name)
    if name != STDIN and path.is_dir():
        if settings:
            console.error(f"`--set` is for a spec: {name} is a run", "leave it out, or give the spec")
            raise typer.Exit(1)
        path = path / "spec.yaml"
        if not path.is_file():
            console.error(f"{name} is not a run: it has no spec.yaml", "give the folder that `--out` named, or a spec")
            raise typer.Exit(1)
    elif name != STDIN and path.is_file() and path.suffix not in _SPECS:
        console.error(f"{name} is not a spec", "give a `.yaml` file, a run's folder, or `-` for stdin")
        raise typer.Exit(1)
    analysis = analyse(name if name == STDIN else str(path), settings)
    return Source(*analysis.require(), analysis.texts)

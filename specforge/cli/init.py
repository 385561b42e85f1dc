"""`specforge init`: a new spec from a template."""

import os
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from specforge.analysis import STDIN
from specforge.cli import console
from specforge.cli.files import write_whole
from specforge.cli.guard import guarded
from specforge.diagnostics import did_you_mean
from specforge.templates import NAMES, SCHEMA_FILE, Template, template


def init(
    path: Annotated[
        str | None, typer.Argument(metavar="PATH", help="The file to write, or - for stdout.  [default: TEMPLATE.yaml]")
    ] = None,
    name: Annotated[str, typer.Option("--template", metavar="NAME", help="What to start from.")] = NAMES[0],
    list_: Annotated[bool, typer.Option("--list", help="List the templates.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is already there.")] = False,
) -> None:
    """Write a new spec, with comments, that validates and trains as it is.

    The spec is named after its file; folders that are missing are made.
    """
    if list_:
        rows = [(each, template(each).description) for each in NAMES]
        console.table(("template", "what it is"), rows, numbers=frozenset())
        return
    if name not in NAMES:
        raise typer.BadParameter(f"`{name}`: {did_you_mean(name, NAMES)}", param_hint="--template")
    chosen = template(name)
    if path == STDIN:
        print(chosen.text, end="")
        return
    file = _file(path, name)
    schema = _schema(file.parent)
    text = chosen.filled(_spec_name(file), schema or SCHEMA_FILE)
    if not force and os.path.lexists(file):
        console.error(f"{file} is already there", "give another name, or replace it with `--force`")
        raise typer.Exit(1)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text)
    _tell(file, chosen, schema)


def _file(path: str | None, name: str) -> Path:
    """The file that is meant: a folder gets one named after the template, a name without `.yaml` gets that."""
    if path is None:
        return Path(f"{name}.yaml")
    if Path(path).is_dir() or path.endswith(("/", os.sep)):
        return Path(path) / f"{name}.yaml"
    return Path(path if path.endswith((".yaml", ".yml")) else f"{path}.yaml")


def _spec_name(file: Path) -> str:
    """The spec's name as YAML writes it: that of its file."""
    from pydantic import TypeAdapter, ValidationError

    from specforge.resolved import flow
    from specforge.spec import Spec

    name, field = file.name.removesuffix(file.suffix), Spec.model_fields["name"]
    try:
        TypeAdapter(Annotated[str, *field.metadata]).validate_python(name)
    except ValidationError as error:
        reason = error.errors()[0]["ctx"]["error"]
        raise typer.BadParameter(f"`{name}` can't name a spec: {reason}", param_hint="PATH") from None
    return flow(name)


def _schema(folder: Path) -> str | None:
    """The path from a folder to the nearest JSON Schema above it, None where there is none."""
    for above in (folder.absolute(), *folder.absolute().parents):
        for candidate in (above / SCHEMA_FILE, above / "schema" / SCHEMA_FILE):
            if candidate.is_file():
                return Path(os.path.relpath(candidate, folder)).as_posix()
    return None


def _tell(file: Path, chosen: Template, schema: str | None) -> None:
    """What was written, and what can be done with it."""
    shown = quote(str(file))
    console.note(f"wrote {file}")
    console.note(f"  specforge validate {shown}")
    console.note(f"  specforge train {shown}{' --download' * chosen.needs_download}")
    if schema is None:
        place = quote(str(file.with_name(SCHEMA_FILE)))
        console.note(f"  specforge schema --output-file {place}    # for editors: they check and complete it then")


command = guarded(init)

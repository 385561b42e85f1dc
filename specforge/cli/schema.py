"""`specforge schema`: the JSON Schema of spec files, for editors."""

from pathlib import Path
from typing import Annotated

import typer

from specforge.cli import console
from specforge.cli.guard import guarded


def schema(
    output_file: Annotated[
        Path | None, typer.Option("--output-file", help="Write the schema there instead of printing it.")
    ] = None,
) -> None:
    """Print the JSON Schema with which editors check and complete specs.

    Name it in a spec's first line: `# yaml-language-server: $schema=specforge-1.json`
    """
    from specforge.schema import to_json

    text = to_json()
    if output_file is None:
        print(text, end="")
        return
    try:
        output_file.parent.mkdir(parents=True, exist_ok=True)
        output_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"can't write {output_file}: {error.strerror}", param_hint="--output-file") from None
    console.note(f"written to {output_file}")


command = guarded(schema)

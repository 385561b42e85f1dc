"""The least that a program with specforge's dependencies does: two commands, one frozen model, one YAML file read."""

from pathlib import Path

import typer
import yaml
from pydantic import BaseModel, ConfigDict

app = typer.Typer()


class Experiment(BaseModel):
    """One frozen model, so that Pydantic is imported and used."""

    model_config = ConfigDict(frozen=True)

    name: str


@app.command()
def read(path: Path) -> None:
    """Print the name that a YAML file gives."""
    content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    typer.echo(Experiment(name=content["name"]).name)


@app.command()
def version() -> None:
    """A second command, so that there are commands to choose from."""
    typer.echo("1")

"""The command line: one file per command, imported only when that command runs.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 fine, 1 findings, 2 usage, 3 internal error.
"""

import atexit
import sys
from importlib import import_module
from typing import Annotated

import typer

from specforge.cli.loading import lasting, leave
from specforge.cli.usage import Command
from specforge.cli.voices import demand_alone

# name on the command line -> file in this folder
COMMANDS = {
    "validate": "validate",
    "summary": "summary",
    "config": "config",
    "diff": "diff",
    "preview": "preview",
    "lr-find": "lr_find",
    "train": "train",
    "evaluate": "evaluate",
    "predict": "predict",
    "bundle": "bundle",
    "run": "run",
    "export": "export",
    "verify": "verify",
    "compare": "compare",
    "track": "track",
    "reproduce": "reproduce",
    "search": "search",
    "schema": "schema",
    "list": "list_words",
    "explain": "explain",
    "init": "init",
    "fmt": "fmt",
    "lsp": "lsp",
    "weights": "weights",
    "import": "import_",
    "data": "data",
    "doctor": "doctor",
}


def main() -> None:
    """Entry point of the `specforge` script."""
    named = next((word for word in sys.argv[1:] if word in COMMANDS), None)
    if named not in (None, "train"):
        demand_alone(named)
    with lasting():
        app = application(COMMANDS if named is None else {named: COMMANDS[named]})
    atexit.register(leave)
    app()


def application(commands: dict[str, str]) -> typer.Typer:
    """The program with these commands; `main` gives only the one that is called, which spares importing the others."""
    app = typer.Typer(
        name="specforge",
        help="Compile neural-network experiments written in YAML: prove them, compare them, train them.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() and sys.stderr.isatty() else None,
        add_completion=len(commands) > 1,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name, file in commands.items():
        app.command(name, cls=Command)(import_module(f"specforge.cli.{file}").command)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from specforge import __version__

        typer.echo(f"specforge {__version__}")
        raise typer.Exit


def _options(
    color: Annotated[str, typer.Option(help="When to colour: auto, always, never. NO_COLOR is respected.")] = "auto",
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    from specforge.cli import console

    if color not in console.MODES:
        raise typer.BadParameter(f"`{color}` is not one of {', '.join(console.MODES)}", param_hint="--color")
    console.choose_color(color)

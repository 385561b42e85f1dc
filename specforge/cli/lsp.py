"""`specforge lsp`: the language server, for editors."""

import sys

import typer

from specforge.cli import console
from specforge.cli.guard import guarded


def lsp() -> None:
    """Talk with an editor on standard input and output: findings, hovers, completions, definitions (docs/editor.md).

    Editors start it themselves. Exits 0 when the editor takes its leave, 1 when it breaks off.
    """
    try:
        import pygls  # noqa: F401
    except ImportError:
        console.error("`pygls` is not installed: the core alone is no language server", "pip install 'pygls>=2'")
        raise typer.Exit(1) from None
    if sys.stdin.isatty():
        console.note("specforge lsp waits for an editor's messages; docs/editor.md says how editors start it")
    from specforge.lsp import start

    code = start()
    if code:
        raise typer.Exit(code)


command = guarded(lsp)

"""The command line's edge: what every command does with what goes wrong."""

import functools
import os
import sys
from collections.abc import Callable
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import NoReturn, ParamSpec

import typer

from specforge.cli import console
from specforge.diagnostics import SpecError

P = ParamSpec("P")


def guarded(command: Callable[P, None], *, invalid: int = 1) -> Callable[P, None]:
    """Turn exceptions into messages and exit codes; `invalid` is the code for a spec with errors."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except SpecError as error:
            show_spec_error(error)
            raise typer.Exit(invalid) from None
        except KeyboardInterrupt:
            console.note("interrupted")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # the reader has gone (`| head`): leave quietly, and keep Python from flushing into the closed pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(141) from None
        except _leaving():
            raise
        except OSError as error:
            _refused(error, invalid)
        except Exception as error:  # noqa: BLE001  the one place where nothing may pass
            _internal(error)

    return run


def show_spec_error(error: SpecError) -> None:
    """Every error of a spec that can't be used, to stderr."""
    from specforge.cli.findings import write_text

    for found in error.diagnostics:
        write_text(found, error.texts, to=sys.stderr)


def _leaving() -> tuple[type[BaseException], ...]:
    """What typer itself turns into an exit: usage errors, `Exit` and `Abort`."""
    return (typer.Exit, typer.Abort, typer.BadParameter, SystemExit)


def _refused(error: OSError, code: int) -> NoReturn:
    """What the operating system does not allow: a name too long, a folder that can't be read."""
    named = f"{str(error.filename)[:200]}: " if error.filename else ""
    full = error.errno in (ENOSPC, EDQUOT)
    console.error(
        f"{named}{error.strerror or error}", "free some space" if full else "check the path and its permissions"
    )
    raise typer.Exit(code) from None


def _internal(error: Exception) -> NoReturn:
    import traceback

    if os.environ.get("SPECFORGE_DEBUG"):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    console.error(
        f"internal error: {type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})",
        "this is a bug in specforge, not in your spec: please report it with the output of SPECFORGE_DEBUG=1",
    )
    raise typer.Exit(3) from None

"""`validate --changed-since`: the specs whose meaning may be another one than at a revision.

A spec changed when its file did, or one that it extends, includes or looks for (a deleted one, too), or the settings
that hold for it. Compared is with the commit where the work left the revision: what a pull request is compared with.
"""

from pathlib import Path

import typer

from specforge import git
from specforge.analysis import STDIN
from specforge.cli import console
from specforge.cli.choosing import Projects, chosen_files, project_files
from specforge.cli.validation import Validated, Wanted, about_settings, validate_file
from specforge.project import Recorded


def validate_changed(wanted: Wanted, found: Projects, revision: str) -> list[Validated]:
    """Those of the wanted specs that changed; raises `GitError`."""
    if STDIN in wanted.paths:
        raise typer.BadParameter("standard input has no revisions", param_hint="--changed-since")
    top = git.root().resolve()
    changed = {top / name for name in git.changed_since(git.merge_base(revision))}
    chosen = chosen_files(wanted.paths, found) if wanted.paths else project_files(found.here, searched=True)
    _check_inside(chosen, top)
    validated = [spec for file in chosen if (spec := _validated(file, wanted, found, changed)) is not None]
    console.note(f"{len(validated)} of {len(chosen)} specs changed since {revision}")
    return [*about_settings(found, validated), *validated]


def _check_inside(files: list[str], top: Path) -> None:
    """Of a file elsewhere, this repository does not know whether it changed."""
    for file in files:
        if not _place(Path(file)).is_relative_to(top):
            raise typer.BadParameter(f"{file} lies outside of the git repository {top}", param_hint="--changed-since")


def _place(path: Path) -> Path:
    """As git names it: a link stays one."""
    whole = path.absolute()
    return whole.parent.resolve() / whole.name


def _validated(file: str, wanted: Wanted, found: Projects, changed: set[Path]) -> Validated | None:
    """None for a spec that is what it was. What it reads is known once it was read: nothing is faster and right."""
    read = Recorded()
    settings_file = found.of(file).file
    if not changed and not isinstance(found.files, Recorded):  # a watch needs to know what is read all the same
        return None
    spec = validate_file(file, wanted.values, found, read)
    if isinstance(found.files, Recorded):
        found.files.asked |= read.asked
    asked = {*read.asked, *([] if settings_file is None else [settings_file.absolute()])}
    return spec if any(_place(path) in changed for path in asked) else None

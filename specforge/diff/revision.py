"""Spec files as they were in a revision: `git:HEAD~1:specs/lab2.yaml`, with all that it extends and includes.

Paths are those of the working folder, so that the same file has the same path now and then.
"""

import os
import posixpath
from functools import cached_property
from pathlib import Path

from specforge import git
from specforge.diagnostics import did_you_mean
from specforge.expand.files import zoo_folder
from specforge.source import Files

MOST_LINKS = 10  # one leading to the next


class Revision(Files):
    """The files of a commit. The zoo that comes with specforge is read from the disk, unless it lies in the commit."""

    def __init__(self, name: str, *, shown_as: str | None = None):
        self.shown_as, self.commit, self.root = shown_as or name, git.commit(name), git.root().resolve()

    @cached_property
    def names(self) -> dict[str, bool]:
        """Every file's path from the root, and whether it is a symbolic link."""
        return git.listed(self.commit)

    def path(self, text: str) -> Path:
        """As in git: from the repository's root, or with `./` or `../` from the working folder; raises `GitError`."""
        start = Path.cwd() if text.startswith(("./", "../")) else self.root
        path = Path(posixpath.normpath(start / text))
        name = self.name_of(path)
        if name is None:
            hint = "a revision holds the repository's files only"
            raise git.GitError(f"`{text}` lies outside of the repository", hint=hint)
        if not self.holds(path):
            specs = [known for known in self.names if known.endswith((".yaml", ".yml"))]
            hint = (
                did_you_mean(name, specs) or "paths start at the repository's root, or with `./` at the working folder"
            )
            raise git.GitError(f"revision `{self.shown_as}` has no file `{name}`", hint=hint)
        return path

    def holds(self, path: Path) -> bool:
        """Whether the file is part of the commit."""
        return self._followed(path) in self.names

    def _followed(self, path: Path) -> str | None:
        """The name of the file that symbolic links lead to; None for one outside of the commit, or a circle."""
        name = self.name_of(path)
        for _ in range(MOST_LINKS):
            steps = [] if name is None else name.split("/")
            above = ("/".join(steps[:depth]) for depth in range(1, len(steps) + 1))
            link = next((each for each in above if self.names.get(each)), None)
            if link is None or name is None:
                return name
            target = os.fsdecode(git.blob(self.commit, link) or b"")
            name = self.name_of(self.root / posixpath.dirname(link) / target / name.removeprefix(link).lstrip("/"))
        return None

    def read(self, path: Path) -> bytes:
        name = self._followed(path)
        found = git.blob(self.commit, name) if name in self.names else None
        if found is not None:
            return found
        if not self._is_packaged(path):
            raise FileNotFoundError(2, "no such file in this revision", str(path))
        return super().read(path)

    def is_file(self, path: Path) -> bool:
        return self.holds(path) or (self._is_packaged(path) and super().is_file(path))

    def is_folder(self, path: Path) -> bool:
        name = self.name_of(path)
        return name is not None and any(known.startswith(f"{name}/") for known in self.names)

    def specs_in(self, folder: Path) -> list[str]:
        above = self.name_of(folder)
        return [] if above is None else [
            posixpath.basename(known)
            for known in self.names
            if known.endswith(".yaml") and posixpath.dirname(known) == above.removeprefix(".")
        ]  # fmt: skip

    def shown(self, path: Path) -> str:
        name = self.name_of(path)
        if name is None and not self._is_packaged(path):
            return f"git:{self.shown_as}:{path}, which lies outside of the repository"
        return super().shown(path) if name is None else f"git:{self.shown_as}:{name}"

    def name_of(self, path: Path) -> str | None:
        """The path from the repository's root."""
        whole = Path(posixpath.normpath(path.absolute()))
        return whole.relative_to(self.root).as_posix() if whole.is_relative_to(self.root) else None

    @staticmethod
    def _is_packaged(path: Path) -> bool:
        return path.absolute().is_relative_to(zoo_folder())

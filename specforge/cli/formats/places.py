"""Where a finding is, as programs that show a repository name it: by the path from the repository's root."""

import os
from dataclasses import dataclass
from pathlib import Path

_NO_FILES = ("-", "--set")


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that paths start at."""

    folder: Path

    def path(self, file: str) -> str | None:
        """With `/`; None for what is no file, or lies elsewhere."""
        if file in _NO_FILES or file.startswith("git:"):
            return None
        whole = Path(file).absolute()
        try:
            return (whole.parent.resolve() / whole.name).relative_to(self.folder).as_posix()
        except (OSError, ValueError):
            return None


def root() -> Root:
    """What GitHub checked out, else the git repository around the working folder, else the working folder."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and Path(workspace).is_dir():
        return Root(Path(workspace).resolve())
    here = Path.cwd().resolve()
    return Root(next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here))

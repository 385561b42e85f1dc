"""What git knows: revisions, the files in them, and what changed since one.

In: the name of a revision, as people write it. Out: a commit, a file's bytes, paths from the repository's root.
Nothing that a repository configures is run: no text conversion, no filter, no pager.
"""

import os
import subprocess
from pathlib import Path

_HINT = "name a commit, branch or tag; a shallow clone has few: `git fetch --unshallow`"


class GitError(Exception):
    """What git does not have or can't do, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


def root() -> Path:
    """The top folder of the repository that the working folder is in."""
    done = _done("rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Path(os.fsdecode(done.stdout).removesuffix("\n"))
    why = done.stderr.decode(errors="replace").partition("\n")[0].removeprefix("fatal: ")
    if "not a git repository" in why:
        raise GitError("the working folder is in no git repository", hint="run this inside one, or give paths")
    if "dubious ownership" in why:  # as in a container that has mounted it
        hint = f"trust it: `git config --global --add safe.directory {Path.cwd()}`"
        raise GitError("the repository belongs to another user, so git does not read it", hint=hint)
    raise GitError(f"git can't tell the repository's folder: {why}", hint="run this in a working tree, or give paths")


def commit(revision: str) -> str:
    """The hash of the commit that a revision names."""
    root()
    hint = "name a commit, branch or tag, as in `HEAD~1`"
    if not revision or revision.startswith("-") or "\0" in revision:
        raise GitError(f"`{revision}` is not a revision", hint=hint)
    found = _try("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found is None:
        raise GitError(f"git has no revision `{revision}`", hint=_HINT)
    return found.decode().strip()


def merge_base(revision: str) -> str:
    """The commit where the work in HEAD left that of a revision: what a pull request is compared with."""
    theirs = commit(revision)
    found = _try("merge-base", theirs, "HEAD")
    return theirs if found is None else found.decode().strip()


def blob(commit: str, file: str) -> bytes | None:
    """A file of a commit, by its path from the root; None where there is none."""
    # rather than `show`: no text conversion that a repository configures, no listing of folders
    return _try("cat-file", "blob", f"{commit}:{file}")


def listed(commit: str) -> dict[str, bool]:
    """All files of a commit, each with whether it is a symbolic link, whose content is its target."""
    entries = (entry.partition("\t") for entry in _names(_run("ls-tree", "-r", "--full-tree", "-z", commit)))
    return {name: facts.startswith("120000 ") for facts, _, name in entries}


def changed_since(commit: str) -> set[str]:
    """Files that differ from a commit in the working folder, deleted and untracked ones too, from the root."""
    top = str(root())
    differing = _run("-C", top, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", commit, "--")
    untracked = _run("-C", top, "ls-files", "--others", "--exclude-standard", "-z")
    return {*_names(differing), *_names(untracked)}


def _names(output: bytes) -> list[str]:
    return [name.decode(errors="surrogateescape") for name in output.split(b"\0") if name]


def _run(*arguments: str) -> bytes:
    found = _try(*arguments)
    if found is None:
        raise GitError(f"`git {' '.join(arguments)}` fails", hint="run it yourself to see why")
    return found


def _try(*arguments: str) -> bytes | None:
    """What git prints, None when it fails."""
    done = _done(*arguments)
    return done.stdout if done.returncode == 0 else None


def _done(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    english = {**os.environ, "LC_ALL": "C"}  # what it says is looked into
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False, env=english)
    except FileNotFoundError:
        raise GitError("git is not installed", hint="give paths, or install git") from None

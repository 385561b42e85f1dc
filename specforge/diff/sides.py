"""One side of a comparison: a path, an `Analysis`, or `git:REVISION:PATH` -> a name, a bound spec and its graph.

`git:HEAD~1:specs/lab2.yaml` reads the file, and all that it extends and includes, from that revision. As in git, the
path starts at the repository's root, or at the working folder when it begins with `./` or `../`.
"""

import posixpath
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from specforge.analysis import Analysis, analyse
from specforge.diagnostics import Diagnostic, Findings, Span, SpecError, did_you_mean
from specforge.graph import Graph
from specforge.source import Mapping, Scalar, Sequence, decode, parse
from specforge.spec import Model, Spec

GIT = "git:"
MAX_READ = 1_000


class SideError(Exception):
    """A side that can't be read from git: what is wrong, and what to do about it (`hint`)."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True)
class Side:
    """A spec that was proven right, under the name that it was asked for by."""

    name: str
    spec: Spec
    model: Model
    graph: Graph


def read_side(side: "str | Path | Analysis | Side") -> Side:
    """Raises `SpecError` for a spec that is not right, `SideError` for what git does not have."""
    if isinstance(side, Side):
        return side
    if isinstance(side, Analysis):
        return _side(side.name, side)
    if isinstance(side, str) and side.startswith(GIT):
        return _from_git(side)
    return _side(str(side), analyse(side))


def _side(name: str, analysis: Analysis) -> Side:
    spec, graph = analysis.require()
    assert spec.model is not None
    return Side(name, spec, spec.model, graph)


def _from_git(name: str) -> Side:
    revision, colon, path = name.removeprefix(GIT).partition(":")
    if not (revision and colon and path):
        raise SideError(f"`{name}` is not `git:REVISION:PATH`", hint="write `git:HEAD~1:specs/lab2.yaml`")
    with TemporaryDirectory(prefix="specforge-") as folder:
        root = Path(folder).resolve()
        files = dict(_read_files(revision, path))
        for file, text in files.items():
            target = root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        try:
            return _side(name, analyse(root / next(iter(files))))
        except SpecError as error:
            raise SpecError(_named_as(found, root, f"{GIT}{revision}:") for found in error.diagnostics) from None


def _named_as(found: Diagnostic, folder: Path, label: str) -> Diagnostic:
    """The finding with the revision's name in place of the temporary folder."""
    # findings name a file below the working folder by its path from there
    here = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder

    def named(text: str) -> str:
        return text.replace(f"{folder}/", label).replace(f"{here}/", label)

    def named_span(span: Span) -> Span:
        use = span.used_by
        return span._replace(file=named(span.file), used_by=use and replace(use, span=named_span(use.span)))

    hint = None if found.hint is None else named(found.hint)
    return replace(found, span=named_span(found.span), message=named(found.message), hint=hint)


def _read_files(revision: str, path: str) -> Iterator[tuple[str, bytes]]:
    """The file, and those that it extends and includes, by their paths from the repository's root."""
    commit = _commit(revision)
    prefix = _git("rev-parse", "--show-prefix").decode().strip() if path.startswith(("./", "../")) else ""
    pending = [posixpath.normpath(prefix + path)]
    seen: set[str] = set()
    while pending and len(seen) < MAX_READ:
        file = pending.pop(0)
        if file in seen:
            continue
        if file.startswith(("/", "../")):
            raise SideError(
                f"`{file}` lies outside of the repository", hint="a revision holds the repository's files only"
            )
        text = _blob(commit, file)
        if text is not None:
            yield file, text
            pending += _references(file, text)
        elif not seen:
            raise _missing(revision, commit, file)
        seen.add(file)  # one that is missing is in the zoo, or the analysis says where it is named


def _references(file: str, text: bytes) -> list[str]:
    """The paths that a file extends and includes; what is wrong with them is the analysis's to say."""
    findings = Findings()
    decoded = decode(text, file, findings)
    root = None if decoded is None else parse(decoded, file, findings)
    if not isinstance(root, Mapping):
        return []
    included = root.get("include")
    nodes = [root.get("extends"), *(included.items if isinstance(included, Sequence) else ())]
    paths = [node.value for node in nodes if isinstance(node, Scalar) and isinstance(node.value, str)]
    return [posixpath.normpath(posixpath.join(posixpath.dirname(file), path)) for path in paths]


def _commit(revision: str) -> str:
    if revision.startswith("-"):
        raise SideError(f"`{revision}` is not a revision", hint="name a commit, branch or tag: `git:HEAD~1:lab2.yaml`")
    if _try_git("rev-parse", "--git-dir") is None:
        raise SideError("the working folder is in no git repository", hint="run this inside one, or give a path")
    found = _try_git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found is None:
        hint = "name a commit, branch or tag; a shallow clone has few: `git fetch --unshallow`"
        raise SideError(f"git has no revision `{revision}`", hint=hint)
    return found.decode().strip()


def _blob(commit: str, file: str) -> bytes | None:
    # `cat-file blob` rather than `show`: no text conversion that a repository configures, no listing of folders
    return _try_git("cat-file", "blob", f"{commit}:{file}")


def _missing(revision: str, commit: str, file: str) -> SideError:
    listed = _try_git("ls-tree", "-r", "--name-only", "--full-tree", "-z", commit) or b""
    specs = [name for name in listed.decode(errors="replace").split("\0") if name.endswith((".yaml", ".yml"))]
    hint = did_you_mean(file, specs) or "paths start at the repository's root, or with `./` at the working folder"
    return SideError(f"revision `{revision}` has no file `{file}`", hint=hint)


def _git(*arguments: str) -> bytes:
    found = _try_git(*arguments)
    if found is None:
        raise SideError(f"`git {' '.join(arguments)}` fails")
    return found


def _try_git(*arguments: str) -> bytes | None:
    """What git prints, None when it fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise SideError("git is not installed", hint="give paths, or install git") from None
    return done.stdout if done.returncode == 0 else None

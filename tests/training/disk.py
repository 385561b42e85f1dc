"""A disk that loses power: which files may be there when the machine comes back?

In: the calls that a program made, one after the other. Out: a folder as it may be found. What was synced is there: a
file's content when the file was synced, a folder's names when the folder was. Of what came later everything, nothing or
a part may be there, of each file and each folder another, which is what POSIX leaves open and file systems make use of.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Union

from tests.training.system_calls import Call

# whether what was changed after the last sync of a file or folder has reached the disk
Luck = Callable[["Node"], bool]


@dataclass(eq=False)
class File:
    now: bytes = b""
    synced: bytes = b""


@dataclass(eq=False)
class Folder:
    now: dict[str, "Node"] = field(default_factory=dict)
    synced: dict[str, "Node"] = field(default_factory=dict)


Node = Union[File, Folder]  # noqa: UP007  a name in quotes cannot stand beside a bar


def nothing(_: Node) -> bool:
    """What was not synced is lost."""
    return False


def names_alone(node: Node) -> bool:
    """All names are there, with the contents that were synced: the way in which files end up empty."""
    return isinstance(node, Folder)


def chance(seed: int) -> Luck:
    """Of each file and folder something else."""
    random = Random(seed)
    return lambda _: random.random() < 0.5


class Disk:
    """Everything below `root`, which itself was there before."""

    def __init__(self, root: Path):
        self._root, self._top = root, Folder()

    def carry_out(self, call: Call) -> None:
        """A call that was told of; what happens elsewhere does not matter."""
        if not call.path.is_relative_to(self._root):
            return
        if call.path == self._root:
            assert call.verb == "sync", call
            _sync(self._top)
            return
        folder, name = self._folder(call.path.parent), call.path.name
        if call.verb == "make":
            folder.now.setdefault(name, Folder())
        elif call.verb in ("create", "append"):
            file = folder.now.setdefault(name, File())
            assert isinstance(file, File)
            file.now = b"" if call.verb == "create" else file.now
        elif call.verb == "write":
            file = folder.now[name]
            assert isinstance(file, File)
            file.now += call.content
        elif call.verb == "sync":
            _sync(folder.now[name])
        elif call.verb == "rename":
            assert call.target is not None
            self._folder(call.target.parent).now[call.target.name] = folder.now.pop(name)
        else:
            assert call.verb == "remove", call
            folder.now.pop(name, None)

    def lay_out(self, folder: Path, luck: Luck) -> None:
        """Write what may be found after the power fails now."""
        _lay_out(self._top, folder, luck)

    def _folder(self, path: Path) -> Folder:
        found = self._top
        for name in path.relative_to(self._root).parts:
            inner = found.now[name]
            assert isinstance(inner, Folder)
            found = inner
        return found


def _sync(node: Node) -> None:
    if isinstance(node, File):
        node.synced = node.now
    else:
        node.synced = dict(node.now)


def _lay_out(node: Node, path: Path, luck: Luck) -> None:
    arrived = luck(node)
    if isinstance(node, File):
        path.write_bytes(node.now if arrived else node.synced)
        return
    path.mkdir()
    for name, inner in (node.now if arrived else node.synced).items():
        _lay_out(inner, path / name, luck)

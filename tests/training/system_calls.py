"""What changes a disk, in the order in which it is asked for.

    with watched(calls.append):
        durable.write(path, b"content")

Each call is told of before it is carried out, and a file is written in two halves, so that every place between two
calls, and one inside every write, is a place to die at: what is told may kill the process.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from unittest import mock


class Call(NamedTuple):
    """`verb` is make, create, append, write, sync, rename or remove; `content` is what a write adds."""

    verb: str
    path: Path
    target: Path | None = None
    content: bytes = b""

    def __str__(self) -> str:
        return f"{self.verb} {self.path.name}" + (f" to {self.target.name}" if self.target else "")


@contextmanager
def watched(tell: Callable[[Call], None]) -> Iterator[None]:
    """Tell of every call of this process until the end of the block."""
    watch = _Watch(tell)
    with ExitStack() as stack:
        for owner, names in ((os, ("mkdir", "open", "fsync", "replace", "unlink", "rmdir")), (Path, ("open",))):
            for name in names:
                made = watch.of(owner, name, getattr(owner, name))
                stack.enter_context(mock.patch.object(owner, name, made))
        yield


class _Watch:
    """Knows which path a descriptor was opened for."""

    def __init__(self, tell: Callable[[Call], None]):
        self._tell = tell
        self._paths: dict[int, Path] = {}

    def of(self, owner: object, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        """A function in the place of another."""
        handler = getattr(self, f"_{'path_' if owner is Path else ''}{name}")

        def call(*arguments: Any, **options: Any) -> Any:
            return handler(original, *arguments, **options)

        return call

    def _mkdir(self, original: Callable[..., Any], path: Any, *arguments: Any, **options: Any) -> None:
        if Path(path).parent.is_dir() and not Path(path).exists():  # else it fails and changes nothing
            self._tell(Call("make", Path(path)))
        original(path, *arguments, **options)

    def _open(self, original: Callable[..., Any], path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        place = self._place(path, options.get("dir_fd"))
        if flags & os.O_CREAT:
            self._tell(Call("create" if flags & os.O_TRUNC else "append", place))
        descriptor: int = original(path, flags, *arguments, **options)
        self._paths[descriptor] = place
        return descriptor

    def _fsync(self, original: Callable[..., Any], descriptor: int) -> None:
        if descriptor in self._paths:  # else it was opened before, or by somebody else
            self._tell(Call("sync", self._paths[descriptor]))
        original(descriptor)

    def _replace(self, original: Callable[..., Any], source: Any, target: Any) -> None:
        self._tell(Call("rename", Path(source), Path(target)))
        original(source, target)

    def _unlink(self, original: Callable[..., Any], path: Any, *, dir_fd: int | None = None) -> None:
        self._tell(Call("remove", self._place(path, dir_fd)))
        original(path, dir_fd=dir_fd)

    def _rmdir(self, original: Callable[..., Any], path: Any, *, dir_fd: int | None = None) -> None:
        place = self._place(path, dir_fd)
        if place.is_dir() and not any(place.iterdir()):  # else it fails and changes nothing
            self._tell(Call("remove", place))
        original(path, dir_fd=dir_fd)

    def _path_open(self, original: Callable[..., Any], path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if mode not in ("wb", "ab"):
            return original(path, mode, *rest, **options)
        self._tell(Call("create" if mode == "wb" else "append", path))
        file = original(path, mode, *rest, **options)
        self._paths[file.fileno()] = path
        return _Halves(file, path, self._tell)

    def _place(self, path: Any, descriptor: int | None) -> Path:
        return Path(path) if descriptor is None else self._paths[descriptor] / path


class _Halves:
    """A file that is written in two parts."""

    def __init__(self, file: IO[bytes], path: Path, tell: Callable[[Call], None]):
        self._file, self._path, self._tell = file, path, tell

    def write(self, content: bytes) -> int:
        for part in (content[: len(content) // 2], content[len(content) // 2 :]):
            self._tell(Call("write", self._path, content=bytes(part)))
            self._file.write(part)
            self._file.flush()
        return len(content)

    def __enter__(self) -> "_Halves":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

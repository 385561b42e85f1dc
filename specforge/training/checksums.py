"""Checksums of a run's own files, so that damage to any of them is seen and named.

    runs/lab2/checksums.json
    {"format": 1, "files": {"result.json": {"bytes": 812, "sha256": "9f86…"}, …}, "sha256": "03ac…"}

Two files cannot change at one moment, so a file that is replaced is announced first: its entry also has the sum of what
it was `before`, and a run that is killed between the two writes is whole with either.

`metrics.jsonl` grows, and is vouched for as far as its sum goes. The sum after the newest line is in a file of its own,
which no epoch waits for: should the power fail, the one in `checksums.json` counts.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Any, Self

from specforge.training import durable
from specforge.training.manifest import Damage, Sum, read, sealed, unsealed
from specforge.training.parsing import LARGEST

FILE = "checksums.json"
METRICS = "metrics.jsonl"
_GROWTH = ".metrics.checksum.json"
# files that somebody may remove: they are drawn anew
DRAWN = frozenset({"curves.png", "lr_find.png", "report.html"})
# a run in progress may replace a file between a look at its checksum and one at the file
_LOOKS, _PAUSE = 3, 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """The sum of a file, and what it was before it was replaced."""

    sum: Sum
    before: Sum | None = None

    @classmethod
    def decode(cls, record: Any) -> Self:
        before = record.get("before")
        return cls(Sum.decode(record), None if before is None else Sum.decode(before))

    def encode(self) -> dict[str, Any]:
        return {**self.sum.encode(), **({} if self.before is None else {"before": self.before.encode()})}

    def misses(self, content: bytes, *, grows: bool = False) -> str | None:
        """What is wrong with a content, None if nothing is; of one that grows, only its beginning is known."""
        wanted = [self.sum] if self.before is None else [self.sum, self.before]
        found = [each.misses(Sum.of(content[: each.size] if grows else content)) for each in wanted]
        return None if None in found else found[0]


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write or replace a file of a run at once, and remember its checksum; raises TrainingError."""
    known, entry = _known(folder), Entry(Sum.of(content))
    if name == METRICS:
        with suppress(OSError):
            (folder / _GROWTH).unlink(missing_ok=True)
    if name in known:
        _save(folder, {**known, name: replace(entry, before=_standing(folder / name, known[name]))})
    durable.write(folder / name, content)
    if name not in known:
        _save(folder, {**known, name: entry})
    return folder / name


def _standing(path: Path, entry: Entry) -> Sum | None:
    """What a file is that will be replaced: the write that was announced last may never have come."""
    found = entry.sum
    if entry.before is not None:
        with suppress(Damage):
            content, grows = read(path, most=LARGEST), path.name == METRICS
            if Entry(found).misses(content, grows=grows) and not Entry(entry.before).misses(content, grows=grows):
                found = entry.before
    return found if found.size else None  # of nothing there is nothing to tell by


def append(folder: Path, line: bytes) -> None:
    """Add a line to the metrics, and remember how far they go; raises TrainingError.

    What was damaged meanwhile stays so: the sum of the lines before is not made anew.
    """
    path, entry = folder / METRICS, _known(folder).get(METRICS)
    try:
        with path.open("ab") as file:
            file.write(line)
        content = path.read_bytes()
    except OSError as error:
        raise durable.cannot_write(path, error) from error
    if entry is None:
        return
    before = _grown(folder, entry) or entry.sum
    running = sha256(content[: before.size])
    if running.hexdigest() == before.sha256:
        running.update(content[before.size :])
        _save_growth(folder, entry, Sum(len(content), running.hexdigest()))


def remove(folder: Path, name: str) -> None:
    """Remove a file of a run; killed in between, the run has no such file, which it says. Raises TrainingError."""
    known = _known(folder)
    try:
        (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise durable.cannot_write(folder / name, error) from error
    if name in known:
        _save(folder, {each: entry for each, entry in known.items() if each != name})


def problems(folder: Path, names: Iterable[str] | None = None) -> dict[str, str]:
    """What is wrong, by file, with those that have a checksum, or with these of them; empty when all is well.

    `{"result.json": "is damaged: it is empty"}`
    """
    found: dict[str, str] = {}
    for look in range(_LOOKS):
        found = _problems(folder, None if names is None else frozenset(names))
        if not found:
            break
        if look + 1 < _LOOKS:
            sleep(_PAUSE)
    return found


def sentences(folder: Path, names: Iterable[str] | None = None) -> list[str]:
    """The same as `runs/lab2/result.json is damaged: it is empty`."""
    return [f"{folder / name} {problem}" for name, problem in problems(folder, names).items()]


def demand(folder: Path, *names: str) -> None:
    """Raises `Damage` if one of these files is not what was written; one without a checksum is taken as it is."""
    for sentence in sentences(folder, names):
        raise Damage(sentence)


def recorded(folder: Path) -> frozenset[str]:
    """The files that have a checksum; none where nothing can be known of them."""
    return frozenset(_known(folder))


def _problems(folder: Path, names: frozenset[str] | None) -> dict[str, str]:
    if not (folder / FILE).exists():
        return {}
    try:
        entries = entries_of(folder)
    except Damage as damage:
        return {FILE: damage.problem}
    wanted = {name: entry for name, entry in entries.items() if names is None or name in names}
    wanted = {name: entry for name, entry in wanted.items() if name not in DRAWN or (folder / name).exists()}
    return {name: problem for name, entry in wanted.items() if (problem := _problem(folder / name, entry))}


def _grown(folder: Path, entry: Entry) -> Sum | None:
    """What the metrics have become since their entry was written; None where that is not known."""
    try:
        record = unsealed(folder / _GROWTH)[METRICS]
        return Sum.decode(record) if record["since"] == entry.sum.sha256 else None
    except (Damage, ValueError, KeyError, TypeError):
        return None


def _save_growth(folder: Path, entry: Entry, grown: Sum) -> None:
    content = sealed({METRICS: {**grown.encode(), "since": entry.sum.sha256}})
    temporary = folder / f"{_GROWTH}.partial"
    try:
        with temporary.open("wb") as file:
            file.write(content)
        temporary.replace(folder / _GROWTH)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise durable.cannot_write(folder / _GROWTH, error) from error


def _problem(path: Path, entry: Entry) -> str | None:
    try:
        if path.name != METRICS:
            return entry.misses(read(path, most=LARGEST))
        grown = _grown(path.parent, entry)
        return (entry if grown is None else Entry(grown)).misses(read(path, most=LARGEST), grows=True)
    except Damage as damage:
        return damage.problem


def entries_of(folder: Path) -> dict[str, Entry]:
    """What `checksums.json` says; raises `Damage`."""
    path = folder / FILE
    try:
        return {name: Entry.decode(record) for name, record in unsealed(path).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Damage.of(path, "is damaged: it is not a list of checksums") from None


def _known(folder: Path) -> dict[str, Entry]:
    """A damaged list is one of nothing: those who start a run say so, and files get their sums as they are written."""
    try:
        return entries_of(folder)
    except Damage:
        return {}


def _save(folder: Path, entries: dict[str, Entry]) -> None:
    durable.write(folder / FILE, sealed({name: entry.encode() for name, entry in sorted(entries.items())}))

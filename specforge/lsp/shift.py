"""Two texts of a document, an older and a newer one -> which lines are the same, wherever they have moved.

a        a       1 -> 1    a line that was typed in between has no older one
b        x                 x
c        b       2 -> 3
         c       3 -> 4
"""

from difflib import SequenceMatcher

MAX_COMPARED = 2_000  # edited lines; more are not looked through


class Shift:
    """Lines are counted from 1. A line that was edited where it stands is taken for what it was."""

    def __init__(self, old: list[str], new: list[str]):
        self.old, self.new = len(old), len(new)
        shorter = min(self.old, self.new)
        before = 0
        while before < shorter and old[before] == new[before]:
            before += 1
        after = 0
        while after < shorter - before and old[-1 - after] == new[-1 - after]:
            after += 1
        self.before, self.after = before, after
        edited, becomes = old[before : self.old - after], new[before : self.new - after]
        self._older = {new_line: old_line for old_line, new_line in _pairs(edited, becomes, before + 1)}
        self._newer = {old_line: new_line for new_line, old_line in self._older.items()}

    def old_line(self, line: int) -> int | None:
        """Where a line of the newer text stood in the older one."""
        if line <= self.before:
            return line
        return line - self.new + self.old if line > self.new - self.after else self._older.get(line)

    def new_line(self, line: int) -> int | None:
        """Where a line of the older text stands in the newer one."""
        if line <= self.before:
            return line
        return line - self.old + self.new if line > self.old - self.after else self._newer.get(line)


def _pairs(old: list[str], new: list[str], first: int) -> list[tuple[int, int]]:
    """The numbers of lines that belong together, in the part between the first and the last edit."""
    if not old or not new or len(old) + len(new) > MAX_COMPARED:
        return []
    found = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal" or (kind == "replace" and end - start == new_end - new_start):
            found += list(zip(range(start, end), range(new_start, new_end), strict=True))
    return [(one + first, other + first) for one, other in found]

"""Open documents and their analyses: what changes is analysed soon, in the background, with all that depends on it.

In: opened, changed, saved and closed files. Out: diagnostics by document, through `publish`.

An analysis waits until typing pauses, and its result is dropped when the text has changed meanwhile. It reads the texts
of all open documents in place of the disk's. A document is analysed again when a file that it names changes.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import environ
from pathlib import Path

from lsprotocol import types

from specforge.analysis import Analysis, analyse
from specforge.lsp.documents import Document, Known, is_library, looks_like_spec
from specforge.lsp.files import resolve
from specforge.lsp.reporting import Report
from specforge.lsp.text import Encoding, Position, Text
from specforge.lsp.uris import real, to_path
from specforge.project import find, is_settings_file
from specforge.source import Overlaid

ByFile = dict[Path, list[types.Diagnostic]]
Publish = Callable[[Document, list[types.Diagnostic]], None]
_PAUSE = 0.04  # seconds without a change; longer where an analysis takes longer
_LONGEST_PAUSE = 1.0


class Session:
    """What one editor has open."""

    def __init__(self, publish: Publish):
        self.publish = publish
        self.encoding: Encoding = "utf-16"
        self.documents: dict[str, Document] = {}
        self._reports: dict[str, ByFile] = {}
        self._told: dict[str, tuple[int | None, list[types.Diagnostic]]] = {}  # what the client has, by document
        self._waiting: dict[str, None] = {}
        self._running: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="analysis")
        self._seconds = 0.0

    # documents

    def opened(self, uri: str, content: str, version: int | None) -> None:
        text, path = Text(content, self.encoding), to_path(uri)
        self.documents[uri] = Document(uri, path, version, text, self._is_spec(path, text))
        self._touch(uri, at_once=True)

    def changed(self, uri: str, changes: "list[types.TextDocumentContentChangeEvent]", version: int | None) -> None:
        document = self.documents.get(uri)
        if document is None:
            return
        text = document.text
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                text = text.changed(_place(change.range.start), _place(change.range.end), change.text)
            else:
                text = Text(change.text, self.encoding)
        self.documents[uri] = document.changed(text, version)
        if self._running != uri:
            document.forget()
        self._touch(uri)

    def closed(self, uri: str) -> None:
        """What was open counts as the disk has it again."""
        document = self.documents.pop(uri, None)
        self._waiting.pop(uri, None)
        if document is None:
            return
        report = self._reports.pop(uri, {})
        if uri in self._told:
            self.publish(document, [])
        self._told.pop(uri, None)
        for other in list(self.documents.values()):
            if other.real in report:
                self._show(other)
        self._touch_dependents(document.path)

    def saved(self, uri: str) -> None:
        document = self.documents.get(uri)
        if document is not None:
            self._touch(uri, at_once=True)

    def on_disk(self, paths: list[Path]) -> None:
        """Files that are not open changed, appeared or went away."""
        for path in paths:
            if is_settings_file(path):
                self._touch_all()
            else:
                self._touch_dependents(path)

    def _is_spec(self, path: Path, text: Text) -> bool:
        """Whether to analyse a file: it says that it is a spec, or it starts from one."""
        if is_settings_file(path):
            return False
        document = Document("", path, None, text)
        if looks_like_spec(text.content) or is_library(document.tree):
            return True
        extends = next((name for name, _ in document.references()), None)
        if extends is None or not extends.endswith((".yaml", ".yml")):
            return False
        try:
            with resolve(path, extends).open(encoding="utf-8", errors="replace") as file:
                return looks_like_spec(file.read(65_536))
        except (OSError, ValueError):
            return False

    # what to analyse, and when

    def _touch(self, uri: str, *, at_once: bool = False) -> None:
        document = self.documents[uri]
        if is_settings_file(document.path):
            self._touch_all()
        self._waiting[uri] = None
        self._touch_dependents(document.path)
        self._schedule(0.0 if at_once else min(_LONGEST_PAUSE, max(_PAUSE, 2 * self._seconds)))

    def _touch_all(self) -> None:
        self._waiting |= dict.fromkeys(self.documents)
        self._schedule(_PAUSE)

    def _touch_dependents(self, path: Path) -> None:
        """Documents that read a file, or name one which was not there."""
        names = {path, real(path)}
        for uri, document in self.documents.items():
            read = document.known.files if document.known is not None else frozenset()
            if uri in self._waiting or document.real in names or not document.is_spec:
                continue
            if names & read or any(real(resolve(document.path, name)) in names for name, _ in document.references()):
                self._waiting[uri] = None
                self._schedule(_PAUSE)

    def _schedule(self, seconds: float) -> None:
        """Analyse what waits, so many seconds from now; a later change puts it off."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._start)

    def _start(self) -> None:
        self._timer = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._timer is None:
            uri = next(iter(self._waiting))
            del self._waiting[uri]
            document = self.documents.get(uri)
            if document is None:
                continue
            self._running = uri
            files, began = self._overlay(), time.monotonic()
            found = await loop.run_in_executor(self._worker, _found, document, files)
            self._running = None
            self._seconds = time.monotonic() - began
            if found is not None and self.documents.get(uri) is document:
                document.learn(found[0])
                self._take(document, found[1])

    def _overlay(self) -> Overlaid:
        """The disk with the open texts, which a file's real path names too."""
        texts: dict[Path, str] = {}
        for document in self.documents.values():
            texts[document.real] = texts[document.path] = document.text.content
        return Overlaid(texts)

    def _take(self, document: Document, report: ByFile) -> None:
        """Show what was found in every file that it is, or was, about."""
        before = self._reports.get(document.uri, {})
        self._reports[document.uri] = report
        for path in before.keys() | report.keys():
            for other in self.documents.values():
                if other.real == path:
                    self._show(other)

    def _show(self, document: Document) -> None:
        """Publish all that is known of a document, its own findings first; nothing where nothing ever was."""
        mine = self._reports.get(document.uri, {}).get(document.real, [])
        theirs = [
            found
            for uri, report in self._reports.items()
            if uri != document.uri
            for found in report.get(document.real, [])
        ]
        shown: dict[tuple[object, ...], types.Diagnostic] = {}
        for found in (*mine, *theirs):
            start, end = found.range.start, found.range.end
            key = (found.code, start.line, start.character, end.line, end.character, found.message)
            shown.setdefault(key, found)
        told = (document.version, list(shown.values()))
        if (shown or document.is_spec or document.uri in self._told) and self._told.get(document.uri) != told:
            self._told[document.uri] = told
            self.publish(document, told[1])

    # answers

    async def settled(self, uri: str, seconds: float) -> Document | None:
        """The document, once its analysis has caught up with its text, or after so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            document = self.documents.get(uri)
            is_busy = uri in self._waiting or self._running == uri
            if document is None or not is_busy:
                break
            await asyncio.sleep(0.005)
        return self.documents.get(uri)

    def close(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)


def _place(position: types.Position) -> Position:
    return Position(position.line, position.character)


def _found(document: Document, files: Overlaid) -> tuple[Known, ByFile] | None:
    """The analysis of a document, and its diagnostics; None after a mistake of ours, which is told."""
    try:
        known = _analysed(document, files)
        return known, Report(document, known).by_file()
    except Exception as error:  # noqa: BLE001  the server's edge: an editor goes on without the findings
        if environ.get("SPECFORGE_DEBUG"):
            traceback.print_exception(error)
        print(f"specforge lsp: internal error in {document.path}: {error!r}", file=sys.stderr, flush=True)  # noqa: T201
        return None


def _analysed(document: Document, files: Overlaid) -> Known:
    """The analysis as the project's settings judge it."""
    project = find(document.path, files=files)
    if is_settings_file(document.path):
        nothing = Analysis(project.name, texts=dict(project.texts))
        return Known(nothing, document.text, tuple(project.findings), frozenset())
    if not document.is_spec or project.excluded_by(document.path) is not None:
        return Known(Analysis(files.shown(document.path)), document.text, (), frozenset())
    analysis = analyse(document.path, files=files)
    read = frozenset(real(Path.cwd() / name) for name in analysis.texts)
    return Known(analysis, document.text, tuple(project.judged(analysis.findings)), read)

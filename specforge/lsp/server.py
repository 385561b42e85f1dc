"""LSP messages -> the session's answers. What the protocol says is pygls's affair, what specs mean is not said here."""

import logging
import os
import sys
from collections.abc import Callable, Generator
from contextlib import redirect_stdout
from pathlib import Path
from signal import SIGINT, signal
from typing import Any, NoReturn

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.protocol.language_server import lsp_method

from specforge import __version__
from specforge.lsp.completion import complete, explained
from specforge.lsp.definition import define
from specforge.lsp.documents import Document
from specforge.lsp.fixes import fixes
from specforge.lsp.hover import hover
from specforge.lsp.layout import layout
from specforge.lsp.session import Session
from specforge.lsp.symbols import Symbol, outline
from specforge.lsp.text import At, Position, Text
from specforge.lsp.uris import real, to_path, to_uri

# how long a hover waits for the analysis of what was typed last
_PATIENCE = 0.3
_FIRST_PATIENCE = 3.0
Messages = Generator[Any, Any, None]


class _Protocol(LanguageServerProtocol):
    """Texts are kept by the session: pygls's own documents take U+2028 and form feeds for ends of lines."""

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Messages:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Messages:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Messages:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE], (params,), None

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message from JSON. A request that has no sense is answered, so that nobody waits for it."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise


class _Server(LanguageServer):
    def __init__(self) -> None:
        super().__init__("specforge", __version__, protocol_cls=_Protocol, converter_factory=default_converter)
        self.session = Session(self._publish)

    def _publish(self, document: Document, found: list[types.Diagnostic]) -> None:
        params = types.PublishDiagnosticsParams(document.uri, found, version=document.version)
        self.text_document_publish_diagnostics(params)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """To the editor's log: a message that can't be read is no reason to bother its user."""
        print(f"specforge lsp: {error}", file=sys.stderr, flush=True)  # noqa: T201

    def document(self, params: Any) -> Document | None:
        return self.session.documents.get(params.text_document.uri)


def serve() -> int:
    """Serve on standard input and output until the editor leaves; 0 if it said so before."""
    if not os.environ.get("SPECFORGE_DEBUG"):
        logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)
    signal(SIGINT, _interrupted)
    server, output = _made(), _Output()
    with redirect_stdout(sys.stderr):  # what anything prints is no message
        server.start_io(stdout=output)  # type: ignore[arg-type]  # it is written to, flushed and closed
    server.session.close()
    return 0 if server.protocol._shutdown else 1


class _Output:
    """Standard output for messages. Who can't be told anything has gone: there is nothing left to do."""

    def __init__(self) -> None:
        self.stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb")

    def write(self, data: bytes) -> None:
        if not self.stream.closed:
            self._try(self.stream.write, data)

    def flush(self) -> None:
        if not self.stream.closed:
            self._try(self.stream.flush)

    def close(self) -> None:
        self._try(self.stream.close)

    def _try(self, action: Callable[..., object], *arguments: bytes) -> None:
        try:
            action(*arguments)
        except BrokenPipeError:
            os._exit(1)


def _interrupted(number: int, frame: object) -> NoReturn:
    """Leave at once: a thread that waits for input keeps Python from ending, and there is nothing to lose."""
    print("interrupted", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(128 + number)


def _made() -> _Server:
    server = _Server()
    _keep_documents(server)
    _answer_hovers(server)
    _answer_completions(server)
    _answer_definitions(server)
    _answer_changes(server)
    return server


def _keep_documents(server: _Server) -> None:
    session = server.session

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        _watch(server)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        session.encoding = _encoding(server)
        session.opened(params.text_document.uri, params.text_document.text, params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        session.changed(params.text_document.uri, list(params.content_changes), params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.closed(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def on_disk(params: types.DidChangeWatchedFilesParams) -> None:
        session.on_disk([to_path(change.uri) for change in params.changes])


def _encoding(server: _Server) -> Any:
    chosen = server.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16
    return chosen.value if isinstance(chosen, types.PositionEncodingKind) else chosen


def _watch(server: _Server) -> None:
    """Ask to be told of YAML files that change on the disk, where the client can do that."""
    workspace = server.client_capabilities.workspace
    watched = None if workspace is None else workspace.did_change_watched_files
    if watched is None or not watched.dynamic_registration:
        return
    watchers = [types.FileSystemWatcher("**/*.yaml"), types.FileSystemWatcher("**/*.yml")]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    registration = types.Registration("yaml-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    server.client_register_capability(types.RegistrationParams([registration]))


def _answer_hovers(server: _Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        document = await _settled(server, params.text_document.uri)
        told = None if document is None or not document.is_spec else hover(document, _position(params))
        if document is None or told is None:
            return None
        content = types.MarkupContent(types.MarkupKind.Markdown, told.markdown)
        return types.Hover(content, _range(document.text, told.start, told.end))


def _answer_completions(server: _Server) -> None:
    options = types.CompletionOptions(
        trigger_characters=[" ", "{", "[", "$", "(", "/", ",", "-", ":"], resolve_provider=True
    )

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    def completed(params: types.CompletionParams) -> list[types.CompletionItem]:
        document = server.document(params)
        if document is None or not document.is_spec:
            return []
        return complete(document, _position(params), snippets=_takes_snippets(server))

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolved(item: types.CompletionItem) -> types.CompletionItem:
        return explained(item)


def _answer_definitions(server: _Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: types.DefinitionParams) -> types.Location | None:
        document = await _settled(server, params.text_document.uri)
        target = None if document is None or not document.is_spec else define(document, _position(params))
        if document is None or target is None:
            return None
        if target.file is None:
            return types.Location(document.uri, _range(document.text, target.start, target.end))
        text = _text_of(server, target.file)
        return types.Location(_uri_of(server, target.file), _range(text, target.start, target.end))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = server.document(params)
        if document is None or not document.is_spec:
            return []
        return [_symbol(document.text, symbol) for symbol in outline(document)]


def _answer_changes(server: _Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        document = server.document(params)
        if document is None or not document.is_spec:
            return []
        return layout(document.text)

    options = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = await _settled(server, params.text_document.uri)
        return [] if document is None else list(fixes(document, params.range))


async def _settled(server: _Server, uri: str) -> Document | None:
    known = server.session.documents.get(uri)
    return await server.session.settled(uri, _FIRST_PATIENCE if known is None or known.known is None else _PATIENCE)


def _takes_snippets(server: _Server) -> bool:
    documents = server.client_capabilities.text_document
    completion = None if documents is None else documents.completion
    item = None if completion is None else completion.completion_item
    return bool(item and item.snippet_support)


def _position(params: Any) -> Position:
    return Position(params.position.line, params.position.character)


def _range(text: Text, start: At, end: At) -> types.Range:
    first, last = text.position(text.offset_at(start)), text.position(text.offset_at(end))
    return types.Range(types.Position(*first), types.Position(*last))


def _text_of(server: _Server, path: Path) -> Text:
    """A file as it is open, else as the disk has it."""
    for document in server.session.documents.values():
        if document.real == real(path):
            return document.text
    try:
        return Text(path.read_text(encoding="utf-8", errors="replace"), server.session.encoding)
    except OSError:
        return Text("", server.session.encoding)


def _uri_of(server: _Server, path: Path) -> str:
    return next((d.uri for d in server.session.documents.values() if d.real == real(path)), to_uri(path))


def _symbol(text: Text, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        symbol.name,
        symbol.kind,
        _range(text, symbol.start, symbol.end),
        _range(text, symbol.name_start, symbol.name_end),
        detail=symbol.detail or None,
        children=[_symbol(text, child) for child in symbol.children],
    )

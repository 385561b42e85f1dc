"""A small client of a language server: a process, messages on its pipes, and what came back."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

WAIT = 30.0
CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True}},
        "publishDiagnostics": {"relatedInformation": True},
    }
}


class Client:
    """One session with `specforge lsp`, in a folder."""

    def __init__(self, folder: Path, *command: str):
        arguments = command or (sys.executable, "-c", "from specforge.cli import main; main()", "lsp")
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        self.folder = folder
        self.process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.kept: list[dict[str, Any]] = []
        self.errors: list[bytes] = []
        self.threads = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for thread in self.threads:
            thread.start()
        self.opened: set[str] = set()
        self.number = 0
        self.version = 1

    def _read(self) -> None:
        assert self.process.stdout is not None
        while True:
            length = None
            while (line := self.process.stdout.readline()).strip():
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            if not line or length is None:
                self.messages.put(None)
                return
            self.messages.put(json.loads(self.process.stdout.read(length)))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)

    @property
    def told(self) -> str:
        """What the server wrote to its log, once it has ended."""
        return b"".join(self.errors).decode()

    # messages

    def raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any) -> None:
        self.raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def send(self, method: str, params: Any) -> int:
        self.number += 1
        self.raw(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}).encode())
        return self.number

    def answer(self, number: int) -> dict[str, Any]:
        """The reply to a request; other messages are kept."""
        return self.next(lambda message: message.get("id") == number and "method" not in message)

    def request(self, method: str, params: Any) -> Any:
        reply = self.answer(self.send(method, params))
        assert "error" not in reply, reply
        return reply["result"]

    def next(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message of a kind; others are kept."""
        for message in self.kept:
            if wanted(message):
                self.kept.remove(message)
                return message
        end = time.monotonic() + WAIT
        while True:
            message = self.messages.get(timeout=max(end - time.monotonic(), 0.01))
            assert message is not None, f"the server has gone: {self.told}"
            if wanted(message):
                return message
            self.kept.append(message)

    # a session

    def start(self, capabilities: dict[str, Any] = CAPABILITIES, **more: Any) -> dict[str, Any]:
        folder = self.folder.as_uri()
        found: dict[str, Any] = self.request(
            "initialize", {"processId": None, "rootUri": folder, "capabilities": capabilities, **more}
        )
        self.notify("initialized", {})
        return found

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> None:
        document = {"uri": self.uri(name), "languageId": "yaml", "version": self.version, "text": text}
        self.opened.add(self.uri(name))
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, name: str, *changes: dict[str, Any] | str) -> int:
        """Send changes, a text for the whole; gives the new version."""
        self.version += 1
        events = [{"text": change} if isinstance(change, str) else change for change in changes]
        document = {"uri": self.uri(name), "version": self.version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": events})
        return self.version

    def close(self, name: str) -> None:
        self.opened.discard(self.uri(name))
        self.notify("textDocument/didClose", {"textDocument": {"uri": self.uri(name)}})

    def move(self, folder: Path) -> None:
        """Close every file and go on in another folder, as if nothing had been said."""
        for uri in self.opened:
            self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        self.opened.clear()
        self.kept.clear()
        self.folder, self.version = folder, 1

    def ask(self, what: str, name: str, line: int, character: int, **more: Any) -> Any:
        params = {"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": character}}
        return self.request(f"textDocument/{what}", {**params, **more})

    def diagnostics(self, name: str, version: int | None = None) -> list[dict[str, Any]]:
        """The next diagnostics of a file, of a version of it if one is given."""

        def wanted(message: dict[str, Any]) -> bool:
            params = message.get("params") or {}
            is_it = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == self.uri(name)
            return is_it and version in (None, params.get("version"))

        found: list[dict[str, Any]] = self.next(wanted)["params"]["diagnostics"]
        return found

    def stop(self) -> int:
        """Shut down as the protocol says; gives the exit code."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(timeout=WAIT)
        for thread in self.threads:
            thread.join(timeout=WAIT)
        return code

    def kill(self) -> None:
        """End what a failed test left."""
        self.process.kill()
        self.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

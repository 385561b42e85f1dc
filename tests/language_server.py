"""yaml-language-server, driven as an editor does: a text goes in, the squiggles come out."""

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = "yaml-language-server"


def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None and shutil.which("node") is not None


class LanguageServer:
    """One server process that checks every `.yaml` file with one schema."""

    def __init__(self, schema: Path):
        self.schema, self.requests = schema.as_uri(), 0
        program = shutil.which(PROGRAM)
        assert program is not None
        self.process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        configurable = {"workspace": {"configuration": True}}
        self._request("initialize", {"processId": None, "rootUri": None, "capabilities": configurable})
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

    def check(self, name: str, text: str) -> list[tuple[int, str]]:
        """The line (from 1) and the message of every complaint about a text."""
        uri = f"file:///{name}"
        opened = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": opened}})
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found = message["params"]["diagnostics"]
                return [(each["range"]["start"]["line"] + 1, each["message"]) for each in found]
            self._answer(message)

    def _request(self, method: str, parameters: dict[str, Any]) -> None:
        self.requests += 1
        self._send({"id": self.requests, "method": method, "params": parameters})
        while (message := self._receive()).get("id") != self.requests or "method" in message:
            self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        """What the server asks for: its settings, and leave to do things that are not of interest here."""
        if "id" not in message or "method" not in message:
            return
        result: Any = None
        if message["method"] == "workspace/configuration":
            settings = {"schemas": {self.schema: ["*.yaml"]}, "validate": True, "schemaStore": {"enable": False}}
            result = [settings if item["section"] == "yaml" else {} for item in message["params"]["items"]]
        self._send({"id": message["id"], "result": result})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

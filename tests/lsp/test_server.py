"""A session over the pipes: what an editor says, and what comes back."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lsp.client import CAPABILITIES, WAIT, Client
from tests.lsp.specs import LAB

BROKEN = LAB.replace("kernel_size: $kernel_size", "kernal_size: $kernel_size")
BASE = (
    "specforge: 1\nname: base\nmodel:\n  input: [3, 8, 8]\n"
    "  layers: [{conv: {out_channels: 8, kernel_size: 3}}, flatten]\n"
)
CHILD = "specforge: 1\nname: child\nextends: base.yaml\nedit:\n  - at: flatten_1\n    insert_after: {linear: 10}\n"


def codes(found: list[dict[str, object]]) -> list[object]:
    return [each["code"] for each in found]


def where(diagnostic: dict[str, object]) -> tuple[int, int, int, int]:
    at = diagnostic["range"]
    assert isinstance(at, dict)
    return (at["start"]["line"], at["start"]["character"], at["end"]["line"], at["end"]["character"])


# a session


def test_a_session_from_a_mistake_to_its_correction(own: Client) -> None:
    own.open("lab.yaml", BROKEN)
    (found,) = own.diagnostics("lab.yaml")
    assert found["message"] == "`conv` has no `kernal_size` (4 times)\nhint: did you mean `kernel_size`?"
    assert (found["code"], found["severity"], found["source"]) == ("SF301", 1, "specforge")
    assert where(found) == (7, 40, 7, 51)
    assert found["relatedInformation"][0]["message"] == "used by block `conv_unit`"

    range_ = {"start": {"line": 7, "character": 45}, "end": {"line": 7, "character": 45}}
    context = {"diagnostics": [found]}
    document = {"textDocument": {"uri": own.uri("lab.yaml")}}
    (action,) = own.request("textDocument/codeAction", {**document, "range": range_, "context": context})
    assert (action["title"], action["kind"]) == ("Change to `kernel_size`", "quickfix")
    (edit,) = action["edit"]["changes"][own.uri("lab.yaml")]

    version = own.change("lab.yaml", {"range": edit["range"], "text": edit["newText"]})
    assert own.diagnostics("lab.yaml", version) == []
    hovered = own.ask("hover", "lab.yaml", 7, 9)
    assert "4 in the network" in hovered["contents"]["value"]
    assert hovered["range"]["start"] == {"line": 7, "character": 8}
    assert own.ask("definition", "lab.yaml", 15, 14)["range"]["start"] == {"line": 4, "character": 2}
    (outline, *_) = [each for each in own.request("textDocument/documentSymbol", document) if each["name"] == "model"]
    assert [each["name"] for each in outline["children"]] == ["input", "layers"]
    assert own.stop() == 0
    assert own.told == ""


def test_what_the_server_can_do(fresh: Client) -> None:
    found = fresh.start()
    assert found["serverInfo"]["name"] == "specforge"
    capabilities = found["capabilities"]
    assert capabilities["textDocumentSync"]["change"] == 2
    assert capabilities["completionProvider"]["resolveProvider"] is True
    for what in ("hover", "definition", "documentSymbol", "documentFormatting", "codeAction"):
        assert capabilities[f"{what}Provider"]
    assert capabilities["positionEncoding"] == "utf-16"
    assert fresh.stop() == 0


def test_typing_is_followed_change_by_change(client: Client) -> None:
    """Completions see every change at once; findings come when typing pauses, of the last version."""
    client.open("lab.yaml", LAB)
    assert client.diagnostics("lab.yaml") == []
    end = {"line": 21, "character": 0}
    typed = "    - conv: {ker"
    for number, letter in enumerate(typed):
        at = {"line": 21, "character": number}
        version = client.change("lab.yaml", {"range": {"start": at, "end": at}, "text": letter})
    found = client.ask("completion", "lab.yaml", 21, len(typed))
    assert "kernel_size" in [item["label"] for item in found]
    assert codes(client.diagnostics("lab.yaml", version)) == ["SF102"]
    assert "| `head` |" in client.ask("hover", "lab.yaml", 20, 18)["contents"]["value"]
    client.change("lab.yaml", {"range": {"start": end, "end": {"line": 21, "character": len(typed)}}, "text": ""})
    assert client.diagnostics("lab.yaml", client.version) == []


def test_completions_bring_their_documentation_when_asked(client: Client) -> None:
    client.open("lab.yaml", LAB.replace("- flatten", "- "))
    found = client.ask("completion", "lab.yaml", 18, 6)
    conv = next(item for item in found if item["label"] == "conv")
    assert conv["textEdit"]["newText"] == "conv: {out_channels: ${1}, kernel_size: ${2}}"
    told = client.request("completionItem/resolve", conv)["documentation"]
    assert told["kind"] == "markdown"
    assert "out_channels" in told["value"]


# other encodings, other lines


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 31), ("utf-16", 27), ("utf-32", 25)])
def test_positions_are_counted_as_negotiated(fresh: Client, encoding: str, character: int) -> None:
    """Both ways: where a finding stands, and where the cursor is."""
    fresh.start({**CAPABILITIES, "general": {"positionEncodings": [encoding]}})
    fresh.open("lab.yaml", LAB.replace("name: lab", 'name: lab\nsource: {document: "𝟙𝟙", sectoin: a}'))
    (found,) = fresh.diagnostics("lab.yaml")
    assert where(found) == (2, character, 2, character + 7)
    offered = fresh.ask("completion", "lab.yaml", 2, character + 2)
    section = next(item for item in offered if item["label"] == "section")
    assert section["textEdit"]["range"] == found["range"]
    version = fresh.change("lab.yaml", {"range": found["range"], "text": section["textEdit"]["newText"]})
    assert fresh.diagnostics("lab.yaml", version) == []


def test_a_line_separator_in_a_comment_moves_nothing(client: Client) -> None:
    text = LAB.replace("name: lab", "name: lab  # \u2028# a\x85# c")
    client.open("lab.yaml", text)
    assert client.diagnostics("lab.yaml") == []
    at = {"line": 18, "character": 6}
    client.change("lab.yaml", {"range": {"start": at, "end": {"line": 18, "character": 13}}, "text": "flaten"})
    (found,) = client.diagnostics("lab.yaml", client.version)
    assert where(found) == (18, 6, 18, 12)


def test_windows_lines(client: Client) -> None:
    client.open("lab.yaml", BROKEN.replace("\n", "\r\n"))
    (found,) = client.diagnostics("lab.yaml")
    assert where(found) == (7, 40, 7, 51)


# several files


def test_a_mistake_in_a_base_shows_in_both_files(client: Client) -> None:
    (client.folder / "base.yaml").write_text(BASE.replace("kernel_size: 3", "kernel_size: 9"))
    client.open("child.yaml", CHILD)
    (found,) = client.diagnostics("child.yaml")
    assert where(found) == (2, 9, 2, 18), "at `extends: base.yaml`"
    related = found["relatedInformation"][0]["location"]
    assert (related["uri"], related["range"]["start"]["line"]) == (client.uri("base.yaml"), 4)

    client.open("base.yaml", BASE.replace("kernel_size: 3", "kernel_size: 9"))
    (own,) = client.diagnostics("base.yaml")
    assert (own["code"], where(own)[0]) == (found["code"], 4)


def test_specs_that_extend_what_is_typed_are_analysed_again(client: Client) -> None:
    (client.folder / "base.yaml").write_text(BASE)
    client.open("child.yaml", CHILD)
    assert client.diagnostics("child.yaml") == []
    client.open("base.yaml", BASE)
    assert client.diagnostics("base.yaml") == []
    client.change("base.yaml", BASE.replace(", flatten", ""))
    assert codes(client.diagnostics("child.yaml")) != [], "the base as typed, not as saved, lacks flatten_1"
    client.close("base.yaml")
    assert client.diagnostics("child.yaml") == [], "the disk's base counts again"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_files_behind_links_are_the_same_files(client: Client) -> None:
    (client.folder / "real").mkdir()
    (client.folder / "link").symlink_to(client.folder / "real")
    (client.folder / "real" / "base.yaml").write_text(BASE)
    client.open("link/base.yaml", BASE.replace("kernel_size: 3", "kernel_size: 9"))
    client.open("link/child.yaml", CHILD)
    (found,) = client.diagnostics("link/child.yaml")
    assert where(found) == (2, 9, 2, 18)
    client.change("link/base.yaml", BASE)
    assert client.diagnostics("link/child.yaml") == []


def test_a_base_that_appears_on_the_disk(client: Client) -> None:
    client.open("child.yaml", CHILD)
    assert codes(client.diagnostics("child.yaml")) == ["SF203"]
    (client.folder / "base.yaml").write_text(BASE)
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": client.uri("base.yaml"), "type": 1}]})
    assert client.diagnostics("child.yaml") == []


def test_blocks_of_an_included_file(client: Client) -> None:
    library = "blocks:\n  unit:\n    params: {width: required}\n    layers: [{linear: $widht}]\n"
    (client.folder / "blocks.yaml").write_text(library)
    client.open("blocks.yaml", library)
    text = "specforge: 1\nname: lab\ninclude: [blocks.yaml]\nmodel:\n  input: [4]\n  layers:\n    - unit: 3\n"
    client.open("lab.yaml", text)
    (found,) = client.diagnostics("lab.yaml")
    assert where(found) == (6, 6, 6, 10), "at the block's use"
    assert client.diagnostics("blocks.yaml") == [], "nothing that the file alone tells"
    (own,) = client.diagnostics("blocks.yaml")
    assert where(own)[0] == 3
    assert own["relatedInformation"][0]["location"]["uri"] == client.uri("lab.yaml")
    assert client.ask("definition", "lab.yaml", 6, 7) == {
        "uri": client.uri("blocks.yaml"),
        "range": {"start": {"line": 1, "character": 2}, "end": {"line": 1, "character": 6}},
    }


def test_settings_of_the_project_judge(client: Client) -> None:
    settings = 'severities: {unused-param: error}\nexclude: ["broken/**"]\n'
    (client.folder / "specforge.yaml").write_text(settings)
    (client.folder / "broken").mkdir()
    client.open("lab.yaml", LAB.replace("classes: 100", "classes: 100, extra: 1"))
    (found,) = client.diagnostics("lab.yaml")
    assert (found["code"], found["severity"], found["tags"]) == ("SF215", 1, [1])
    client.open("broken/lab.yaml", BROKEN)
    assert client.diagnostics("broken/lab.yaml") == []
    client.open("specforge.yaml", "severities: {unused-parm: error}\n")
    assert client.diagnostics("specforge.yaml") != []
    client.change("specforge.yaml", "ignore: [{code: unused-param, reason: later}]\n")
    (found,) = client.diagnostics("lab.yaml", 1)
    while found["severity"] == 1 or "accepted" not in found["message"]:
        (found,) = client.diagnostics("lab.yaml", 1)
    assert found["severity"] == 3


def test_an_accepted_warning_is_information_with_its_reason(client: Client) -> None:
    text = LAB.replace("classes: 100", "classes: 100, extra: 1").replace(
        "name: lab", "name: lab\naccept: {SF215: kept for the search}"
    )
    client.open("lab.yaml", text)
    (found,) = client.diagnostics("lab.yaml")
    assert found["severity"] == 3
    assert found["message"].endswith("accepted: kept for the search")


# what is no spec


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *enumerate(
            (
                "services:\n  web: {image: nginx, extends: base.yaml}\n",
                "",
                "- a\n",
                "a: {b: [\n",
                "\0\x01",
                "extends: x.json\n",
            )
        )
    ],
)
def test_other_files_get_no_findings_and_no_completions(client: Client, number: int, text: str) -> None:
    name = f"docker-compose-{number}.yaml"
    client.open(name, text)
    assert client.ask("completion", name, 0, 0) == []
    assert client.ask("hover", name, 0, 1) is None
    client.open(f"lab-{number}.yaml", LAB)
    assert client.diagnostics(f"lab-{number}.yaml") == []
    kept = [message["params"]["uri"] for message in client.kept if "diagnostics" in message.get("params", {})]
    assert client.uri(name) not in kept


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("specforge: 1\nname: {", "SF102"),
        ("# yaml-language-server: $schema=schema/specforge-1.json\n", "SF103"),
        ("specforge: 1\n\x01", "SF102"),
        ("specforge: 1\nx: \0", "SF101"),
        ("specforge: 1\nname: \ud800", "SF101"),
        ("specforge: 1\nx: " + "y" * 4_200_000, "SF101"),
        ("specforge: 1\nx: " + "[" * 5_000, "SF106"),
    ],
)
def test_broken_specs_have_findings(client: Client, text: str, code: str) -> None:
    name = f"{code}-{len(text)}.yaml"
    client.open(name, text)
    assert code in codes(client.diagnostics(name))
    client.close(name)


def test_a_library_of_blocks_is_read_without_a_version(client: Client) -> None:
    client.open("blocks.yaml", "blocks:\n  unit:\n    params: {width: 8}\n    layers: [{liner: $width}]\n")
    (found,) = client.diagnostics("blocks.yaml")
    assert (found["code"], where(found)) == ("SF304", (3, 14, 3, 19))
    client.open("other.yaml", "blocks:\n  web: {image: nginx}\n")
    assert client.ask("completion", "other.yaml", 1, 8) == []


def test_too_many_mistakes_are_cut_off(client: Client) -> None:
    client.open("lab.yaml", LAB + "".join(f"    - nonsense_{n}\n" for n in range(1_200)))
    assert len(client.diagnostics("lab.yaml")) == 200


def test_a_file_that_is_nowhere_on_the_disk(own: Client) -> None:
    document = {"uri": "untitled:Untitled-1", "languageId": "yaml", "version": 1, "text": BROKEN}
    own.notify("textDocument/didOpen", {"textDocument": document})
    message = own.next(lambda message: message.get("method") == "textDocument/publishDiagnostics")
    assert message["params"]["uri"] == "untitled:Untitled-1"
    assert codes(message["params"]["diagnostics"]) == ["SF301"]


def test_closing_takes_the_findings_away(client: Client) -> None:
    client.open("lab.yaml", BROKEN)
    assert client.diagnostics("lab.yaml") != []
    client.close("lab.yaml")
    assert client.diagnostics("lab.yaml") == []
    assert client.ask("completion", "lab.yaml", 0, 0) == []


# layout


def test_formatting(client: Client) -> None:
    client.open("lab.yaml", LAB.replace("    - flatten\n", "    -   flatten  # c\n"))
    params = {"textDocument": {"uri": client.uri("lab.yaml")}, "options": {"tabSize": 2, "insertSpaces": True}}
    (edit,) = client.request("textDocument/formatting", params)
    assert edit["newText"] == "    - flatten  # c\n", "only the line that differs is replaced"
    assert edit["range"] == {"start": {"line": 18, "character": 0}, "end": {"line": 19, "character": 0}}
    client.change("lab.yaml", {"range": edit["range"], "text": edit["newText"]})
    assert client.request("textDocument/formatting", params) == []
    client.change("lab.yaml", LAB + "broken: {")
    assert client.request("textDocument/formatting", params) == []


# the protocol


def test_what_the_server_does_not_know(own: Client) -> None:
    reply = own.answer(own.send("textDocument/moniker", {}))
    assert reply["error"]["code"] in (-32601, -32602)
    own.notify("$/nonsense", {"a": 1})
    own.notify("textDocument/didChange", {"textDocument": {"uri": "file:///never/opened", "version": 1}})
    own.raw(b"{not json")
    own.raw(json.dumps({"jsonrpc": "2.0", "id": 77, "method": "textDocument/hover", "params": {}}).encode())
    assert "error" in own.answer(77), "nobody waits for an answer that never comes"
    own.raw(b"[]")
    own.open("lab.yaml", LAB)
    assert own.diagnostics("lab.yaml") == []
    assert own.stop() == 0
    assert "Traceback" not in own.told


@pytest.mark.parametrize(("line", "character"), [(10_000, 0), (1, 10_000), (2**31 - 1, 2**31 - 1)])
def test_positions_beyond_the_end(client: Client, line: int, character: int) -> None:
    name = f"beyond-{line}-{character}.yaml"
    client.open(name, LAB)
    hovered = client.ask("hover", name, line, character)
    assert hovered is None if line > 1 else hovered["contents"]["value"].startswith("**name**"), "a line's end counts"
    client.ask("completion", name, line, character)
    assert client.ask("definition", name, line, character) is None


def test_the_server_ends_when_the_editor_has_gone(own: Client) -> None:
    own.open("lab.yaml", BROKEN)
    assert own.process.stdin is not None
    own.process.stdin.close()
    assert own.wait() == 1
    assert "Traceback" not in own.told


def test_exit_without_shutdown_is_an_error(own: Client) -> None:
    own.notify("exit", None)
    assert own.wait() == 1
    assert own.told == ""


def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path) -> None:
    messages: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {
            "method": "textDocument/didOpen",
            "params": {"textDocument": {"uri": "file:///x.yaml", "languageId": "", "version": 1, "text": BROKEN}},
        },
    ]
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    with subprocess.Popen(
        [sys.executable, "-c", "from specforge.cli import main; main()", "lsp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, told = process.communicate(b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(b), b) for b in bodies), WAIT)
    assert process.returncode == 1
    assert b"Traceback" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
def test_ctrl_c_ends_it_at_once(own: Client) -> None:
    own.process.send_signal(signal.SIGINT)
    assert own.wait() == 130
    assert own.told == "interrupted\n"


def test_without_pygls_there_is_one_command_that_helps(tmp_path: Path) -> None:
    program = "import sys; sys.modules['pygls'] = None; from specforge.cli import main; main()"
    client = Client(tmp_path, sys.executable, "-c", program, "lsp")
    assert client.wait() == 1
    assert client.told.splitlines()[-1].startswith("hint: pip install")
    assert "Traceback" not in client.told
    client.kill()


def test_no_torch(fresh: Client) -> None:
    fresh.kill()
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('torch', 'numpy', 'torchvision', 'matplotlib')));"
        "from specforge.cli import main; main()"
    )
    client = Client(fresh.folder, sys.executable, "-c", program, "lsp")
    try:
        client.start()
        client.open("lab.yaml", LAB)
        assert client.diagnostics("lab.yaml") == []
        assert "4 in the network" in client.ask("hover", "lab.yaml", 7, 9)["contents"]["value"]
        assert client.stop() == 0
    finally:
        client.kill()

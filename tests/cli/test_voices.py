"""Commands that `torchrun` starts, though they run in one process."""

import sys

import pytest

from specforge.cli import COMMANDS, main, voices

TORCHRUN = {
    "RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1",
}  # fmt: skip


def started(monkeypatch: pytest.MonkeyPatch, *arguments: str, **environment: str) -> object:
    """The exit code of the program, which must not get as far as its command."""
    for name, value in {**TORCHRUN, **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["specforge", *arguments])

    def reached(_: object) -> None:
        raise AssertionError("it went on")

    monkeypatch.setattr("specforge.cli.application", reached)
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"train"}))
def test_every_command_but_train_refuses_at_once(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(monkeypatch, command, "x.yaml") == 2
    hint = "specforge search … --workers 2" if command == "search" else "run it without torchrun"
    assert capsys.readouterr().err == f"error: specforge {command} is not started by torchrun\nhint: {hint}\n"


def test_one_process_speaks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert started(monkeypatch, "search", "x.yaml", RANK="1", LOCAL_RANK="1") == 2
    assert capsys.readouterr().err == ""


def test_train_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="it went on"):
        started(monkeypatch, "train", "x.yaml")


def test_a_process_that_is_alone_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    voices.demand_alone("search")

"""The group of commands: help by sections, version, unknown commands, exit codes."""

from __future__ import annotations

import errno
import os
import re
import signal

import click
import pytest
from click.testing import CliRunner

import netwise as nw
from cli.command_line import run
from netwise.cli import main
from netwise.cli.group import ENVIRONMENT, INTERRUPTED, OUT_OF_MEMORY, USAGE, Group
from netwise.termination import TERMINATED


def test_the_help_lists_every_command_once() -> None:
    text = run("--help").stdout
    assert "netwise train digits" in text
    assert "@last (the newest run)" in " ".join(text.split())
    listed = re.findall(r"^  (\w+) {2,}\S", text.split("Train and use:")[1], re.M)
    assert sorted(listed) == sorted(main.commands)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert f"netwise {name}" in result.stdout.split("Options:")[0] or name in ("runs", "demo")
    for option in main.commands[name].params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]} has no help"


def test_the_version() -> None:
    assert run("--version").stdout == f"netwise {nw.__version__}\n"


def test_an_unknown_command_gets_similar_names_or_all() -> None:
    similar = run("trian")
    assert similar.exit_code == USAGE
    assert "unknown command 'trian'. Did you mean `train` or `treat`?" in similar.stderr
    assert "Use one of: anatomy, capacity, check," in run("xyz").stderr


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (nw.DataError("x.csv is empty. Add rows."), USAGE, "x.csv is empty. Add rows.\n"),
        (KeyboardInterrupt(), INTERRUPTED, "Interrupted.\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.csv"),
            USAGE,
            (
                "a.csv cannot be read or written: Permission denied. Change its permissions "
                "(chmod), or use another path.\n"
            ),
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            ENVIRONMENT,
            (
                "the output or a file cannot be written: No space left on device. Free space on "
                "this disk, or use a folder on another one.\n"
            ),
        ),
        (
            nw.FileAccessError("runs/a is full. Free space.", during_work=True),
            ENVIRONMENT,
            "runs/a is full. Free space.\n",
        ),
        (MemoryError(), ENVIRONMENT, f"{OUT_OF_MEMORY}\n"),
    ],
)
def test_errors_of_netwise_and_interrupts_end_without_a_traceback(
    error: BaseException, code: int, text: str
) -> None:
    @click.command()
    def fail() -> None:
        raise error

    group = Group("g", {"Commands": [fail]}, description="", epilog="", context_settings={})
    result = CliRunner().invoke(group, ["fail"])
    assert (result.exit_code, result.stderr) == (code, text)


def test_sigterm_ends_a_command_with_its_code() -> None:
    @click.command()
    def wait() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    group = Group("netwise", {"All": [wait]}, description="", epilog="", context_settings={})
    before = signal.getsignal(signal.SIGTERM)
    result = CliRunner().invoke(group, ["wait"])
    assert (result.exit_code, result.output) == (TERMINATED, "Terminated by SIGTERM.\n")
    assert signal.getsignal(signal.SIGTERM) is before

"""The group of all commands: its help by sections, near names for unknown commands, exit codes."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from netwise.cli.terminal import echo, echo_error
from netwise.errors import FileAccessError, NetwiseError, TrainingDiverged, close_matches
from netwise.file_errors import file_access_error
from netwise.printed_text import printable
from netwise.termination import TERMINATED, Terminated, handle_sigterm, raise_terminated
from netwise.training.ranks.launched import is_first, launched
from netwise.training.waiting_threads import threads_wait_asleep

OK, USAGE, DIVERGED, ENVIRONMENT, INTERRUPTED = 0, 2, 3, 4, 130
OUT_OF_MEMORY = (
    "There is not enough memory. Close other programs, or use smaller data, a smaller network or "
    "a smaller --set batch_size=N."
)

_PACKAGE = str(Path(__file__).parent.parent)
_show_with_place = warnings.showwarning


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, *rest: Any, **named: Any
) -> None:
    """Warnings of netwise are texts for users and need no place in its code; others have theirs."""
    if filename.startswith(_PACKAGE) or category.__name__ == "ConvergenceWarning":
        echo(f"Warning: {message}", err=True)
    else:
        _show_with_place(message, category, filename, *rest, **named)


class Group(click.Group):
    """A group of commands in titled sections, which prints errors of netwise without a traceback.

    Args:
        sections: the commands of each section of the help, by the section's title.
        description, epilog: the help's text before and after the commands.
        context_settings: see `click.Context`.
    """

    def __init__(
        self,
        name: str,
        sections: Mapping[str, Sequence[click.Command]],
        *,
        description: str,
        epilog: str,
        context_settings: dict[str, Any],
    ) -> None:
        commands = [command for section in sections.values() for command in section]
        super().__init__(
            name, commands, help=description, epilog=epilog, context_settings=context_settings
        )
        self.sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections into the help."""
        width = max(len(name) for name in self.commands)
        for title, commands in self.sections.items():
            with formatter.section(title):
                rows = [
                    (f"{command.name:<{width}}", command.get_short_help_str(limit=100))
                    for command in commands
                ]
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            close = close_matches(name, self.list_commands(ctx))
            known = ", ".join(self.list_commands(ctx))
            hint = f"Did you mean {close}?" if close else f"Use one of: {known}."
            raise click.UsageError(f"unknown command '{name}'. {hint}", ctx)
        process = launched()
        if name not in ("train", "watch") and process is not None and process.size > 1:
            raise click.UsageError(
                f"torchrun has started {process.size} processes, which only train and watch share. "
                f"Use netwise {name} without torchrun.",
                ctx,
            )
        if name != "watch":  # which changes nothing of the user's program
            threads_wait_asleep()
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, whatever characters the terminal cannot show and whether or not the
        output can be written."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # of printing a help or a usage error
            raise SystemExit(_report_system(error)) from None
        except SystemExit:
            failed = _flush_output()
            if failed is not None:
                raise SystemExit(_report_system(failed)) from None
            raise

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with handle_sigterm(raise_terminated), warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except NetwiseError as error:
            ctx.exit(_report(error))
        except click.ClickException as error:  # it may name the columns of a file
            if not is_first():  # the first process of several shows it
                ctx.exit(error.exit_code)
            error.message = printable(error.message)  # type: ignore[misc]  # set by click alone
            raise
        except BrokenPipeError:
            raise  # a command such as `head` has read enough: click ends without a message
        except OSError as error:
            ctx.exit(_report_system(error))
        except MemoryError:
            echo(OUT_OF_MEMORY, err=True)
            ctx.exit(ENVIRONMENT)
        except KeyboardInterrupt:
            echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Terminated:
            echo("Terminated by SIGTERM.", err=True)
            ctx.exit(TERMINATED)


def _report(error: NetwiseError) -> int:
    """Print the error, where that is possible, and return the exit code."""
    with suppress(OSError):
        echo_error(str(error))
    if isinstance(error, TrainingDiverged):
        return DIVERGED
    is_environment = isinstance(error, FileAccessError) and error.during_work
    return ENVIRONMENT if is_environment else USAGE


def _report_system(error: OSError) -> int:
    """The same for an error of the operating system, which may be one of the output itself."""
    _flush_output()
    deed = "read or written" if error.filename else "written"
    return _report(file_access_error(error, error.filename or "the output or a file", deed))


def _flush_output() -> OSError | None:
    """Print what is buffered. Where that fails, the rest goes to the null device, since Python
    prints it again at its exit; returns the error."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    except (AttributeError, ValueError):
        pass  # there is none, or the command has closed it
    return None

"""The group of all commands: its help by sections, near names for unknown commands, exit codes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from netwise.errors import NetwiseError, close_matches
from netwise.termination import TERMINATED, Terminated, handle_sigterm, raise_terminated

_PACKAGE = str(Path(__file__).parent.parent)
_show_with_place = warnings.showwarning

OK, USAGE, DIVERGED, INTERRUPTED = 0, 2, 3, 130


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, *rest: Any, **named: Any
) -> None:
    """Warnings of netwise are texts for users and need no place in its code; others have theirs."""
    if filename.startswith(_PACKAGE):
        click.echo(f"Warning: {message}", err=True)
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
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with handle_sigterm(raise_terminated), warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except NetwiseError as error:
            click.echo(str(error), err=True)
            ctx.exit(USAGE)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Terminated:
            click.echo("Terminated by SIGTERM.", err=True)
            ctx.exit(TERMINATED)

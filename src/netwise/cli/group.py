"""The group of all commands: unknown words get the near ones, and an error of netwise its
sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.errors import NetwiseError, close_matches

if TYPE_CHECKING:
    pass


OK, USAGE, DIVERGED, INTERRUPTED, TERMINATED = 0, 2, 3, 130, 143


class Group(click.Group):
    """A group that answers an unknown command with the near ones, and an error of netwise with its
    sentence."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            close = close_matches(name, self.list_commands(ctx))
            hint = (
                f"Did you mean {close}?"
                if close
                else f"There are: {', '.join(self.list_commands(ctx))}."
            )
            raise click.UsageError(f"unknown command '{name}'. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NetwiseError as error:
            click.echo(str(error), err=True)
            ctx.exit(USAGE)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="netwise", message="netwise %(version)s")
def main() -> None:
    """A network that learns, and when it does not, the reason and a proven cure.

    \b
    netwise train digits --network mlp --epochs 10
    netwise train table.csv --target price
    netwise diagnose digits-3f2a
    netwise treat digits-3f2a
    netwise demo
    """


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
home_option = click.option(
    "--runs",
    "home",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the runs.",
)
trust_option = click.option(
    "--trust-own", is_flag=True, help="Import and run a network of your own that the recipe names."
)

"""The command that writes a run as a file for other programs: export."""

from __future__ import annotations

from pathlib import Path

import click

from netwise.cli.options import home_option, json_option, run_argument, trust_option
from netwise.cli.output import echo_json
from netwise.cli.parsing import allow_own_code, own_network
from netwise.cli.run_names import find_run
from netwise.cli.terminal import echo


@click.command()
@run_argument
@click.argument("file", metavar="FILE.onnx", type=click.Path(path_type=Path))
@click.option(
    "--rows",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Check the file on these raw rows.  [default: 100 rows of the run's data]",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Leave steps that the file cannot express to its caller, and name them.",
)
@trust_option
@home_option
@json_option
def export(
    run: str,
    file: Path,
    rows: Path | None,
    partial: bool,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Write the network of RUN as one file that other programs run, with all that is done to raw
    inputs before and the names of the classes.

    FILE ends in .onnx (for ONNX Runtime and others; needs netwise[onnx]) or .pt2 (for
    torch.export.load). Its answers to raw rows are compared with those of the run before it is
    written.

    \b
    Examples:
      netwise export @best model.onnx
      netwise export @last model.pt2 --partial
    """
    folder = find_run(run, home)
    from netwise.deployment.exporter import export as write_file  # heavy
    from netwise.storage.run_folder import RunFolder
    from netwise.training.run import load

    recipe = allow_own_code(RunFolder.open(folder).recipe(), trust_own)
    raw = None if rows is None else str(rows)
    made = write_file(load(folder, own_network(recipe)), file, rows=raw, partial=partial)
    if not as_json:
        echo(str(made))
        return
    echo_json(
        {
            "file": str(made.path),
            "inputs": [each.name for each in made.inputs],
            "outputs": list(made.outputs),
            "left": list(made.left),
            "rows": made.rows,
            "difference": made.difference,
            "tolerance": made.tolerance,
        }
    )

"""The command line. The only package where names are text.

Importing it loads no torch: each command imports what it needs, after its words are checked.
"""

from __future__ import annotations

import click

from netwise.cli.commands.data import data
from netwise.cli.commands.design import anatomy, capacity, check, depth, rate, start
from netwise.cli.commands.export import export
from netwise.cli.commands.guesses import guess, log, outcome
from netwise.cli.commands.inspect import diagnose, plane, runs, sensitivity, show
from netwise.cli.commands.lab import lab
from netwise.cli.commands.notes import errata, notes
from netwise.cli.commands.predict import predict, script, write
from netwise.cli.commands.published import published
from netwise.cli.commands.search import search
from netwise.cli.commands.train import demo, train, treat
from netwise.cli.commands.validation import curve, validate
from netwise.cli.commands.watch import watch
from netwise.cli.group import Group

__all__ = ["main"]

HELP = """Train neural networks with PyTorch, find out why one does not learn, and prove the fix.

\b
Examples:
  netwise train digits                   train on a bundled data set
  netwise data pets.csv                  what is in a table, and how it is read
  netwise train pets.csv --target pet    train on a table of your own
  netwise watch train.py                 run a training script of your own, and diagnose it
  netwise diagnose @last                 what is wrong with the newest run
  netwise treat @last                    try remedies, keep what is proved to help
  netwise demo                           all of this on a network that does not learn
"""
EPILOG = """RUN is the path of a run folder, its name in the folder runs/, @last (the newest run) or
@best (the best test score); PowerShell needs quotes: '@last'.
COMMAND --help explains a command with examples.

\b
Exit codes: 0 done; 2 an option, a file or a path cannot be used; 3 the run diverged;
4 the machine failed during work, such as a full disk; 5 watch --stop-on ended the program;
130 or 143 interrupted.
"""

main = click.version_option(package_name="netwise", message="netwise %(version)s")(
    Group(
        "netwise",
        {
            "Train and use": [train, predict, export, write, script],
            "Diagnose and treat": [watch, runs, show, diagnose, treat, plane, sensitivity, demo],
            "Before training": [data, check, anatomy, start, rate, capacity, depth],
            "Compare settings": [search, validate, curve, guess, outcome, log],
            "Experiments": [lab, notes, errata, published],
        },
        description=HELP,
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
)

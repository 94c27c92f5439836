"""Small programs after public reports: what netwise says of each, by running it.

They lie in NETWISE_REPORTS, or beside the clinic in `reports/`. Each prints reports of
`nw.diagnose` for a sick version and often for a mended one. EXPECTED has the rules of which one
must be found, SILENT the programs in which none may be. Others are run for crashes alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import netwise as nw
from calibration.record import ROOT, clinic_folder

# Rules of which one must be found in the output of a program.
EXPECTED: dict[str, tuple[str, ...]] = {
    "n01": ("shapes_broadcast",),
    "n03": ("norm_momentum", "running_statistics_misfit"),
    "n05": ("softmax_over_batch",),
    "n07": ("not_finite", "unstable_loss"),
    "n09": ("rate_faded",),
    "n11": ("nothing_trainable",),
    "n13": ("outputs_collapse", "embeddings_collapse"),
    "n15": ("samples_mix",),
    "n17": ("class_imbalance", "one_answer"),
    "n19": ("part_without_gradient",),
    "n21": ("gradients_cleared_before_step",),
    "n25": ("weights_stand_still",),
    "r02": ("graph_cut",),
    "r03": ("shapes_broadcast",),
    "r04": ("evaluation_prepared_otherwise",),
    "r05": ("rate_faded",),
    "r06": ("too_short",),
    "r07": ("rate_too_low", "rate_too_high"),
    "r08": ("class_imbalance", "one_answer"),
    "r09": ("loss_misfits_task", "output_misfits_loss"),
    "r10": ("brakes_too_strong", "penalty_rules"),
    "r11": ("not_shuffled",),
    "r14": ("weights_stand_still", "nothing_trainable"),
    "r19": ("labels_suspect",),
    "r20": ("output_misfits_loss", "loss_misfits_task"),
    "r25": ("output_misfits_loss", "loss_misfits_task"),
}
SILENT = ("n23", "n27", "r01", "r15", "r16", "r17", "r18", "r23", "r24")


@dataclass(frozen=True)
class Reported:
    """One program: whether one of its rules was found, all rules found, and how it ended."""

    name: str
    named: bool | None
    found: tuple[str, ...]
    crashed: bool
    output: str = ""


def reports_folder() -> Path | None:
    """Where the programs lie; None where they do not."""
    given = os.environ.get("NETWISE_REPORTS")
    folder = Path(given) if given else clinic_folder().parent / "reports"
    return folder if folder.is_dir() else None


def run_program(path: Path, seconds: float = 300) -> Reported:
    """Runs one program in a process of its own, and reads which rules it printed."""
    key = path.name[:3]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(path.parent)]),
        "OMP_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(path)],
            capture_output=True,
            text=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Reported(path.name, False if key in EXPECTED else None, (), True, "timeout")
    found = titles_found(done.stdout)
    named = bool(set(found) & set(EXPECTED[key])) if key in EXPECTED else None
    if key in SILENT:
        named = not found
    return Reported(path.name, named, found, done.returncode != 0, done.stdout[-4000:])


def titles_found(text: str) -> tuple[str, ...]:
    """Rules whose findings stand in the text: a title, and how sure it is in brackets."""
    return tuple(
        rule.name
        for rule in nw.RULES
        if re.search(re.escape(rule.title) + r" \((suspect|cause|proved)", text)
    )

"""Writes a run to its folder while it trains: history, checkpoints, weights and score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from netwise.history import RUNNING, History, RunEnd, RunFacts, history_as_dict
from netwise.observe.hooked_probe import HookedProbe
from netwise.observe.step_wiring import StepWiring
from netwise.recipe.prepared import Prepared
from netwise.scoring.score import Score
from netwise.storage.row_log import RowLog
from netwise.storage.run_folder import RunFolder
from netwise.storage.seals import FILES, RECIPE_TEXT, ROWS_SEAL
from netwise.training.captured.captured_steps import CapturedSteps
from netwise.training.checkpoint_contents import checkpoint_of
from netwise.training.facts import provenance
from netwise.training.input_pipeline import InputPipeline
from netwise.training.pace import Pace
from netwise.training.run_setup import Setup
from netwise.training.run_state import RunState
from netwise.training.settings import RunOptions
from netwise.training.snapshots import module_tensors
from netwise.wiring import Wiring


@dataclass(frozen=True, eq=False)
class RunRecorder:
    """Writes one run; without a folder it writes nothing.

    Args:
        folder: of the run, or None.
        setup: what is fixed of the run.
        facts: of its history.
        probe: knows the layers.
        pace: knows how long steps take.
        captured: knows which steps were repeated, or why none was.
        wiring: knows the connections; None: they are not read.
        log: the rows that the folder has; with a folder only.
        recipe_text: what its file of the recipe had when this process began.
    """

    folder: RunFolder | None
    setup: Setup
    facts: RunFacts
    probe: HookedProbe
    pace: Pace
    captured: CapturedSteps
    wiring: StepWiring | None = None
    log: RowLog | None = None
    recipe_text: str = ""

    def history(self, state: RunState, ended: RunEnd) -> History:
        """The history of the run so far."""
        self.probe.complete()
        made_by = provenance(self.setup, state.seconds)
        return History.from_rows(
            state.rows, self.probe.layers, self.facts, ended, made_by, self._connections()
        )

    def _connections(self) -> Wiring | None:
        return None if self.wiring is None else self.wiring.wiring()

    def write_rows(self, state: RunState) -> None:
        """Append the rows that the folder does not have yet."""
        if self.log is not None:
            self.probe.complete()
            self.log.append(state.rows[self.log.count :])

    def write_about(
        self,
        state: RunState,
        ended: RunEnd,
        final: Score | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Write the rows, and everything else of the history with the end, the score and the
        checksums of files."""
        if self.folder is None or self.log is None:
            return
        self.write_rows(state)
        made_by = provenance(self.setup, state.seconds)
        connections = self._connections()
        without_rows = History({}, self.probe.layers, self.facts, ended, made_by, connections)
        about: Mapping[str, Any] = {
            **history_as_dict(without_rows),
            "fingerprint": self.setup.samples.fingerprint,
            "how": asdict(self.setup.settings),
            "intake": self.setup.pipeline.plain(),
            "captured": self.captured.plain(),
            "pace": self.pace.plain(),
            **self.setup.ranks.plain(),
            "score": score_as_dict(final),
            RECIPE_TEXT: self.recipe_text,
            ROWS_SEAL: asdict(self.log.seal),
            FILES: dict(files or {}),
        }
        self.folder.write_about(about)

    def write_running(self, state: RunState) -> None:
        """Write that the run has not ended."""
        self.write_about(state, RunEnd(RUNNING, "Still running.", state.step))

    def write_checkpoint(self, state: RunState) -> None:
        """Write all that the next step needs. Rows are written and synced first: a checkpoint never
        counts rows that are not in the folder."""
        together = not self.setup.ranks.alone  # they give the first process what they have
        if not together and self.folder is None:
            return
        self.write_rows(state)
        sha256 = None if self.log is None else self.log.seal.sha256
        saved = checkpoint_of(self.setup, state, self.probe, self.wiring, sha256)
        if self.folder is None:
            return
        self.folder.write_checkpoint(state.step, saved)
        self.write_running(state)

    def write_end(
        self, state: RunState, ended: RunEnd, final: Score | None, pipeline: InputPipeline
    ) -> None:
        """Write the weights, the end and the score."""
        if self.folder is None:
            return
        files = self.folder.write_weights(weights_as_dict(self.setup, pipeline))
        self.write_about(state, ended, final, files)


def values_at_start(prepared: Prepared, options: RunOptions) -> dict[str, Any]:
    """What the folder of a run has from its creation on, and starting the run needs."""
    ended = RunEnd(RUNNING, "No step is done yet.", 0)
    return {
        **history_as_dict(History({}, ended=ended)),
        "fingerprint": prepared.samples.fingerprint,
        "how": asdict(options),
        "score": None,
    }


def weights_as_dict(setup: Setup, pipeline: InputPipeline) -> dict[str, Any]:
    """All tensors that predicting needs, by their names in the folder of a run."""
    model = {f"model.{name}": value for name, value in module_tensors(setup.module).items()}
    return {**model, **pipeline.tensors()}


def score_as_dict(score: Score | None) -> dict[str, Any] | None:
    """A score as plain values, with its sentence."""
    return None if score is None else {**asdict(score), "sentence": str(score)}

"""A state that was loaded without effect."""

from __future__ import annotations

from netwise.diagnosis.rules.finding import Answer, Evidence, Finding, Rule, Unchecked
from netwise.diagnosis.rules.observation import observed
from netwise.history import History

# What programs save beside the state, and wrappers whose name they put before each name.
NESTED = ("state_dict", "model_state_dict", "model", "net", "epoch", "optimizer")
PREFIXES = ("module.", "_orig_mod.", "model.")


def state_not_loaded(history: History) -> Answer:
    """Find a state that was loaded with `strict=False` and has next to no name of the module."""
    wiring = observed(history, "optimizers", "states")
    if isinstance(wiring, Unchecked):
        return wiring
    if not wiring.unmatched_states:
        return None
    kind, found, given, own = (*wiring.unmatched_states[0].split(": "), "", "", "")[:4]
    return Finding(
        rule="state_not_loaded",
        sentence=(
            f"`load_state_dict(..., strict=False)` found {found or 'none'} names of {kind} in the "
            f"state, which has `{given}` where the module has `{own}`. The module still has the "
            "weights that it was made with."
        ),
        evidence=(Evidence("modules that a state did not fit", len(wiring.unmatched_states), 0.0),),
        change=_change(given, own),
    )


def _change(given: str, own: str) -> str:
    if given.partition(".")[0] in NESTED and "." not in given:
        return 'model.load_state_dict(checkpoint["state_dict"])  # the state in it, strict'
    for prefix in PREFIXES:
        if given.startswith(prefix) and not own.startswith(prefix):
            return (
                f'state = {{name.removeprefix("{prefix}"): w for name, w in state.items()}}\n'
                "model.load_state_dict(state)  # strict: names that do not fit are an error"
            )
    return (
        "keys = model.load_state_dict(state, strict=False)\n"
        "assert not keys.unexpected_keys, keys  # and rename what is listed"
    )


STATE_NOT_LOADED = Rule(
    name="state_not_loaded",
    title="A state that was loaded without effect",
    find=state_not_loaded,
    explanation=(
        "With `strict=False` names that only one side has are left out without an error. Where a "
        "wrapper has put a word before each name, or a checkpoint holds the state one level "
        "deeper, that is all of them, and a network that should be pretrained is a random one."
    ),
    healthy="All names of the state are in the module; what the module lacks is a new head.",
    source="PyTorch documentation, torch.nn.Module.load_state_dict",
    explains=("frozen_layers", "not_learning", "underfitting"),
    own_loops=True,
    exact=True,
)

"""Names that parts had before 1.0, in one table: files that use them are still read."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Old word -> class of today. Recipe and search files name parts by a `kind` of these.
RENAMED: Mapping[str, str] = {
    "Activity": "ActivityPenalty",
    "Annealed": "AnnealedSampling",
    "ByNetwork": "ModuleDefault",
    "Exact": "ExactGradient",
    "Frame": "MomentOptimizer",
    "Limit": "ClipInputs",
    "Own": "CustomNetwork",
    "Switch": "SwitchOptimizer",
    "Together": "SumOfPenalties",
    "Torch": "TorchOptimizer",
    "Whole": "Integer",
}
_CURRENT = {old.lower(): new for old, new in RENAMED.items()}
_OLD = {new: old for old, new in RENAMED.items()}
_KIND = re.compile(r'\bkind = "(' + "|".join(_OLD) + r')"')


def current_name(kind: str) -> str:
    """Today's name of the part that a file calls `kind`; upper and lower case are alike.

    >>> current_name("Own"), current_name("limit"), current_name("MLP")
    ('CustomNetwork', 'ClipInputs', 'MLP')
    """
    return _CURRENT.get(kind.lower(), kind)


def with_old_names(text: str) -> str:
    """TOML text as it was written before the renames: hashes of recipes are those of this text,
    so that a rename changes no hash.

    >>> with_old_names('network = {kind = "CustomNetwork", source = "models:build"}')
    'network = {kind = "Own", source = "models:build"}'
    """
    return _KIND.sub(lambda match: f'kind = "{_OLD[match[1]]}"', text)


# Names that moved into a namespace: `nw.Log` is `nw.axes.Log`.
NAMESPACES: Mapping[str, tuple[str, ...]] = {
    "axes": ("Axis", "Choice", "Integer", "Linear", "Log"),
    "energy": (
        "LogPartitionEstimate",
        "RecallResult",
        "ais",
        "autocorrelation",
        "base_rate_likelihood",
        "effective_samples",
        "log_likelihood",
        "log_partition",
        "pseudo_likelihood",
        "reverse_ais",
    ),
    "learning_rules": (
        "Neuron",
        "Operations",
        "ThresholdNetwork",
        "count_operations",
        "delta",
        "hebb",
        "oja",
    ),
    "sizes": ("same", "same_padding", "valid"),
}


def public_hint(name: str) -> str:
    """Where a name of the first versions is now, as the end of a sentence; "" if nowhere.

    >>> public_hint("Log"), public_hint("Own"), public_hint("Hee")
    (': write nw.axes.Log', ': write nw.CustomNetwork', '')
    """
    name = RENAMED.get(name, name)
    for space, names in NAMESPACES.items():
        if name in names:
            return f": write nw.{space}.{name}"
    return f": write nw.{name}" if name in RENAMED.values() else ""

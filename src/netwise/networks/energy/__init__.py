"""Energy models (能量模型): Hopfield nets, Boltzmann machines, RBMs, and stacks of them."""

from __future__ import annotations

from netwise.networks.energy.boltzmann import AnnealedSampling, BoltzmannMachine, FullBoltzmann
from netwise.networks.energy.dbn import DBN, DeepBelief
from netwise.networks.energy.hopfield import (
    AssociativeMemory,
    Hopfield,
    ModernHopfield,
    ModernMemory,
    RecallResult,
)
from netwise.networks.energy.importance_sampling import (
    LogPartitionEstimate,
    ais,
    inverse_temperatures,
    reverse_ais,
)
from netwise.networks.energy.likelihood import (
    base_rate_likelihood,
    log_likelihood,
    log_partition,
    pseudo_likelihood,
)
from netwise.networks.energy.mixing import autocorrelation, effective_samples
from netwise.networks.energy.phases import (
    CD,
    PCD,
    ExactGradient,
    FastPCD,
    NegativePhase,
    ParallelTempering,
)
from netwise.networks.energy.rbm import RBM, RestrictedBoltzmann
from netwise.networks.network import Network

MACHINES: tuple[type[Network], ...] = (Hopfield, ModernHopfield, BoltzmannMachine, RBM, DBN)
NEGATIVE_PHASES: tuple[type[NegativePhase], ...] = (
    CD,
    PCD,
    FastPCD,
    ParallelTempering,
    ExactGradient,
    AnnealedSampling,
)

__all__ = [
    "CD",
    "AnnealedSampling",
    "BoltzmannMachine",
    "FullBoltzmann",
    "Hopfield",
    "AssociativeMemory",
    "ModernHopfield",
    "ModernMemory",
    "RecallResult",
    "DBN",
    "PCD",
    "RBM",
    "DeepBelief",
    "LogPartitionEstimate",
    "ExactGradient",
    "FastPCD",
    "ParallelTempering",
    "NegativePhase",
    "RestrictedBoltzmann",
    "ais",
    "autocorrelation",
    "base_rate_likelihood",
    "effective_samples",
    "inverse_temperatures",
    "log_likelihood",
    "log_partition",
    "pseudo_likelihood",
    "reverse_ais",
]


def __dir__() -> list[str]:
    return __all__

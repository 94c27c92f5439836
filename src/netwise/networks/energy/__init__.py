"""Energy models (能量模型): Hopfield nets, Boltzmann machines, restricted ones, and stacks of them."""

from __future__ import annotations

from netwise.networks.energy.boltzmann import Annealed, BoltzmannMachine, FullBoltzmann
from netwise.networks.energy.dbn import DBN, DeepBelief
from netwise.networks.energy.hopfield import (
    AssociativeMemory,
    Hopfield,
    ModernHopfield,
    ModernMemory,
    Recall,
)
from netwise.networks.energy.importance_sampling import Estimate, ais, ladder, reverse_ais
from netwise.networks.energy.likelihood import (
    base_rate_likelihood,
    log_likelihood,
    log_partition,
    pseudo_likelihood,
)
from netwise.networks.energy.mixing import autocorrelation, effective_samples
from netwise.networks.energy.phases import CD, PCD, Exact, FastPCD, ParallelTempering, Phase
from netwise.networks.energy.rbm import RBM, RestrictedBoltzmann
from netwise.networks.network import Network

MACHINES: tuple[type[Network], ...] = (Hopfield, ModernHopfield, BoltzmannMachine, RBM, DBN)
PHASES: tuple[type[Phase], ...] = (CD, PCD, FastPCD, ParallelTempering, Exact, Annealed)

__all__ = [
    "CD",
    "Annealed",
    "BoltzmannMachine",
    "FullBoltzmann",
    "Hopfield",
    "AssociativeMemory",
    "ModernHopfield",
    "ModernMemory",
    "Recall",
    "DBN",
    "MACHINES",
    "PCD",
    "PHASES",
    "RBM",
    "DeepBelief",
    "Estimate",
    "Exact",
    "FastPCD",
    "ParallelTempering",
    "Phase",
    "RestrictedBoltzmann",
    "ais",
    "autocorrelation",
    "base_rate_likelihood",
    "effective_samples",
    "ladder",
    "log_likelihood",
    "log_partition",
    "pseudo_likelihood",
    "reverse_ais",
]

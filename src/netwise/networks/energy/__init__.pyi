"""The names of this package, once; see `netwise.lazy_names`."""

from netwise.networks.energy.boltzmann import (
    AnnealedSampling as AnnealedSampling,
    BoltzmannMachine as BoltzmannMachine,
    FullBoltzmann as FullBoltzmann,
)
from netwise.networks.energy.dbn import DBN as DBN, DeepBelief as DeepBelief
from netwise.networks.energy.hopfield import (
    AssociativeMemory as AssociativeMemory,
    Hopfield as Hopfield,
    ModernHopfield as ModernHopfield,
    ModernMemory as ModernMemory,
    RecallResult as RecallResult,
)
from netwise.networks.energy.importance_sampling import (
    LogPartitionEstimate as LogPartitionEstimate,
    ais as ais,
    inverse_temperatures as inverse_temperatures,
    reverse_ais as reverse_ais,
)
from netwise.networks.energy.likelihood import (
    base_rate_likelihood as base_rate_likelihood,
    log_likelihood as log_likelihood,
    log_partition as log_partition,
    pseudo_likelihood as pseudo_likelihood,
)
from netwise.networks.energy.mixing import (
    autocorrelation as autocorrelation,
    effective_samples as effective_samples,
)
from netwise.networks.energy.phases import (
    CD as CD,
    PCD as PCD,
    ExactGradient as ExactGradient,
    FastPCD as FastPCD,
    NegativePhase as NegativePhase,
    ParallelTempering as ParallelTempering,
)
from netwise.networks.energy.rbm import RBM as RBM, RestrictedBoltzmann as RestrictedBoltzmann
from netwise.part import Kinds

MACHINES: Kinds
NEGATIVE_PHASES: Kinds
__all__: list[str]

"""Energy models (能量模型): Hopfield nets, Boltzmann machines, RBMs, and stacks of them."""

from netwise.lazy_names import lazily, stub_names
from netwise.part import Kinds

MACHINES = Kinds(__name__, "Hopfield", "ModernHopfield", "BoltzmannMachine", "RBM", "DBN")
NEGATIVE_PHASES = Kinds(
    __name__, "CD", "PCD", "FastPCD", "ParallelTempering", "ExactGradient", "AnnealedSampling"
)

_HOMES = stub_names(__path__[0])
__all__ = list(_HOMES)
__getattr__ = lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

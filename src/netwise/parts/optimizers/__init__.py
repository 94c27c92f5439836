"""Optimizers.

Each part builds the `torch.optim` object that training uses (`build`), and has the same rule as a
formula: two pure functions (`init`, `step`), which tests compare with torch. Where torch lacks a
rule, training uses the formula.
"""

from __future__ import annotations

from netwise.parts.optimizers.adaptive import (
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    RAdam,
    RMSProp,
)
from netwise.parts.optimizers.closure import LBFGS, SimulatedAnnealing
from netwise.parts.optimizers.descent import SGD, Momentum
from netwise.parts.optimizers.moment_rules import MomentOptimizer
from netwise.parts.optimizers.muon import Muon
from netwise.parts.optimizers.optimizer import FormulaOptimizer, Optimizer, ParameterState
from netwise.parts.optimizers.switch import SwitchOptimizer
from netwise.parts.optimizers.torch_optimizer import TorchOptimizer

OPTIMIZERS: tuple[type[Optimizer], ...] = (
    SGD,
    Momentum,
    Adagrad,
    RMSProp,
    Adadelta,
    Adam,
    AdamW,
    AMSGrad,
    NAdam,
    RAdam,
    Lion,
    Muon,
    LBFGS,
    SimulatedAnnealing,
    MomentOptimizer,
    SwitchOptimizer,
    TorchOptimizer,
)

__all__ = [
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "FormulaOptimizer",
    "MomentOptimizer",
    "LBFGS",
    "Lion",
    "ParameterState",
    "Momentum",
    "Muon",
    "NAdam",
    "OPTIMIZERS",
    "Optimizer",
    "RAdam",
    "RMSProp",
    "SGD",
    "SimulatedAnnealing",
    "SwitchOptimizer",
    "TorchOptimizer",
]

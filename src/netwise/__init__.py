"""netwise: a network that learns, and when it does not, the reason and a proven cure.

Every name below is loaded when it is first used: `import netwise` costs little, and `netwise --help` never pays for torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Activation",
    "Adam",
    "AdamW",
    "Anatomy",
    "Augment",
    "BinaryCrossEntropy",
    "ByNetwork",
    "Clip",
    "ClipValue",
    "Clipping",
    "Constant",
    "ConstantRate",
    "Cosine",
    "Course",
    "CrossEntropy",
    "DataError",
    "DataMissing",
    "ELU",
    "Ended",
    "Evidence",
    "Facts",
    "Finding",
    "Glorot",
    "He",
    "History",
    "Identity",
    "Initializer",
    "L1",
    "L2",
    "LABS",
    "Lab",
    "Layer",
    "LeCun",
    "LeNet5",
    "LeakyReLU",
    "Loss",
    "MLP",
    "MadeBy",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MinMax",
    "Moment",
    "NetwiseError",
    "Network",
    "Never",
    "Noise",
    "Normal",
    "Optimizer",
    "Outcome",
    "Own",
    "Patience",
    "Penalty",
    "Preprocess",
    "Problem",
    "Progress",
    "Quadratic",
    "REMEDIES",
    "RMSProp",
    "RULES",
    "ReLU",
    "Recipe",
    "RecipeFileError",
    "Remedy",
    "Report",
    "Resize",
    "Round",
    "Rule",
    "Run",
    "RunFolderError",
    "SGD",
    "Schedule",
    "Score",
    "Series",
    "ShapeError",
    "Shift",
    "Sigmoid",
    "Silent",
    "Softmax",
    "Specimen",
    "Standardise",
    "StepDecay",
    "Stopping",
    "Tanh",
    "Unchecked",
    "Unfit",
    "UnknownName",
    "Verdict",
    "WrongValue",
    "changes",
    "check",
    "data",
    "describe",
    "diagnose",
    "fit",
    "fit_many",
    "gallery",
    "lab",
    "list_runs",
    "load",
    "load_history",
    "read_recipe",
    "recipe_text",
    "remedy",
    "resume",
    "suggest",
    "treat",
    "trial",
    "watch",
    "write_recipe",
    "write_report",
]

if TYPE_CHECKING:  # for mypy and editors
    from netwise import data as data, gallery as gallery
    from netwise.activations import (
        ELU as ELU,
        Activation as Activation,
        Identity as Identity,
        LeakyReLU as LeakyReLU,
        ReLU as ReLU,
        Sigmoid as Sigmoid,
        Softmax as Softmax,
        Tanh as Tanh,
    )
    from netwise.anatomy import Anatomy as Anatomy, describe as describe
    from netwise.augment import Augment as Augment, Noise as Noise, Shift as Shift
    from netwise.clipping import Clip as Clip, Clipping as Clipping, ClipValue as ClipValue
    from netwise.diagnosis import Report as Report, diagnose as diagnose
    from netwise.engine.many import fit_many as fit_many
    from netwise.engine.progress import Progress as Progress, Silent as Silent
    from netwise.engine.run import Run as Run, load as load, load_history as load_history
    from netwise.engine.scores import Score as Score
    from netwise.engine.training import fit as fit, resume as resume
    from netwise.errors import (
        DataError as DataError,
        DataMissing as DataMissing,
        NetwiseError as NetwiseError,
        Problem as Problem,
        RecipeFileError as RecipeFileError,
        RunFolderError as RunFolderError,
        ShapeError as ShapeError,
        UnknownName as UnknownName,
        WrongValue as WrongValue,
    )
    from netwise.gallery import Specimen as Specimen
    from netwise.history import Ended as Ended, Facts as Facts, History as History, Layer as Layer, MadeBy as MadeBy, Series as Series
    from netwise.initializers import (
        ByNetwork as ByNetwork,
        Constant as Constant,
        Glorot as Glorot,
        He as He,
        Initializer as Initializer,
        LeCun as LeCun,
        Normal as Normal,
    )
    from netwise.labs import LABS as LABS, Lab as Lab, Outcome as Outcome, lab as lab
    from netwise.losses import (
        BinaryCrossEntropy as BinaryCrossEntropy,
        CrossEntropy as CrossEntropy,
        Loss as Loss,
        MeanAbsoluteError as MeanAbsoluteError,
        MeanSquaredError as MeanSquaredError,
        Quadratic as Quadratic,
    )
    from netwise.networks import MLP as MLP, LeNet5 as LeNet5, Network as Network, Own as Own
    from netwise.optimizers import SGD as SGD, Adam as Adam, AdamW as AdamW, Optimizer as Optimizer, RMSProp as RMSProp
    from netwise.penalties import L1 as L1, L2 as L2, Penalty as Penalty
    from netwise.preprocess import MinMax as MinMax, Preprocess as Preprocess, Resize as Resize, Standardise as Standardise
    from netwise.recipe.checks import check as check
    from netwise.recipe.file import read_recipe as read_recipe, recipe_text as recipe_text, write_recipe as write_recipe
    from netwise.recipe.recipe import Recipe as Recipe, changes as changes
    from netwise.recipe.suggestion import suggest as suggest
    from netwise.remedies import REMEDIES as REMEDIES, Remedy as Remedy, Unfit as Unfit, remedy as remedy
    from netwise.report import write_report as write_report
    from netwise.rules import RULES as RULES, Evidence as Evidence, Finding as Finding, Rule as Rule, Unchecked as Unchecked
    from netwise.schedules import ConstantRate as ConstantRate, Cosine as Cosine, Moment as Moment, Schedule as Schedule, StepDecay as StepDecay
    from netwise.stopping import Never as Never, Patience as Patience, Stopping as Stopping
    from netwise.store import list_runs as list_runs
    from netwise.treatment import Course as Course, Round as Round, treat as treat
    from netwise.trials import Verdict as Verdict, trial as trial
    from netwise.watching import watch as watch
else:  # hidden from mypy, or every misspelt name would type-check
    _HOME = {
        "Activation": "activations",
        "Adam": "optimizers",
        "AdamW": "optimizers",
        "Anatomy": "anatomy",
        "Augment": "augment",
        "BinaryCrossEntropy": "losses",
        "ByNetwork": "initializers",
        "Clip": "clipping",
        "ClipValue": "clipping",
        "Clipping": "clipping",
        "Constant": "initializers",
        "ConstantRate": "schedules",
        "Cosine": "schedules",
        "Course": "treatment",
        "CrossEntropy": "losses",
        "DataError": "errors",
        "DataMissing": "errors",
        "ELU": "activations",
        "Ended": "history",
        "Evidence": "rules",
        "Facts": "history",
        "Finding": "rules",
        "Glorot": "initializers",
        "He": "initializers",
        "History": "history",
        "Identity": "activations",
        "Initializer": "initializers",
        "L1": "penalties",
        "L2": "penalties",
        "LABS": "labs",
        "Lab": "labs",
        "Layer": "history",
        "LeCun": "initializers",
        "LeNet5": "networks",
        "LeakyReLU": "activations",
        "Loss": "losses",
        "MLP": "networks",
        "MadeBy": "history",
        "MeanAbsoluteError": "losses",
        "MeanSquaredError": "losses",
        "MinMax": "preprocess",
        "Moment": "schedules",
        "NetwiseError": "errors",
        "Network": "networks",
        "Never": "stopping",
        "Noise": "augment",
        "Normal": "initializers",
        "Optimizer": "optimizers",
        "Outcome": "labs",
        "Own": "networks",
        "Patience": "stopping",
        "Penalty": "penalties",
        "Preprocess": "preprocess",
        "Problem": "errors",
        "Progress": "engine.progress",
        "Quadratic": "losses",
        "REMEDIES": "remedies",
        "RMSProp": "optimizers",
        "RULES": "rules",
        "ReLU": "activations",
        "Recipe": "recipe.recipe",
        "RecipeFileError": "errors",
        "Remedy": "remedies",
        "Report": "diagnosis",
        "Resize": "preprocess",
        "Round": "treatment",
        "Rule": "rules",
        "Run": "engine.run",
        "RunFolderError": "errors",
        "SGD": "optimizers",
        "Schedule": "schedules",
        "Score": "engine.scores",
        "Series": "history",
        "ShapeError": "errors",
        "Shift": "augment",
        "Sigmoid": "activations",
        "Silent": "engine.progress",
        "Softmax": "activations",
        "Specimen": "gallery",
        "Standardise": "preprocess",
        "StepDecay": "schedules",
        "Stopping": "stopping",
        "Tanh": "activations",
        "Unchecked": "rules",
        "Unfit": "remedies",
        "UnknownName": "errors",
        "Verdict": "trials",
        "WrongValue": "errors",
        "changes": "recipe.recipe",
        "check": "recipe.checks",
        "describe": "anatomy",
        "diagnose": "diagnosis",
        "fit": "engine.training",
        "fit_many": "engine.many",
        "lab": "labs",
        "list_runs": "store",
        "load": "engine.run",
        "load_history": "engine.run",
        "read_recipe": "recipe.file",
        "recipe_text": "recipe.file",
        "remedy": "remedies",
        "resume": "engine.training",
        "suggest": "recipe.suggestion",
        "treat": "treatment",
        "trial": "trials",
        "watch": "watching",
        "write_recipe": "recipe.file",
        "write_report": "report",
    }
    _MODULES = ("data", "gallery")

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module(f"netwise.{name}")
        if name not in _HOME:  # name= and obj= let Python add "Did you mean: 'He'?"
            raise AttributeError(f"netwise has no public {name!r}", name=name, obj=sys.modules[__name__])
        return getattr(import_module(f"netwise.{_HOME[name]}"), name)

    def __dir__() -> list[str]:  # for help() and the Tab key
        return __all__

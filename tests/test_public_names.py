"""The public names are these; each is documented, and none is hidden by a module."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import netwise as nw

PACKAGE = Path(nw.__file__).parent
NAMES = [
    "AMSGrad",
    "Activation",
    "Activity",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Affine",
    "AlexNet",
    "Anatomy",
    "Annealed",
    "Augment",
    "Autoencoder",
    "Averaging",
    "Begun",
    "Binarise",
    "BinaryCrossEntropy",
    "BoltzmannMachine",
    "ByNetwork",
    "CD",
    "CIFARResNet",
    "Character",
    "Clip",
    "ClipValue",
    "Clipping",
    "ColourJitter",
    "Constant",
    "ConstantRate",
    "ConvAutoencoder",
    "ConvNet",
    "Cosine",
    "Course",
    "Crop",
    "CrossEntropy",
    "DBN",
    "DataError",
    "DataMissing",
    "Dirac",
    "DrawBits",
    "ELU",
    "EMA",
    "Elastic",
    "ElasticNet",
    "ElmanRNN",
    "Ended",
    "Ending",
    "Erase",
    "Estimate",
    "Evidence",
    "Exact",
    "Exponential",
    "Facts",
    "FastPCD",
    "FillMissing",
    "Finding",
    "FineTune",
    "FirstOf",
    "Flatten",
    "Flip",
    "Frame",
    "From",
    "FromDistribution",
    "GELU",
    "GRU",
    "GlobalContrast",
    "Glorot",
    "GoogLeNet",
    "HalveUntil",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "He",
    "Hinge",
    "History",
    "Hopfield",
    "Huber",
    "Identity",
    "InceptionBlock",
    "Initializer",
    "L1",
    "L2",
    "LABS",
    "LBFGS",
    "LSTM",
    "LSUV",
    "Lab",
    "Layer",
    "LeCun",
    "LeNet5",
    "LeNet5Paper",
    "LeakyReLU",
    "Lion",
    "Loss",
    "MLP",
    "MadeBy",
    "Mask",
    "MaxNorm",
    "Maxout",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Milestones",
    "MinMax",
    "Mish",
    "Mixup",
    "ModernHopfield",
    "Moment",
    "Momentum",
    "Muon",
    "NAdam",
    "NetwiseError",
    "Network",
    "Neuron",
    "Never",
    "Noise",
    "NoiseCopies",
    "Normal",
    "OneCycle",
    "OneHot",
    "Operations",
    "Optimizer",
    "Orthogonal",
    "Outcome",
    "Own",
    "PCD",
    "PReLU",
    "ParallelTempering",
    "Patience",
    "Penalty",
    "Phase",
    "Plateau",
    "Preprocess",
    "Problem",
    "Progress",
    "Quadratic",
    "Quantile",
    "RAdam",
    "RBM",
    "REMEDIES",
    "RMSProp",
    "RReLU",
    "RULES",
    "RateThreshold",
    "ReLU",
    "ReLU6",
    "Recall",
    "Recipe",
    "RecipeFileError",
    "Remedy",
    "Report",
    "ResNet",
    "Resample",
    "Resize",
    "Rotate",
    "Round",
    "Rule",
    "Run",
    "RunFolderError",
    "SELU",
    "SGD",
    "SWA",
    "SaltAndPepper",
    "Scale",
    "Schedule",
    "Score",
    "Series",
    "ShapeError",
    "Shift",
    "ShiftCopies",
    "SiLU",
    "Sigmoid",
    "Silent",
    "SimulatedAnnealing",
    "Softmax",
    "Softplus",
    "Softsign",
    "Specimen",
    "Standardise",
    "StepDecay",
    "Stopping",
    "Switch",
    "Tanh",
    "TargetReached",
    "ThresholdNetwork",
    "TimeBudget",
    "Together",
    "Torch",
    "TrainDownValidUp",
    "TwoStage",
    "Unchecked",
    "Unfit",
    "Uniform",
    "UnknownName",
    "VGG",
    "VariationalAutoencoder",
    "Verdict",
    "WarmUp",
    "Whiten",
    "WithBiases",
    "WrongValue",
    "ais",
    "autocorrelation",
    "base_rate_likelihood",
    "cbapd",
    "changes",
    "character",
    "check",
    "count_operations",
    "data",
    "delta",
    "describe",
    "diagnose",
    "effective_samples",
    "fit",
    "fit_many",
    "gain",
    "gallery",
    "gradient_through_time",
    "hebb",
    "initialize",
    "lab",
    "list_runs",
    "load",
    "load_history",
    "log_likelihood",
    "log_partition",
    "look_at_start",
    "oja",
    "picture_activations",
    "picture_anatomy",
    "picture_transforms",
    "plain_anatomy",
    "pseudo_likelihood",
    "rate_threshold",
    "read_recipe",
    "recipe_text",
    "remedy",
    "resume",
    "reverse_ais",
    "same_padding",
    "same_size",
    "sample_text",
    "slope",
    "start_table",
    "suggest",
    "to_script",
    "treat",
    "trial",
    "valid_size",
    "watch",
    "with_rate",
    "write_recipe",
    "write_report",
]


def test_the_public_names_are_these() -> None:
    assert sorted(nw.__all__) == sorted(NAMES)
    assert dir(nw) == nw.__all__


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_shows_an_example(name: str) -> None:
    thing = getattr(nw, name)
    if isinstance(thing, ModuleType | tuple):
        return
    assert ">>>" in (inspect.getdoc(thing) or ""), f"{name} has no runnable example"


def test_no_module_has_the_name_of_a_function() -> None:
    modules = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert {name for name in NAMES if name in modules} == {"data", "gallery"}  # these two are the modules themselves
    for name in ("fit", "diagnose", "treat", "trial", "watch", "check", "load"):
        assert callable(getattr(nw, name))


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(AttributeError, match="netwise has no public 'Hee'") as caught:
        nw.Hee  # noqa: B018
    assert caught.value.name == "Hee"
    assert caught.value.obj is nw


def modules_after(code: str) -> set[str]:
    out = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"], capture_output=True, text=True, check=True)
    return set(out.stdout.splitlines()[-1].split())


HEAVY = {"torch", "numpy", "rich", "matplotlib", "sklearn", "scipy", "pydantic", "joblib"}


def test_import_loads_nothing_heavy() -> None:
    assert not modules_after("import netwise") & HEAVY


def test_help_loads_nothing_heavy() -> None:
    code = "from click.testing import CliRunner\nfrom netwise.cli import main\nassert CliRunner().invoke(main, ['--help']).exit_code == 0"
    assert not modules_after(code) & HEAVY
    assert "torch" in modules_after("import netwise; netwise.fit")  # the look itself sees what is loaded

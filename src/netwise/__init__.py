"""netwise: a network that learns, and when it does not, the reason and a proven cure.

Every name below is loaded when it is first used: `import netwise` costs little, and `netwise --help` never pays for torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "AMSGrad", "Activation", "Activity", "Adadelta", "Adagrad", "Adam", "AdamW", "Affine", "AlexNet", "Anatomy",
    "Augment", "Averaging", "Begun", "BinaryCrossEntropy", "ByNetwork", "CIFARResNet", "Character", "Clip",
    "ClipValue", "Clipping", "ColourJitter", "Constant", "ConstantRate", "ConvNet", "Cosine", "Course", "Crop",
    "CrossEntropy", "DataError", "DataMissing", "Dirac", "ELU", "EMA", "Elastic", "ElasticNet", "ElmanRNN", "Ended",
    "Ending", "Erase", "Evidence", "Exponential", "Facts", "FillMissing", "Finding", "FineTune", "FirstOf",
    "Flatten", "Flip", "Frame", "From", "FromDistribution", "GELU", "GRU", "GlobalContrast", "Glorot", "GoogLeNet",
    "HalveUntil", "HardSigmoid", "HardSwish", "HardTanh", "He", "Hinge", "History", "Huber", "Identity",
    "InceptionBlock", "Initializer", "L1", "L2", "LABS", "LBFGS", "LSTM", "LSUV", "Lab", "Layer", "LeCun", "LeNet5",
    "LeNet5Paper", "LeakyReLU", "Lion", "Loss", "MLP", "MadeBy", "MaxNorm", "Maxout", "MeanAbsoluteError",
    "MeanSquaredError", "Milestones", "MinMax", "Mish", "Mixup", "Moment", "Momentum", "Muon", "NAdam",
    "NetwiseError", "Network", "Neuron", "Never", "Noise", "NoiseCopies", "Normal", "OneCycle", "OneHot",
    "Operations", "Optimizer", "Orthogonal", "Outcome", "Own", "PReLU", "Patience", "Penalty", "Plateau",
    "Preprocess", "Problem", "Progress", "Quadratic", "Quantile", "RAdam", "REMEDIES", "RMSProp", "RReLU", "RULES",
    "RateThreshold", "ReLU", "ReLU6", "Recipe", "RecipeFileError", "Remedy", "Report", "ResNet", "Resample",
    "Resize", "Rotate", "Round", "Rule", "Run", "RunFolderError", "SELU", "SGD", "SWA", "Scale", "Schedule", "Score",
    "Series", "ShapeError", "Shift", "ShiftCopies", "SiLU", "Sigmoid", "Silent", "SimulatedAnnealing", "Softmax",
    "Softplus", "Softsign", "Specimen", "Standardise", "StepDecay", "Stopping", "Switch", "Tanh", "TargetReached",
    "ThresholdNetwork", "TimeBudget", "Together", "Torch", "TrainDownValidUp", "TwoStage", "Unchecked", "Unfit",
    "Uniform", "UnknownName", "VGG", "Verdict", "WarmUp", "Whiten", "WrongValue", "cbapd", "changes", "character",
    "check", "count_operations", "data", "delta", "describe", "diagnose", "fit", "fit_many", "gain", "gallery",
    "gradient_through_time", "hebb", "initialize", "lab", "list_runs", "load", "load_history", "look_at_start",
    "oja", "picture_activations", "picture_anatomy", "plain_anatomy", "rate_threshold", "read_recipe", "recipe_text",
    "remedy", "resume", "same_padding", "same_size", "sample_text", "slope", "start_table", "suggest", "to_script",
    "treat", "trial", "valid_size", "watch", "with_rate", "write_recipe", "write_report",
]

if TYPE_CHECKING:  # for mypy and editors
    from netwise import data as data
    from netwise import gallery as gallery
    from netwise.activations import (
        Activation as Activation,
        Character as Character,
        ELU as ELU,
        GELU as GELU,
        HardSigmoid as HardSigmoid,
        HardSwish as HardSwish,
        HardTanh as HardTanh,
        Identity as Identity,
        LeakyReLU as LeakyReLU,
        Maxout as Maxout,
        Mish as Mish,
        PReLU as PReLU,
        RReLU as RReLU,
        ReLU as ReLU,
        ReLU6 as ReLU6,
        SELU as SELU,
        SiLU as SiLU,
        Sigmoid as Sigmoid,
        Softmax as Softmax,
        Softplus as Softplus,
        Softsign as Softsign,
        Tanh as Tanh,
        character as character,
        gain as gain,
        slope as slope,
    )
    from netwise.anatomy import (
        Anatomy as Anatomy,
        describe as describe,
        plain_anatomy as plain_anatomy,
    )
    from netwise.augment import (
        Affine as Affine,
        Augment as Augment,
        ColourJitter as ColourJitter,
        Crop as Crop,
        Elastic as Elastic,
        Erase as Erase,
        Flip as Flip,
        FromDistribution as FromDistribution,
        Mixup as Mixup,
        Noise as Noise,
        NoiseCopies as NoiseCopies,
        Resample as Resample,
        Rotate as Rotate,
        Shift as Shift,
        ShiftCopies as ShiftCopies,
    )
    from netwise.averaging import (
        Averaging as Averaging,
        EMA as EMA,
        SWA as SWA,
    )
    from netwise.clipping import (
        Clip as Clip,
        ClipValue as ClipValue,
        Clipping as Clipping,
    )
    from netwise.diagnosis import (
        Report as Report,
        diagnose as diagnose,
    )
    from netwise.engine.many import (
        fit_many as fit_many,
    )
    from netwise.engine.progress import (
        Progress as Progress,
        Silent as Silent,
    )
    from netwise.engine.run import (
        Run as Run,
        load as load,
        load_history as load_history,
    )
    from netwise.engine.sampling import (
        sample_text as sample_text,
    )
    from netwise.engine.scores import (
        Score as Score,
    )
    from netwise.engine.training import (
        fit as fit,
        resume as resume,
    )
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
    from netwise.finetuning import (
        FineTune as FineTune,
    )
    from netwise.gallery import (
        Specimen as Specimen,
    )
    from netwise.history import (
        Ended as Ended,
        Facts as Facts,
        History as History,
        Layer as Layer,
        MadeBy as MadeBy,
        Series as Series,
    )
    from netwise.initializers import (
        ByNetwork as ByNetwork,
        Constant as Constant,
        Dirac as Dirac,
        Glorot as Glorot,
        He as He,
        Initializer as Initializer,
        LSUV as LSUV,
        LeCun as LeCun,
        Normal as Normal,
        Orthogonal as Orthogonal,
        Uniform as Uniform,
        initialize as initialize,
    )
    from netwise.labs import (
        LABS as LABS,
        Lab as Lab,
        Outcome as Outcome,
        lab as lab,
    )
    from netwise.learning_rules import (
        Neuron as Neuron,
        Operations as Operations,
        ThresholdNetwork as ThresholdNetwork,
        count_operations as count_operations,
        delta as delta,
        hebb as hebb,
        oja as oja,
    )
    from netwise.losses import (
        BinaryCrossEntropy as BinaryCrossEntropy,
        CrossEntropy as CrossEntropy,
        Hinge as Hinge,
        Huber as Huber,
        Loss as Loss,
        MeanAbsoluteError as MeanAbsoluteError,
        MeanSquaredError as MeanSquaredError,
        Quadratic as Quadratic,
    )
    from netwise.networks import (
        AlexNet as AlexNet,
        CIFARResNet as CIFARResNet,
        ConvNet as ConvNet,
        ElmanRNN as ElmanRNN,
        GRU as GRU,
        GoogLeNet as GoogLeNet,
        InceptionBlock as InceptionBlock,
        LSTM as LSTM,
        LeNet5 as LeNet5,
        LeNet5Paper as LeNet5Paper,
        MLP as MLP,
        Network as Network,
        Own as Own,
        ResNet as ResNet,
        VGG as VGG,
        cbapd as cbapd,
        gradient_through_time as gradient_through_time,
        same_padding as same_padding,
        same_size as same_size,
        valid_size as valid_size,
    )
    from netwise.optimizers import (
        AMSGrad as AMSGrad,
        Adadelta as Adadelta,
        Adagrad as Adagrad,
        Adam as Adam,
        AdamW as AdamW,
        Frame as Frame,
        LBFGS as LBFGS,
        Lion as Lion,
        Momentum as Momentum,
        Muon as Muon,
        NAdam as NAdam,
        Optimizer as Optimizer,
        RAdam as RAdam,
        RMSProp as RMSProp,
        SGD as SGD,
        SimulatedAnnealing as SimulatedAnnealing,
        Switch as Switch,
        Torch as Torch,
    )
    from netwise.penalties import (
        Activity as Activity,
        ElasticNet as ElasticNet,
        L1 as L1,
        L2 as L2,
        MaxNorm as MaxNorm,
        Penalty as Penalty,
        Together as Together,
    )
    from netwise.pictures.activations import (
        picture_activations as picture_activations,
    )
    from netwise.pictures.anatomy import (
        picture_anatomy as picture_anatomy,
    )
    from netwise.preprocess import (
        FillMissing as FillMissing,
        Flatten as Flatten,
        GlobalContrast as GlobalContrast,
        MinMax as MinMax,
        OneHot as OneHot,
        Preprocess as Preprocess,
        Quantile as Quantile,
        Resize as Resize,
        Scale as Scale,
        Standardise as Standardise,
        Whiten as Whiten,
    )
    from netwise.recipe.checks import (
        check as check,
    )
    from netwise.recipe.file import (
        read_recipe as read_recipe,
        recipe_text as recipe_text,
        write_recipe as write_recipe,
    )
    from netwise.recipe.origin import (
        From as From,
    )
    from netwise.recipe.recipe import (
        Recipe as Recipe,
        changes as changes,
        with_rate as with_rate,
    )
    from netwise.recipe.script import (
        to_script as to_script,
    )
    from netwise.recipe.suggestion import (
        suggest as suggest,
    )
    from netwise.remedies import (
        REMEDIES as REMEDIES,
        Remedy as Remedy,
        Unfit as Unfit,
        remedy as remedy,
    )
    from netwise.report import (
        write_report as write_report,
    )
    from netwise.rules import (
        Evidence as Evidence,
        Finding as Finding,
        RULES as RULES,
        Rule as Rule,
        Unchecked as Unchecked,
    )
    from netwise.schedules import (
        ConstantRate as ConstantRate,
        Cosine as Cosine,
        Exponential as Exponential,
        HalveUntil as HalveUntil,
        Milestones as Milestones,
        Moment as Moment,
        OneCycle as OneCycle,
        Plateau as Plateau,
        Schedule as Schedule,
        StepDecay as StepDecay,
        TwoStage as TwoStage,
        WarmUp as WarmUp,
    )
    from netwise.starts import (
        Begun as Begun,
        look_at_start as look_at_start,
        start_table as start_table,
    )
    from netwise.stopping import (
        Ending as Ending,
        FirstOf as FirstOf,
        Never as Never,
        Patience as Patience,
        Stopping as Stopping,
        TargetReached as TargetReached,
        TimeBudget as TimeBudget,
        TrainDownValidUp as TrainDownValidUp,
    )
    from netwise.store import (
        list_runs as list_runs,
    )
    from netwise.thresholds import (
        RateThreshold as RateThreshold,
        rate_threshold as rate_threshold,
    )
    from netwise.treatment import (
        Course as Course,
        Round as Round,
        treat as treat,
    )
    from netwise.trials import (
        Verdict as Verdict,
        trial as trial,
    )
    from netwise.watching import (
        watch as watch,
    )
else:  # hidden from mypy, or every misspelt name would type-check
    _HOME = {
        "AMSGrad": "optimizers", "Activation": "activations", "Activity": "penalties", "Adadelta": "optimizers",
        "Adagrad": "optimizers", "Adam": "optimizers", "AdamW": "optimizers", "Affine": "augment",
        "AlexNet": "networks", "Anatomy": "anatomy", "Augment": "augment", "Averaging": "averaging",
        "Begun": "starts", "BinaryCrossEntropy": "losses", "ByNetwork": "initializers", "CIFARResNet": "networks",
        "Character": "activations", "Clip": "clipping", "ClipValue": "clipping", "Clipping": "clipping",
        "ColourJitter": "augment", "Constant": "initializers", "ConstantRate": "schedules", "ConvNet": "networks",
        "Cosine": "schedules", "Course": "treatment", "Crop": "augment", "CrossEntropy": "losses",
        "DataError": "errors", "DataMissing": "errors", "Dirac": "initializers", "ELU": "activations",
        "EMA": "averaging", "Elastic": "augment", "ElasticNet": "penalties", "ElmanRNN": "networks",
        "Ended": "history", "Ending": "stopping", "Erase": "augment", "Evidence": "rules", "Exponential": "schedules",
        "Facts": "history", "FillMissing": "preprocess", "Finding": "rules", "FineTune": "finetuning",
        "FirstOf": "stopping", "Flatten": "preprocess", "Flip": "augment", "Frame": "optimizers",
        "From": "recipe.origin", "FromDistribution": "augment", "GELU": "activations", "GRU": "networks",
        "GlobalContrast": "preprocess", "Glorot": "initializers", "GoogLeNet": "networks", "HalveUntil": "schedules",
        "HardSigmoid": "activations", "HardSwish": "activations", "HardTanh": "activations", "He": "initializers",
        "Hinge": "losses", "History": "history", "Huber": "losses", "Identity": "activations",
        "InceptionBlock": "networks", "Initializer": "initializers", "L1": "penalties", "L2": "penalties",
        "LABS": "labs", "LBFGS": "optimizers", "LSTM": "networks", "LSUV": "initializers", "Lab": "labs",
        "Layer": "history", "LeCun": "initializers", "LeNet5": "networks", "LeNet5Paper": "networks",
        "LeakyReLU": "activations", "Lion": "optimizers", "Loss": "losses", "MLP": "networks", "MadeBy": "history",
        "MaxNorm": "penalties", "Maxout": "activations", "MeanAbsoluteError": "losses", "MeanSquaredError": "losses",
        "Milestones": "schedules", "MinMax": "preprocess", "Mish": "activations", "Mixup": "augment",
        "Moment": "schedules", "Momentum": "optimizers", "Muon": "optimizers", "NAdam": "optimizers",
        "NetwiseError": "errors", "Network": "networks", "Neuron": "learning_rules", "Never": "stopping",
        "Noise": "augment", "NoiseCopies": "augment", "Normal": "initializers", "OneCycle": "schedules",
        "OneHot": "preprocess", "Operations": "learning_rules", "Optimizer": "optimizers",
        "Orthogonal": "initializers", "Outcome": "labs", "Own": "networks", "PReLU": "activations",
        "Patience": "stopping", "Penalty": "penalties", "Plateau": "schedules", "Preprocess": "preprocess",
        "Problem": "errors", "Progress": "engine.progress", "Quadratic": "losses", "Quantile": "preprocess",
        "RAdam": "optimizers", "REMEDIES": "remedies", "RMSProp": "optimizers", "RReLU": "activations",
        "RULES": "rules", "RateThreshold": "thresholds", "ReLU": "activations", "ReLU6": "activations",
        "Recipe": "recipe.recipe", "RecipeFileError": "errors", "Remedy": "remedies", "Report": "diagnosis",
        "ResNet": "networks", "Resample": "augment", "Resize": "preprocess", "Rotate": "augment",
        "Round": "treatment", "Rule": "rules", "Run": "engine.run", "RunFolderError": "errors", "SELU": "activations",
        "SGD": "optimizers", "SWA": "averaging", "Scale": "preprocess", "Schedule": "schedules",
        "Score": "engine.scores", "Series": "history", "ShapeError": "errors", "Shift": "augment",
        "ShiftCopies": "augment", "SiLU": "activations", "Sigmoid": "activations", "Silent": "engine.progress",
        "SimulatedAnnealing": "optimizers", "Softmax": "activations", "Softplus": "activations",
        "Softsign": "activations", "Specimen": "gallery", "Standardise": "preprocess", "StepDecay": "schedules",
        "Stopping": "stopping", "Switch": "optimizers", "Tanh": "activations", "TargetReached": "stopping",
        "ThresholdNetwork": "learning_rules", "TimeBudget": "stopping", "Together": "penalties",
        "Torch": "optimizers", "TrainDownValidUp": "stopping", "TwoStage": "schedules", "Unchecked": "rules",
        "Unfit": "remedies", "Uniform": "initializers", "UnknownName": "errors", "VGG": "networks",
        "Verdict": "trials", "WarmUp": "schedules", "Whiten": "preprocess", "WrongValue": "errors",
        "cbapd": "networks", "changes": "recipe.recipe", "character": "activations", "check": "recipe.checks",
        "count_operations": "learning_rules", "delta": "learning_rules", "describe": "anatomy",
        "diagnose": "diagnosis", "fit": "engine.training", "fit_many": "engine.many", "gain": "activations",
        "gradient_through_time": "networks", "hebb": "learning_rules", "initialize": "initializers", "lab": "labs",
        "list_runs": "store", "load": "engine.run", "load_history": "engine.run", "look_at_start": "starts",
        "oja": "learning_rules", "picture_activations": "pictures.activations", "picture_anatomy": "pictures.anatomy",
        "plain_anatomy": "anatomy", "rate_threshold": "thresholds", "read_recipe": "recipe.file",
        "recipe_text": "recipe.file", "remedy": "remedies", "resume": "engine.training", "same_padding": "networks",
        "same_size": "networks", "sample_text": "engine.sampling", "slope": "activations", "start_table": "starts",
        "suggest": "recipe.suggestion", "to_script": "recipe.script", "treat": "treatment", "trial": "trials",
        "valid_size": "networks", "watch": "watching", "with_rate": "recipe.recipe", "write_recipe": "recipe.file",
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

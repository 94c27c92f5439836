"""The public names of netwise, once: type checkers and editors read this file, and so does
`netwise/__init__.py`, which loads each name when it is first used."""

from netwise import data as data, gallery as gallery, learning_rules as learning_rules
from netwise.cli.display import show_progress as show_progress
from netwise.data_facts import DataFacts as DataFacts
from netwise.deployment.exporter import ExportedFile as ExportedFile, export as export
from netwise.diagnosis.report import Report as Report, diagnose as diagnose
from netwise.diagnosis.rules import (
    RULES as RULES,
    Evidence as Evidence,
    Finding as Finding,
    Rule as Rule,
    Unchecked as Unchecked,
)
from netwise.diagnosis.short_trial import ShortTrial as ShortTrial
from netwise.errors import (
    DataError as DataError,
    DataMissing as DataMissing,
    ExportError as ExportError,
    FileAccessError as FileAccessError,
    FileRefused as FileRefused,
    MissingPackage as MissingPackage,
    NetwiseError as NetwiseError,
    Problem as Problem,
    ProcessFailed as ProcessFailed,
    RecipeFileError as RecipeFileError,
    RunFolderError as RunFolderError,
    ShapeError as ShapeError,
    TrainingDiverged as TrainingDiverged,
    TrainingStopped as TrainingStopped,
    UnknownName as UnknownName,
    WrongValue as WrongValue,
)
from netwise.first_batch import FirstBatch as FirstBatch
from netwise.gallery import GalleryCase as GalleryCase
from netwise.history import (
    BesideBaseline as BesideBaseline,
    History as History,
    Layer as Layer,
    Provenance as Provenance,
    RunEnd as RunEnd,
    RunFacts as RunFacts,
    Series as Series,
    ShallowerTwin as ShallowerTwin,
)
from netwise.labs.all_labs import LABS as LABS, lab as lab
from netwise.labs.lab_definition import Lab as Lab, LabResult as LabResult
from netwise.networks import (
    GRU as GRU,
    LSTM as LSTM,
    MLP as MLP,
    VGG as VGG,
    AlexNet as AlexNet,
    Autoencoder as Autoencoder,
    CIFARResNet as CIFARResNet,
    ConvAutoencoder as ConvAutoencoder,
    ConvNet as ConvNet,
    CustomNetwork as CustomNetwork,
    ElmanRNN as ElmanRNN,
    GoogLeNet as GoogLeNet,
    InceptionBlock as InceptionBlock,
    LeNet5 as LeNet5,
    LeNet5Paper as LeNet5Paper,
    Network as Network,
    ResNet as ResNet,
    VariationalAutoencoder as VariationalAutoencoder,
    conv_block as conv_block,
    energy as energy,
    gradient_through_time as gradient_through_time,
    sizes as sizes,
)
from netwise.networks.energy import (
    CD as CD,
    DBN as DBN,
    PCD as PCD,
    RBM as RBM,
    AnnealedSampling as AnnealedSampling,
    BoltzmannMachine as BoltzmannMachine,
    ExactGradient as ExactGradient,
    FastPCD as FastPCD,
    Hopfield as Hopfield,
    ModernHopfield as ModernHopfield,
    NegativePhase as NegativePhase,
    ParallelTempering as ParallelTempering,
)
from netwise.observe.anatomy import (
    Anatomy as Anatomy,
    anatomy_as_dict as anatomy_as_dict,
    describe as describe,
)
from netwise.parts.activations import (
    ELU as ELU,
    GELU as GELU,
    SELU as SELU,
    Activation as Activation,
    ActivationProperties as ActivationProperties,
    HardSigmoid as HardSigmoid,
    HardSwish as HardSwish,
    HardTanh as HardTanh,
    Identity as Identity,
    LeakyReLU as LeakyReLU,
    Maxout as Maxout,
    Mish as Mish,
    PReLU as PReLU,
    ReLU as ReLU,
    ReLU6 as ReLU6,
    RReLU as RReLU,
    Sigmoid as Sigmoid,
    SiLU as SiLU,
    Softmax as Softmax,
    Softplus as Softplus,
    Softsign as Softsign,
    Tanh as Tanh,
    activation_properties as activation_properties,
    gain as gain,
    slope as slope,
)
from netwise.parts.augment import (
    Affine as Affine,
    Augment as Augment,
    ColourJitter as ColourJitter,
    Crop as Crop,
    DrawBits as DrawBits,
    Elastic as Elastic,
    Erase as Erase,
    Flip as Flip,
    FromDistribution as FromDistribution,
    Mask as Mask,
    Mixup as Mixup,
    Noise as Noise,
    NoiseCopies as NoiseCopies,
    Resample as Resample,
    Rotate as Rotate,
    SaltAndPepper as SaltAndPepper,
    Shift as Shift,
    ShiftCopies as ShiftCopies,
)
from netwise.parts.averaging import EMA as EMA, SWA as SWA, Averaging as Averaging
from netwise.parts.clipping import Clip as Clip, Clipping as Clipping, ClipValue as ClipValue
from netwise.parts.finetuning import FineTune as FineTune
from netwise.parts.initializers import (
    LSUV as LSUV,
    Constant as Constant,
    Dirac as Dirac,
    Glorot as Glorot,
    He as He,
    Initializer as Initializer,
    LeCun as LeCun,
    ModuleDefault as ModuleDefault,
    Normal as Normal,
    Orthogonal as Orthogonal,
    Uniform as Uniform,
    WithBiases as WithBiases,
    initialize as initialize,
)
from netwise.parts.losses import (
    BinaryCrossEntropy as BinaryCrossEntropy,
    CrossEntropy as CrossEntropy,
    Hinge as Hinge,
    Huber as Huber,
    Loss as Loss,
    MeanAbsoluteError as MeanAbsoluteError,
    MeanSquaredError as MeanSquaredError,
    Quadratic as Quadratic,
)
from netwise.parts.optimizers import (
    LBFGS as LBFGS,
    SGD as SGD,
    Adadelta as Adadelta,
    Adagrad as Adagrad,
    Adam as Adam,
    AdamW as AdamW,
    AMSGrad as AMSGrad,
    Lion as Lion,
    MomentOptimizer as MomentOptimizer,
    Momentum as Momentum,
    Muon as Muon,
    NAdam as NAdam,
    Optimizer as Optimizer,
    RAdam as RAdam,
    RMSProp as RMSProp,
    SimulatedAnnealing as SimulatedAnnealing,
    SwitchOptimizer as SwitchOptimizer,
    TorchOptimizer as TorchOptimizer,
)
from netwise.parts.penalties import (
    L1 as L1,
    L2 as L2,
    ActivityPenalty as ActivityPenalty,
    ElasticNet as ElasticNet,
    MaxNorm as MaxNorm,
    Penalty as Penalty,
    SumOfPenalties as SumOfPenalties,
)
from netwise.parts.preprocess import (
    Binarise as Binarise,
    ClipInputs as ClipInputs,
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
from netwise.parts.schedules import (
    ConstantRate as ConstantRate,
    Cosine as Cosine,
    Cyclical as Cyclical,
    Exponential as Exponential,
    HalveUntil as HalveUntil,
    Milestones as Milestones,
    OneCycle as OneCycle,
    Plateau as Plateau,
    Schedule as Schedule,
    ScheduleContext as ScheduleContext,
    StepDecay as StepDecay,
    TwoStage as TwoStage,
    WarmUp as WarmUp,
)
from netwise.parts.stopping import (
    EpochResult as EpochResult,
    FirstOf as FirstOf,
    Never as Never,
    Patience as Patience,
    Stopping as Stopping,
    TargetReached as TargetReached,
    TimeBudget as TimeBudget,
    TrainDownValidUp as TrainDownValidUp,
)
from netwise.recipe.checks import check as check
from netwise.recipe.origin import From as From
from netwise.recipe.reader import read_recipe as read_recipe
from netwise.recipe.recipe import (
    Recipe as Recipe,
    recipe_diff as recipe_diff,
    with_learning_rate as with_learning_rate,
)
from netwise.recipe.script import to_script as to_script
from netwise.recipe.suggestion import suggest as suggest
from netwise.recipe.writer import recipe_text as recipe_text, write_recipe as write_recipe
from netwise.report import write_report as write_report
from netwise.report.pictures.activation_plots import plot_activations as plot_activations
from netwise.report.pictures.anatomy_plots import plot_anatomy as plot_anatomy
from netwise.report.pictures.penalty_plots import (
    PenaltyMinimum as PenaltyMinimum,
    penalty_minima as penalty_minima,
    plot_penalties as plot_penalties,
)
from netwise.report.pictures.plane_plots import (
    Hyperplane as Hyperplane,
    hyperplanes as hyperplanes,
    plot_plane as plot_plane,
)
from netwise.report.pictures.rate_plots import plot_rate_range as plot_rate_range
from netwise.report.pictures.transform_plots import plot_transforms as plot_transforms
from netwise.report.search_page import write_search_report as write_search_report
from netwise.scoring.score import Score as Score
from netwise.scoring.scores import (
    ClassScore as ClassScore,
    ReliabilityBin as ReliabilityBin,
    Scores as Scores,
)
from netwise.searches import axes as axes
from netwise.searches.advice import search_advice as search_advice
from netwise.searches.guess_log import (
    GuessEntry as GuessEntry,
    log_outcome as log_outcome,
    read_guesses as read_guesses,
)
from netwise.searches.guess_training import log_guess as log_guess
from netwise.searches.methods import (
    Bayesian as Bayesian,
    CoarseToFine as CoarseToFine,
    Grid as Grid,
    Halving as Halving,
    Hyperband as Hyperband,
    Population as Population,
    Random as Random,
    SearchMethod as SearchMethod,
)
from netwise.searches.plan import SearchPlan as SearchPlan
from netwise.searches.result import SearchResult as SearchResult, load_search as load_search
from netwise.searches.search import resume_search as resume_search, search as search
from netwise.searches.space import Space as Space
from netwise.searches.suggested_space import suggest_space as suggest_space
from netwise.searches.surrogate import (
    Surrogate as Surrogate,
    importance as importance,
    surrogate as surrogate,
)
from netwise.searches.trial_record import TrialRecord as TrialRecord
from netwise.searches.validation import (
    CrossValidated as CrossValidated,
    LearningCurve as LearningCurve,
    cross_validate as cross_validate,
    learning_curve as learning_curve,
    multi_start as multi_start,
)
from netwise.storage.index import list_runs as list_runs
from netwise.storage.run_folder import load_history as load_history
from netwise.training.fit import fit as fit, resume as resume
from netwise.training.initial_state import (
    LayerStart as LayerStart,
    initial_state_table as initial_state_table,
    measure_initial_state as measure_initial_state,
)
from netwise.training.pace import SlowSteps as SlowSteps
from netwise.training.parallel import fit_many as fit_many
from netwise.training.progress import (
    Progress as Progress,
    RunProgress as RunProgress,
    Silent as Silent,
    monitor_runs as monitor_runs,
)
from netwise.training.run import Run as Run, load as load
from netwise.training.run_scores import scores as scores
from netwise.training.simple_baselines import (
    Baseline as Baseline,
    Baselines as Baselines,
    baselines as baselines,
)
from netwise.training.text_generation import sample_text as sample_text
from netwise.training.weight_sensitivity import (
    LayerSensitivity as LayerSensitivity,
    WeightSensitivity as WeightSensitivity,
    weight_sensitivity as weight_sensitivity,
)
from netwise.treatment.depth import (
    DepthArm as DepthArm,
    DepthComparison as DepthComparison,
    compare_depth as compare_depth,
    with_shallower_twin as with_shallower_twin,
)
from netwise.treatment.fitted_rows import (
    CapacityResult as CapacityResult,
    capacity_test as capacity_test,
)
from netwise.treatment.learning_rate import (
    RateThreshold as RateThreshold,
    rate_threshold as rate_threshold,
)
from netwise.treatment.range_test import (
    RateRange as RateRange,
    rate_range as rate_range,
    read_range as read_range,
)
from netwise.treatment.remedies import (
    REMEDIES as REMEDIES,
    NotApplicable as NotApplicable,
    Remedy as Remedy,
    remedy as remedy,
)
from netwise.treatment.rounds import (
    TreatmentResult as TreatmentResult,
    TreatmentRound as TreatmentRound,
    treat as treat,
)
from netwise.treatment.trials import TrialResult as TrialResult, trial as trial
from netwise.watching.preflight import preflight as preflight
from netwise.watching.watch import watch as watch
from netwise.wiring import LossTerm as LossTerm, Wiring as Wiring

__version__: str
__all__: list[str]

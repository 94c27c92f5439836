"""The cases: what is trained or computed, and what is compared of it.

A case is a function without arguments that gives a `golden.results.Result`. It calls public names
of netwise only, those that may change through `golden.names`. Cases run in one folder and name
their files by relative paths, because a recipe's hash contains the paths in it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import netwise as nw
from golden import results
from golden.names import attribute, call, public, word
from golden.recipes import ADAM, FEW, FEWER, KEPT_HALVES, KEPT_RUNS, MLP, RECIPES, WRONG
from golden.results import Result, exact, exactly, of_numbers, of_run

Case = Callable[[], Result]
LABS = ("L01", "L02", "L20", "L58", "L60", "L61")  # the quick ones: one to four seconds each
SMALL = f"{FEWER}\n{MLP}\nepochs = 4"


def recipe_of(text: str, file: str = "recipe.toml") -> Any:
    """The recipe in a TOML text, read as a file."""
    lines = (line.strip() for line in text.splitlines())
    Path(file).write_text("\n".join(lines))
    return nw.read_recipe(file)


def fitted(text: str, **options: Any) -> Any:
    """The run of a recipe, with one thread."""
    return call(nw.fit, recipe_of(text), threads=1, **options)


def trained(text: str) -> Case:
    return lambda: of_run(fitted(text))


def specimen(recipe: Any) -> Case:
    return lambda: of_run(nw.fit(recipe, threads=1))


def lab(name: str) -> Case:
    """The numbers of a lab in their order, and the verdict of each criterion."""

    def run() -> Result:
        outcome = nw.lab(name).run()
        criteria = attribute(outcome, "criteria")
        return {
            "numbers": exactly(outcome.numbers.values()),
            "criteria": [bool(attribute(each, "holds")) for each in criteria],
            "recipes": sorted(outcome.recipes.values()),
        }

    return run


# Runs beside those of a file.


def small_net() -> nn.Module:
    """A network of the user's own."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Tanh(), nn.Linear(12, 10))


def own_network() -> Result:
    network = public("Own")(small_net)
    recipe = recipe_of(SMALL).but(network=network)
    return of_run(nw.fit(recipe, threads=1))


def in_memory(**options: Any) -> Any:
    """Data from arrays: three classes, 200 samples."""
    g = np.random.default_rng(3)
    x = g.normal(size=(200, 6)).astype(np.float32)
    y = (x[:, 0] + 0.5 * x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
    return nw.data.arrays(x, y, **options)


def arrays_with_weights() -> Result:
    weights = np.random.default_rng(4).uniform(0.2, 2.0, 200)
    data = in_memory(weights=weights)
    recipe = nw.Recipe(data=data, network=nw.MLP((6, 12, 3)), batch_size=16, epochs=5)
    run = nw.fit(recipe, threads=1)
    raw = np.random.default_rng(5).normal(size=(7, 6))
    return {**of_run(run), "predictions": [run.predict(raw).tolist(), of_numbers(run.outputs(raw))]}


def resumed() -> Result:
    """Left after two of four epochs, and resumed from its folder."""
    text = f"""
        {FEW}
        network = {{kind = "MLP", widths = [64, 24, 16, 10], dropout = 0.2}}
        augment = ["Noise"]
        average = "EMA"
        schedule = "OneCycle"
        {ADAM}
        epochs = 4"""
    left = fitted(text, folder="resumed", halt=lambda done, row: "enough" if done == 2 else None)
    middle = of_run(left)
    run = nw.resume("resumed")
    whole, loaded = of_run(fitted(text)), of_run(nw.load("resumed"))
    equal = [of_run(run)[key] == whole[key] == loaded[key] for key in ("weights", "history")]
    return {**of_run(run), "middle": [middle["weights"], middle["history"]], "equal": equal}


def resumed_energy_model() -> Result:
    text = RECIPES["rbm_pcd_averaged"]
    fitted(text, folder="energy", halt=lambda done, row: "enough" if done == 1 else None)
    return of_run(nw.resume("energy"))


def from_folder() -> Result:
    """Weights of a kept run, and a new head."""
    fitted(SMALL, folder="first")
    init = '[init]\nkind = "From"\npath = "first"\nanew = ["layer3"]'
    return of_run(fitted(f"{FEW}\n{MLP}\nepochs = 2\n{init}"))


def many_runs() -> Result:
    """Three seeds in two worker processes."""
    recipe = recipe_of(SMALL)
    runs = call(nw.fit_many, [recipe.but(seed=seed) for seed in range(3)], jobs=2, test=True)
    found = [of_run(run) for run in runs]
    return {key: [each[key] for each in found] for key in ("weights", "history", "score")}


def script() -> Result:
    """The weights that the plain script of a recipe ends with; its text is not compared."""
    recipe = recipe_of(f"""
        {FEWER}
        network = {{kind = "MLP", widths = [64, 20, 20, 10], batch_norm = true, dropout = 0.2}}
        augment = ["Noise"]
        init = "He"
        schedule = "OneCycle"
        penalty = "L2"
        epochs = 3""")
    folder = Path("script")
    folder.mkdir(exist_ok=True)
    (folder / "run.py").write_text(public("to_script")(recipe))
    command = [sys.executable, "run.py"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    weights = torch.load(folder / "weights.pt", weights_only=True)
    run = of_run(nw.fit(recipe, threads=1, test=False))
    found = results.of_tensors(weights)
    return {**found, "as the run": found["weights"] == run["weights"]}


def own_loop() -> Result:
    """What `watch` records of a loop of the user's own."""
    torch.manual_seed(6)
    x, y = torch.randn(256, 20), torch.randint(3, (256,))
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    with nw.watch(model, optimizer=optimizer, loss=criterion) as w:
        for _ in range(4):
            for rows in torch.randperm(256).split(32):
                optimizer.zero_grad()
                loss = criterion(model(x[rows]), y[rows])
                loss.backward()
                w.step(loss, y[rows])
                optimizer.step()
    history = w.history()
    found = results.of_findings(nw.diagnose(history))
    return {**results.of_history(history), **found}


# Comparisons of many runs.

SPACE = """
recipe = "searched.toml"
trials = 4
fresh = 2
method = {kind = "Random"}
[[axes]]
kind = "Log"
field = "optimizer.lr"
low = 1e-3
high = 0.3
[[axes]]
kind = "Whole"
field = "width"
low = 4
high = 24
log = true
[[axes]]
kind = "Choice"
field = "network.activation"
options = ["ReLU", "Tanh"]
"""


def of_search(found: Any) -> Result:
    """Points and values of all trials, and of the winner over fresh seeds."""
    trials = sorted(attribute(found, "tried"), key=lambda each: each.number)
    points = [
        {name: exact(v) if isinstance(v, float) else v for name, v in sorted(trial.point.items())}
        for trial in trials
    ]
    return {
        "points": points,
        "values": [exact(trial.value) for trial in trials],
        "states": [[word(trial.state), trial.epochs] for trial in trials],
        "winner": [found.best.number, exact(attribute(found, "own"))],
        "fresh": exactly(attribute(found, "fresh")),
        "mean": exactly((found.mean, found.low, found.high)),
        "score": results.of_score(found.test),
    }


def search_by_command() -> Result:
    """`netwise search` with two workers."""
    recipe_of(f"{FEWER}\n{MLP}\nepochs = 2", "searched.toml")
    Path("space.toml").write_text(SPACE)
    words = ["search", "space.toml", "--jobs", "2", "-o", "found"]
    command = [sys.executable, "-m", "netwise", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"netwise search: exit {done.returncode}: {done.stderr[-300:]}")
    return of_search(public("load_search")("found"))


def searched(method: Any, trials: int, folder: str) -> Result:
    recipe = recipe_of('data = "iris"\nnetwork = {kind = "MLP", widths = [4, 8, 3]}\nepochs = 4')
    log, whole = public("Log"), public("Whole")
    space = public("Space")((log("optimizer.lr", 1e-3, 1.0), whole("width", 2, 16, log=True)))
    options = {"method": method, "trials": trials, "fresh": 1, "folder": folder, "jobs": 1}
    return of_search(call(nw.search, recipe, space, **options))


def search_bayesian() -> Result:
    return searched(public("Bayesian")(startup=4), 10, "bayesian")


def search_halving() -> Result:
    return searched(public("Halving")(), 9, "halving")


def search_population() -> Result:
    return searched(public("Population")(members=4, generations=2), 8, "population")


def cross_validation() -> Result:
    found = call(public("cross_validate"), recipe_of(RECIPES["lbfgs"]), folds=3, jobs=1)
    return {
        "values": exactly(found.values),
        "losses": exactly(found.losses),
        "mean": exactly((found.mean, found.low, found.high)),
    }


def learning_curve() -> Result:
    recipe = recipe_of(SMALL)
    curve = call(public("learning_curve"), recipe, (30, 120), seeds=(0, 1), jobs=1)
    parts = (curve.train, curve.valid, curve.train_loss, curve.valid_loss)
    return {"values": [[exactly(values) for values in part] for part in parts]}


def multi_start() -> Result:
    run, values = call(public("multi_start"), recipe_of(SMALL), 3, jobs=1)
    return {**of_run(run), "values": exactly(values)}


def treatment() -> Result:
    """A rate far too low, treated."""
    recipe = recipe_of("""
        data = "wine"
        preprocess = ["Standardise"]
        network = {kind = "MLP", widths = [13, 12, 3]}
        init = "He"
        optimizer = {kind = "SGD", lr = 1e-6}
        batch_size = 32
        epochs = 8""")
    course = call(nw.treat, recipe, seeds=(0, 1, 2), jobs=1)
    rounds = [
        [word(attribute(each, "finding").rule), word(attribute(each, "accepted"))]
        for each in attribute(course, "rounds")
    ]
    trials = [
        [
            word(verdict.remedy),
            bool(verdict.helps),
            *exactly((verdict.gain, verdict.low, verdict.high)),
        ]
        for each in attribute(course, "rounds")
        for verdict in attribute(each, "verdicts")
    ]
    end = {"rounds": rounds, "trials": trials, "cured": bool(course.cured)}
    return {**of_run(course.run), **end, "changed": course.recipe.hash}


# Estimators and tools.


def estimators() -> Result:
    from sklearn.datasets import load_diabetes, load_wine

    x, y = load_wine(return_X_y=True)
    classifier = public("estimators.NetClassifier")(hidden=(12,), epochs=8, random_state=0)
    classifier.fit(x, y, sample_weight=np.linspace(0.5, 1.5, len(y)))
    inputs, targets = load_diabetes(return_X_y=True)
    regressor = public("estimators.NetRegressor")(hidden=(12,), epochs=5, random_state=1)
    regressor.fit(inputs, targets)
    return {
        "classifier": of_numbers(classifier.predict_proba(x)),
        "regressor": of_numbers(regressor.predict(inputs)),
        "scores": exactly((classifier.score(x, y), regressor.score(inputs, targets))),
        "history": results.of_history(classifier.run_.history)["history"],
    }


def transformers() -> Result:
    from sklearn.datasets import load_digits

    x = load_digits().data[:300] / 16
    rbm = public("estimators.RBMTransformer")(20, n_iter=2, random_state=0).fit(x.round())
    coder = public("estimators.AutoencoderTransformer")(10, n_iter=2, random_state=0).fit(x)
    return {
        "rbm": of_numbers(np.asarray(rbm.transform(x.round()))),
        "autoencoder": of_numbers(np.asarray(coder.transform(x))),
    }


def likelihoods() -> Result:
    """Estimates of ln Z and ln p of a small machine, beside the exact ones."""
    run = fitted(RECIPES["rbm_exact"])
    machine, samples = run.module, run.recipe.data.load()
    bits = samples.train.x[:50].round()
    torch.manual_seed(7)
    below = public("ais")(machine, chains=20, temperatures=200)
    above = public("reverse_ais")(machine, bits, temperatures=200)
    ln = public("log_likelihood")(machine, bits, log_z=below.log_z)
    torch.manual_seed(8)
    return {
        "estimates": exactly((below.log_z, below.error, above.log_z, above.error)),
        "exact": exact(float(public("log_partition")(machine))),
        "likelihood": of_numbers(ln),
        "samples": of_numbers(machine.sample(5)),
        "codes": of_numbers(run.codes(samples.test.x[:20])),
    }


def text_samples() -> Result:
    run = fitted(RECIPES["lstm_text_stream"])
    return {"text": public("sample_text")(run, "the ", 60)}


def predictions() -> Result:
    """Answers to raw inputs, through encoder and preprocessing."""
    table = fitted(RECIPES["table_of_numbers"])
    rows = [{"size": "0.3", "colour": "red", "age": "30", "kind": "old"}, {"age": "3"}]
    rows[1] |= {"size": "", "colour": "blue", "kind": "new"}
    kinds = fitted(RECIPES["table_of_classes"])
    digits = fitted(RECIPES["lenet5"])
    raw = 16 * digits.recipe.data.load().test.x[:30]
    return {
        "table": of_numbers(table.predict(rows)),
        "classes": kinds.predict("table.csv").tolist()[:40],
        "probabilities": of_numbers(digits.predict_proba(raw.numpy())),
    }


def tools() -> Result:
    """Numbers of functions that train little or nothing."""
    recipe = recipe_of(f'{FEWER}\n{MLP}\ninit = "He"\nepochs = 3')
    begun = public("look_at_start")(recipe)
    state = [(row.weight, row.output, row.gradient, attribute(row, "silent")) for row in begun]
    found = public("rate_threshold")(recipe)
    tried = [exactly(each) for each in found.tried]
    w, x = torch.full((2, 3), 0.5), torch.arange(12.0).reshape(4, 3) / 12
    y = x @ w.T
    rules = [
        public("hebb")(w, x, y, 0.1),
        public("oja")(w, x, 0.1),
        public("delta")(w, x, torch.ones(4, 2), y, 0.1),
    ]
    return {
        "initial state": [exactly(row) for row in state],
        "rate": [*exactly((found.order, found.threshold, found.rate)), *tried],
        "learning rules": of_numbers(rules),
    }


def tables_of_layers() -> Result:
    """Layers, parameters, multiply-adds and receptive fields of the networks in full size."""
    names = ("AlexNet", "VGG", "GoogLeNet", "ResNet")
    networks = {name: (public(name)(), (3, 224, 224)) for name in names}
    networks["CIFARResNet"] = public("CIFARResNet")(), (3, 32, 32)
    for name in ("ConvNet", "LeNet5", "LeNet5Paper", "ConvAutoencoder"):
        networks[name] = public(name)(), (1, 28, 28)
    found: Result = {}
    for name, (network, shape) in networks.items():
        table = public("describe")(network, shape)
        sums = [table.parameters, table.multiply_adds, table.memory, list(table.output)]
        rows = [
            [row.name, row.kind, list(row.shape), row.parameters, row.multiply_adds, row.field]
            for row in attribute(table, "organs")
        ]
        found[name] = [*sums, results.sha([json.dumps(rows).encode()])[:16]]
    return found


def remedies() -> Result:
    """What each remedy makes of each recipe of the gallery: a hash, None, or that it raises."""
    unfit = public("Unfit")

    def applied(one: Any, recipe: Any) -> str | None:
        try:
            changed = one.apply(recipe)
        except nw.NetwiseError as error:
            return type(error).__name__
        return None if isinstance(changed, unfit) else str(changed.hash)

    found: Result = {}
    for each in nw.REMEDIES:
        groups = (nw.gallery.sick, nw.gallery.healthy)
        changed = [applied(each, of.recipe) for group in groups for of in group.values()]
        kept = [hashed for hashed in changed if hashed is not None]
        found[word(each.name)] = [len(kept), results.sha([json.dumps(changed).encode()])[:16]]
    return found


def problems() -> Result:
    """Fields and grades of what is wrong with recipes, and of files that are refused."""
    return {name: problems_of(text) for name, text in WRONG.items()}


def problems_of(text: str) -> list[str]:
    try:
        found = nw.check(recipe_of(text))
    except nw.NetwiseError as error:
        found = getattr(error, "problems", [])
        return [f"refused: {each.field}" for each in found] or [type(error).__name__]
    return [f"{word(each.grade)}: {each.field}" for each in found]


# Runs and searches that another commit has kept. The first commit writes these folders, and both
# read what the first has written.

KEPT = Path("kept")


def kept(name: str, write: Callable[[str], Any], read: Callable[[str], Result]) -> Case:
    """Write the folder unless the other commit has written it; read a copy of it."""

    def run() -> Result:
        folder, copy = KEPT / name, Path(f"copy-of-{name}")
        if not folder.exists():
            write(str(folder))
        shutil.copytree(folder, copy)
        return read(str(copy))

    return run


def kept_run(name: str, text: str) -> Case:
    return kept(name, lambda folder: fitted(text, folder=folder), lambda at: of_run(nw.load(at)))


def kept_half(name: str, text: str) -> Case:
    """A run that is left after one epoch, and resumed."""

    def write(folder: str) -> None:
        fitted(text, folder=folder, halt=lambda done, row: "enough" if done == 1 else None)

    return kept(name, write, lambda at: of_run(nw.resume(at)))


def own_written(folder: str) -> None:
    recipe = recipe_of(SMALL).but(network=public("Own")(small_net))
    nw.fit(recipe, folder=folder, threads=1)


def own_read(folder: str) -> Result:
    return of_run(nw.load(folder, network=public("Own")(small_net)))


def arrays_written(folder: str) -> None:
    recipe = nw.Recipe(data=in_memory(), network=nw.MLP((6, 12, 3)), batch_size=16, epochs=3)
    halt = {"halt": lambda done, row: "enough" if done == 1 else None}
    call(nw.fit, recipe, folder=folder, threads=1, **halt)


def search_written(folder: str) -> None:
    searched(public("Random")(), 4, folder)


def search_extended(folder: str) -> Result:
    """Two more trials of a search that has ended."""
    before = of_search(public("load_search")(folder))
    after = of_search(call(public("resume_search"), folder, trials=6, jobs=1))
    return {**after, "before": before}


def kept_cases() -> dict[str, Case]:
    every = {
        **{f"run_{name}": kept_run(f"run_{name}", RECIPES[name]) for name in KEPT_RUNS},
        **{f"half_{name}": kept_half(f"half_{name}", RECIPES[name]) for name in KEPT_HALVES},
        "own_network": kept("own_network", own_written, own_read),
        "arrays": kept("arrays", arrays_written, lambda at: of_run(nw.resume(at))),
        "search": kept("search", search_written, search_extended),
    }
    return {f"kept/{name}": case for name, case in every.items()}


def gallery() -> dict[str, Case]:
    groups = {"sick": nw.gallery.sick, "healthy": nw.gallery.healthy}
    return {
        f"gallery/{group}/{name}": specimen(each.recipe)
        for group, specimens in groups.items()
        for name, each in specimens.items()
    }


OTHERS: tuple[Case, ...] = (
    own_network,
    arrays_with_weights,
    resumed,
    resumed_energy_model,
    from_folder,
    many_runs,
    script,
    own_loop,
    search_by_command,
    search_bayesian,
    search_halving,
    search_population,
    cross_validation,
    learning_curve,
    multi_start,
    treatment,
    estimators,
    transformers,
    likelihoods,
    text_samples,
    predictions,
    tools,
    tables_of_layers,
    remedies,
    problems,
)


def cases() -> dict[str, Case]:
    """All cases by name, in the order in which they run."""
    return {
        **{f"recipe/{name}": trained(text) for name, text in RECIPES.items()},
        **{each.__name__: each for each in OTHERS},
        **kept_cases(),
        **gallery(),
        **{f"lab/{name}": lab(name) for name in LABS},
    }

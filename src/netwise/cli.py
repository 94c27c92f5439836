"""The command line. The only place where names are text; everything heavy is imported by the command that needs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netwise.errors import DataError, NetwiseError, Problem, RunFolderError, UnknownName, WrongValue, near

if TYPE_CHECKING:
    from netwise.data import Data
    from netwise.engine.run import Run
    from netwise.history import Ended
    from netwise.networks import Network
    from netwise.recipe.recipe import Recipe

OK, USAGE, DIVERGED, INTERRUPTED, TERMINATED = 0, 2, 3, 130, 143


class Group(click.Group):
    """A group that answers an unknown command with the near ones, and an error of netwise with its sentence."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            close = near(name, self.list_commands(ctx))
            hint = f"Did you mean {close}?" if close else f"There are: {', '.join(self.list_commands(ctx))}."
            raise click.UsageError(f"unknown command '{name}'. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NetwiseError as error:
            click.echo(str(error), err=True)
            ctx.exit(USAGE)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="netwise", message="netwise %(version)s")
def main() -> None:
    """A network that learns, and when it does not, the reason and a proven cure.

    \b
    netwise train digits --network mlp --epochs 10
    netwise train table.csv --target price
    netwise diagnose digits-3f2a
    netwise treat digits-3f2a
    netwise demo
    """


_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_home = click.option("--runs", "home", default="runs", show_default=True, type=click.Path(path_type=Path), help="Folder of the runs.")
_trust = click.option("--trust-own", is_flag=True, help="Import and run a network of your own that the recipe names.")


@main.command()
@click.argument("source", required=False)
@click.option("--target", help="Column of a CSV file to predict.")
@click.option("--network", help="mlp, lenet5, convnet, resnet or lstm; for data, not for a recipe.  [default: lstm for texts, else mlp]")
@click.option("--epochs", type=int, help="Passes over the training part.  [default: until validation stops improving, at most 100]")
@click.option("--seed", type=int, help="Of every random stream.  [default: 0]")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field, such as optimizer.lr=0.01.")
@click.option("--resume", "resumed", metavar="RUN", help="Go on with an interrupted run.")
@click.option("--checkpoint-every", type=int, default=0, metavar="STEPS", help="Checkpoints besides those of epochs.")
@click.option("--device", default="cpu", show_default=True, help="Of torch.")
@click.option("--threads", type=int, help="Of a step.  [default: a fixed rule of its work]")
@_trust
@_home
@_json
def train(
    source: str | None,
    target: str | None,
    network: str | None,
    epochs: int | None,
    seed: int | None,
    settings: Sequence[str],
    resumed: str | None,
    checkpoint_every: int,
    device: str,
    threads: int | None,
    trust_own: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Train on SOURCE: a data set's name, FILE.csv with --target, a FOLDER of images by class, or RECIPE.toml."""
    from netwise.display import display
    from netwise.engine.training import fit, resume
    from netwise.store import RunFolder

    if (source is None) == (resumed is None):
        raise click.UsageError("name what to train on (a data set, FILE.csv, a folder of images or RECIPE.toml), or --resume RUN")
    if resumed is not None:
        if settings or target or epochs is not None or seed is not None:
            raise click.UsageError("a resumed run keeps its recipe: --set, --target, --epochs and --seed are for new ones")
        store = RunFolder.open(find_run(resumed, home))
        click.echo(f"Resuming {store.path}.", err=True)
        run = resume(store.path, network=_own(store.recipe(), trust_own), progress=display())
    else:
        assert source is not None
        recipe = recipe_for(source, target, network, epochs, seed, settings)
        _own(recipe, trust_own)
        if not as_json:
            _show_network(recipe)
        with _fresh_folder(recipe, home) as folder:
            run = fit(recipe, folder=folder, device=device, threads=threads, checkpoint_every=checkpoint_every, progress=display())
    _tell_end(run, as_json)


@main.command()
@click.argument("run")
@_home
@_json
def diagnose(run: str, home: Path, as_json: bool) -> None:
    """Say what is wrong with RUN, with the evidence."""
    from netwise.diagnosis import diagnose as look, plain_report
    from netwise.engine.run import load_history

    report = look(load_history(find_run(run, home)))
    if as_json:
        _echo_json(plain_report(report))
    else:
        click.echo(str(report))


@main.command()
@click.argument("run")
@click.option("--seeds", type=click.IntRange(2, 50), default=5, show_default=True, help="Pairs of each trial.")
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time.  [default: one a core]")
@_trust
@_home
@_json
def treat(run: str, seeds: int, jobs: int | None, trust_own: bool, home: Path, as_json: bool) -> None:
    """Find what is wrong with RUN (or RECIPE.toml) and prove a cure by paired trials."""
    from netwise.recipe.file import read_recipe
    from netwise.store import RunFolder

    recipe = read_recipe(run) if run.endswith(".toml") else RunFolder.open(find_run(run, home)).recipe()
    _own(recipe, trust_own)
    _treat(recipe, seeds, jobs, home, as_json)


@main.command()
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time.  [default: one a core]")
@_home
@_json
def demo(jobs: int | None, home: Path, as_json: bool) -> None:
    """What makes netwise different: a deep sigmoid network on real digits, its diagnosis, and its proven cure."""
    from netwise.gallery import DEEP_SIGMOID

    if not as_json:
        click.echo("Four sigmoid layers on 1078 handwritten digits, started at N(0, 0.1²), SGD with momentum.")
    _treat(DEEP_SIGMOID, 5, jobs, home, as_json)


@main.command()
@_home
@_json
def runs(home: Path, as_json: bool) -> None:
    """List the runs, the newest last."""
    from netwise.store import list_runs

    entries = list_runs(home)
    if as_json:
        _echo_json([vars(entry) for entry in entries])
        return
    if not entries:
        click.echo(f"No runs in {home}. Begin with: netwise train digits")
        return
    rows = [("run", "network", "ended", "test score"), *((Path(e.folder).name, e.network, e.ended, e.score.split(" (")[0]) for e in entries)]
    wide = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=True)).rstrip())


@main.command()
@click.argument("run", metavar="RUN")
@click.option("--open", "opened", is_flag=True, help="Open the report in a browser.")
@click.option("--picture", type=click.Path(path_type=Path), help="For `show activations`: draw them, as .png or .svg.")
@_home
@_json
def show(run: str, opened: bool, picture: Path | None, home: Path, as_json: bool) -> None:
    """Print what is known of RUN and where its report is; --open shows it. `show activations`: their table."""
    if run == "activations":
        _show_activations(picture, as_json)
        return
    from netwise.diagnosis import diagnose as look, plain_report
    from netwise.engine.run import load_history
    from netwise.history import about
    from netwise.recipe.file import plain_of
    from netwise.store import REPORT, RunFolder

    store = RunFolder.open(find_run(run, home))
    history, recipe = load_history(store.path), store.recipe()
    report, page, score = look(history), store.path / REPORT, store.about().get("score")
    if as_json:
        series = [{"signal": key[0], "layer": key[1], "steps": s.steps, "values": s.values} for key, s in history.series.items()]
        where = {"folder": str(store.path), "report": str(page) if page.is_file() else None}
        _echo_json({**where, **about(history), "score": score, "recipe": plain_of(recipe), "diagnosis": plain_report(report), "series": series})
        return
    click.echo(f"{store.path.name}: {type(recipe.network).__name__} on {_called(recipe)}, recipe {history.made_by.recipe}")
    click.echo(history.ended.sentence)
    if score:
        click.echo(f"Test {score['sentence']}.")
    click.echo(str(report))
    if page.is_file():
        click.echo(f"Report: {page}")
        if opened:
            click.launch(str(page))


@main.command()
@click.argument("network")
@click.option("--image", metavar="SHAPE", help="Of one input, such as 3x224x224.  [default: the network's own, or the recipe's data]")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field of the network, such as depth=50.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the layers as bars, as .png or .svg.")
@_trust
@_json
def anatomy(network: str, image: str | None, settings: Sequence[str], picture: Path | None, trust_own: bool, as_json: bool) -> None:
    """The table of NETWORK's layers (a name such as ResNet, or RECIPE.toml): shapes, parameters, work, memory, fields."""
    from netwise.anatomy import describe, plain_anatomy

    built, shape = _network_for(network, settings, trust_own)
    if image is not None:
        try:
            shape = tuple(int(side) for side in image.lower().split("x"))
        except ValueError:
            raise click.UsageError(f"--image {image}: write sides with x between, such as 3x224x224") from None
        if not shape or min(shape) < 1:
            raise click.UsageError(f"--image {image}: sides are at least 1, such as 3x224x224")
        if len(shape) == 3 and "image" in {each.name for each in _fields(built)} and not any(setting.startswith("image") for setting in settings):
            built = built.but(image=shape)
    if shape is None:
        raise click.UsageError(f"--image: {network} takes inputs of any shape; say which, such as --image 64")
    told = describe(built, shape)
    if picture is not None:
        from netwise.pictures.anatomy import picture_anatomy

        _never_over(picture)
        picture_anatomy(told, picture)
    if as_json:
        _echo_json(plain_anatomy(told))
    else:
        click.echo(str(told))


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field, such as init.kind=He.")
@_trust
@_json
def start(recipe: Path, settings: Sequence[str], trust_own: bool, as_json: bool) -> None:
    """What the start of a recipe does before training: spread of every layer's weights, outputs and gradients on one batch."""
    from netwise.recipe.file import read_recipe
    from netwise.starts import look_at_start, start_table

    read = _changed(read_recipe(recipe), settings)
    _own(read, trust_own)
    rows = look_at_start(read)
    if as_json:
        _echo_json([vars(row) for row in rows])
    else:
        click.echo(start_table(rows))


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field, such as batch_size=32.")
@click.option("--start", "first", type=float, default=0.01, show_default=True, help="Where the ladder of tens begins.")
@_trust
@_json
def rate(recipe: Path, settings: Sequence[str], first: float, trust_own: bool, as_json: bool) -> None:
    """A learning rate for a recipe by the threshold rule: the order of magnitude, the threshold, half of it."""
    from dataclasses import asdict

    from netwise.recipe.file import read_recipe
    from netwise.thresholds import rate_threshold

    if not first > 0:
        raise click.UsageError(f"--start {first}: a rate is above 0, such as 0.01")
    read = _changed(read_recipe(recipe), settings)
    _own(read, trust_own)
    found = rate_threshold(read, start=first)
    if as_json:
        _echo_json(None if found is None else asdict(found))
        return
    if found is None:
        click.echo("The loss falls at no rate: the fault is not the rate. Ask: netwise train, then netwise diagnose.")
        return
    for tried, fell in found.tried:
        click.echo(f"{tried:<10g} {'falls' if fell else 'does not fall'}")
    click.echo(f"Order of magnitude {found.order:g}, threshold {found.threshold:g}; use half of it: --set optimizer.lr={found.rate:g}")


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field, such as epochs=3.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here instead of to stdout; never over an existing file.")
def script(recipe: Path, settings: Sequence[str], output: Path | None) -> None:
    """RECIPE as a plain PyTorch script, without netwise, that gives the same weights."""
    from netwise.recipe.file import read_recipe
    from netwise.recipe.script import to_script

    text = to_script(_changed(read_recipe(recipe), settings))
    if output is None:
        click.echo(text, nl=False)
        return
    _never_over(output)
    output.write_text(text, "utf-8")
    click.echo(f"Written to {output}. Run it with: python {output}")


@main.command()
@click.argument("run")
@click.option("--prompt", default="\n", help="How the text begins.")
@click.option("--length", type=click.IntRange(1, 1_000_000), default=400, show_default=True, help="Characters to write.")
@click.option("--temperature", type=click.FloatRange(0), default=0.8, show_default=True, help="0 takes the likeliest character each time.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draws.")
@_home
def write(run: str, prompt: str, length: int, temperature: float, seed: int, home: Path) -> None:
    """Let a network that has learned a text write one."""
    from netwise.engine.run import load
    from netwise.engine.sampling import sample_text

    click.echo(sample_text(load(find_run(run, home)), prompt, length, temperature=temperature, seed=seed))


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--why", is_flag=True, help="The reason for every default.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field, such as optimizer.lr=0.01.")
@_json
def check(recipe: Path, why: bool, settings: Sequence[str], as_json: bool) -> None:
    """Look at a recipe before training: what cannot run, what will learn badly, and the table of its network."""
    from netwise.errors import CANNOT_RUN
    from netwise.networks import Own
    from netwise.recipe.checks import check as look
    from netwise.recipe.file import read_recipe

    read = _changed(read_recipe(recipe), settings)
    problems = look(read)
    fatal = [problem for problem in problems if problem.grade == CANNOT_RUN]
    table = None
    if not fatal and not isinstance(read.network, Own):
        table = _network_table(read)
    if as_json:
        _echo_json({"hash": read.hash, "problems": [vars(problem) for problem in problems], "network": table})
    else:
        for problem in problems:
            click.echo(f"{problem.grade}: {problem}")
        if table:
            click.echo(table)
        if not problems:
            click.echo("Nothing is wrong with it.")
        if why:
            for line in _reasons(read, ""):
                click.echo(line)
    if fatal:
        sys.exit(USAGE)


@main.command()
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here instead of to stdout; never over an existing file.")
@_trust
@_home
@_json
def predict(run: str, file: Path, output: Path | None, trust_own: bool, home: Path, as_json: bool) -> None:
    """Answer the rows of a CSV file with the network of RUN."""
    from netwise.data.encoding import TableEncoder
    from netwise.data.table import read_table
    from netwise.engine.run import load
    from netwise.losses import CLASSIFICATION
    from netwise.store import RunFolder

    folder = find_run(run, home)
    loaded = load(folder, _own(RunFolder.open(folder).recipe(), trust_own))
    cells = read_table(file)
    if isinstance(loaded.intake.encoder, TableEncoder):
        raw: Any = cells
    else:
        raw = [[_number(cell, file) for cell in row] for row in zip(*cells.values(), strict=True)]
    answers = loaded.predict(raw).tolist()
    shares = loaded.predict_proba(raw) if loaded.intake.task == CLASSIFICATION else None
    if as_json:
        _echo_json({"predictions": answers, "classes": list(loaded.intake.classes), "probabilities": None if shares is None else shares.tolist()})
        return
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["prediction"] if shares is None else ["prediction", "probability"])
    for i, answer in enumerate(answers):
        writer.writerow([answer] if shares is None else [answer, f"{shares[i].max():.4f}"])
    if output is None:
        click.echo(text.getvalue(), nl=False)
        return
    try:
        with open(output, "x", encoding="utf-8") as written:
            written.write(text.getvalue())
    except OSError as error:
        raise DataError(f"{output} was not written: {error.strerror}") from None
    click.echo(f"{len(answers)} predictions in {output}")


@main.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Run all labs.")
@click.option("--record", "kept", is_flag=True, help="Keep the numbers beside the labs' code.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("labs"), show_default=True, help="Folder of the pages.")
@_json
def lab(name: str | None, every: bool, kept: bool, output: Path, as_json: bool) -> None:
    """Run a claim of the notes again: NAME such as L01; without one, list them."""
    from netwise.labs import LABS, lab as find
    from netwise.labs.record import record, recorded
    from netwise.report.lab import write_lab

    if name is None and not every:
        if as_json:
            _echo_json([{"name": each.name, "claim": each.claim, "recorded": recorded(each.name)} for each in LABS])
            return
        for each in LABS:
            old = recorded(each.name)
            click.echo(f"{each.name}  {each.claim}" + (f"  [{old['verdict']}, {old['date']}]" if old else ""))
        return
    told = []
    for each in LABS if every else [find(name or "")]:
        outcome = each.run()
        output.mkdir(parents=True, exist_ok=True)
        page = write_lab(each, outcome, output / f"{each.name}.html")
        if kept:
            record(each, outcome)
        told.append({"name": each.name, "claim": each.claim, **outcome.plain(), "page": str(page)})
        if not as_json:
            click.echo(f"{each.name}: {outcome.verdict}. {each.claim}")
            for criterion in outcome.criteria:
                click.echo(f"  {'holds ' if criterion.holds else 'FAILS '} {criterion.says} (seen: {criterion.seen:.4g})")
            click.echo(f"Page: {page}")
    if as_json:
        _echo_json(told if every else told[0])


# ---- what the commands share


def _show_activations(picture: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from netwise.activations import character
    from netwise.pictures.activations import activation_table, of_one_number, picture_activations

    if picture is not None:
        _never_over(picture)
        picture_activations(picture)
    if as_json:
        _echo_json([asdict(character(each)) for each in of_one_number()])
    else:
        click.echo(activation_table())


def _never_over(path: Path) -> None:
    """A file that somebody made is not written over."""
    if path.exists():
        raise DataError(f"{path} is there already: name another file")
    if path.suffix not in (".png", ".svg", ".py", ".txt", ""):
        raise DataError(f"{path}: a picture ends in .png or .svg")


def _fields(part: Any) -> Sequence[Any]:
    import dataclasses

    return dataclasses.fields(part)


def _network_for(name: str, settings: Sequence[str], trust_own: bool) -> tuple[Any, tuple[int, ...] | None]:
    """The network that a word or a recipe names, and the shape of its inputs where that is known."""
    from netwise.fields import Unfitting
    from netwise.networks import Network
    from netwise.recipe.checks import prepared
    from netwise.recipe.file import named, read_recipe, recipe_of

    if name.endswith(".toml"):
        recipe = _changed(read_recipe(name), [f"network.{setting}" for setting in settings])
        _own(recipe, trust_own)
        return recipe.network, prepared(recipe, recipe.data.load())[0].shape
    try:
        kind = named(Network, name).__name__
    except Unfitting as wrong:
        raise WrongValue("network", [Problem("network", name, wrong.reason, wrong.instead)]) from None
    # Read as a file would be, so that every wrong field is told.
    plain = {"data": "digits", "network": {"kind": kind, **_settings_of(settings)}}
    network = recipe_of(plain, "--set").network
    shape = getattr(network, "image", None)
    if shape is None and hasattr(network, "widths"):
        shape = (network.widths[0],)
    if shape is None and hasattr(network, "symbols"):
        shape = (28,) if network.symbols else (28, getattr(network, "features", 1))
    return network, shape


def _settings_of(settings: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE pairs as plain values of one part."""
    import tomllib

    found: dict[str, Any] = {}
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or not field.strip():
            raise click.UsageError(f"--set {setting}: write FIELD=VALUE, such as depth=50")
        try:
            found[field.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            found[field.strip()] = text
    return found


def recipe_for(source: str, target: str | None, network: str | None, epochs: int | None, seed: int | None, settings: Sequence[str]) -> Recipe:
    """The recipe that the words of the command line mean."""
    from netwise.recipe.file import read_recipe
    from netwise.recipe.suggestion import suggest

    if source.endswith(".toml"):
        if target is not None:
            raise click.UsageError("--target is for a CSV file; a recipe has its own data")
        recipe = read_recipe(source)
    else:
        recipe = suggest(_data(source, target), network, epochs=epochs)
    if epochs is not None:
        settings = [*settings, f"epochs={epochs}"]
    if seed is not None:
        settings = [*settings, f"seed={seed}"]
    return _changed(recipe, settings)


def _data(source: str, target: str | None) -> Data:
    from netwise.data import DATA, csv, images
    from netwise.data.table import read_table

    if source not in DATA and Path(source).is_dir():
        if target is not None:
            raise click.UsageError("--target is for a CSV file; in a folder of images each folder is a class")
        return images(source)
    if source.lower().endswith((".csv", ".tsv", ".data", ".txt")) or Path(source).is_file():
        if target is None:
            columns = list(read_table(Path(source)))
            raise click.UsageError(f"which column is to be predicted? Write --target COLUMN; there are: {', '.join(columns)}")
        return csv(source, target)
    if target is not None:
        raise click.UsageError("--target is for a CSV file; a named data set has its own")
    named = {name: made for name, made in DATA.items() if name not in ("csv", "images", "arrays")}
    if source not in named:
        raise UnknownName("data set", source, named)
    return named[source]()


def _changed(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe after `--set FIELD=VALUE`, read again as a file would be."""
    import tomllib

    from netwise.recipe.file import plain_of, recipe_of

    if not settings:
        return recipe
    plain = plain_of(recipe)
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or not field.strip():
            raise click.UsageError(f"--set {setting}: write FIELD=VALUE, such as optimizer.lr=0.01")
        try:
            value: Any = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *path, last = field.strip().split(".")
        place: Any = plain
        for bit in path:
            place = place.setdefault(bit, {}) if isinstance(place, dict) else {}
            if not isinstance(place, dict):
                raise WrongValue("--set", [Problem(field, text, f"{bit} is no table: it has no fields of its own")])
        place[last] = value
    return recipe_of(plain, "--set")


def find_run(run: str, home: Path) -> Path:
    """A run by its path, or by its name below the folder of runs."""
    from netwise.store import RECIPE

    for path in (Path(run), home / run):
        if (path / RECIPE).is_file():
            return path
    known = sorted(path.parent.name for path in home.glob(f"*/{RECIPE}"))
    if not known:
        raise RunFolderError(f"there is no run {run}, and none in {home} yet. Begin with: netwise train digits")
    raise UnknownName(f"run in {home}:", run, known)


def _own(recipe: Recipe, trusted: bool) -> Network | None:
    """The user's own network, once it is said that its code may run."""
    from netwise.networks import Own

    if not isinstance(recipe.network, Own):
        return None
    if not trusted:
        raise WrongValue("recipe", [Problem("network.source", str(recipe.network.source), "is code of your own: say --trust-own to import and run it")])
    sys.path.insert(0, str(Path.cwd()))
    return recipe.network


def _called(recipe: Recipe) -> str:
    from netwise.recipe.file import kind_of

    path = getattr(recipe.data, "path", None)
    stem = Path(path).stem if path else kind_of(recipe.data)
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:40] or "run"


def _show_network(recipe: Recipe) -> None:
    """The table of the network before it is trained; where it does not fit the data, `fit` says so."""
    try:
        click.echo(_network_table(recipe), err=True)
    except NetwiseError:
        return


def _network_table(recipe: Recipe) -> str:
    from netwise.anatomy import describe
    from netwise.recipe.checks import prepared

    return str(describe(recipe.network, prepared(recipe, recipe.data.load())[0].shape))


@contextmanager
def _fresh_folder(recipe: Recipe, home: Path, ending: str = "") -> Iterator[Path]:
    """A new folder for a run of `recipe`; taken away again where nothing came into it."""
    from netwise.store import new_folder

    folder = new_folder(home, f"{_called(recipe)}-{recipe.hash[:4]}{ending}")
    try:
        yield folder
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise


def _tell_end(run: Run, as_json: bool) -> None:
    """How a run ended, what is wrong with it, and where its report is."""
    from netwise.diagnosis import diagnose as look, plain_report
    from netwise.history import about
    from netwise.report import write_report
    from netwise.store import REPORT

    assert run.folder is not None
    ended, report = run.history.ended, look(run)
    page = write_report(run, run.folder / REPORT)
    if as_json:
        score = None if run.score is None else {**vars(run.score), "sentence": str(run.score)}
        _echo_json({"folder": str(run.folder), "report": str(page), **about(run.history), "score": score, "diagnosis": plain_report(report)})
    else:
        click.echo(_headline(ended, run))
        click.echo(_summary(report))
        click.echo(f"Report: {page}")
    _exit(ended, run.folder)


def _headline(ended: Ended, run: Run) -> str:
    name = ended.how[0].upper() + ended.how[1:]
    if run.score is None:
        return ended.sentence
    reason = "" if ended.how == "finished" else f" {ended.sentence}"
    return f"{name}: test {run.score}.{reason}"


def _summary(report: Any) -> str:
    unchecked = f" {len(report.unchecked)} unchecked." if report.unchecked else ""
    if not report.found:
        return f"Nothing found; {len(report.clear)} rules clear.{unchecked}"
    return str(report)


def _exit(ended: Ended, folder: Path) -> None:
    if ended.how == "diverged":
        sys.exit(DIVERGED)
    if ended.how == "interrupted":
        click.echo(f"Go on with: netwise train --resume {folder}", err=True)
        sys.exit(TERMINATED if "SIGTERM" in ended.sentence else INTERRUPTED)


def _treat(recipe: Recipe, seeds: int, jobs: int | None, home: Path, as_json: bool) -> None:
    from netwise.diagnosis import diagnose as look, plain_report
    from netwise.report import write_report
    from netwise.store import REPORT
    from netwise.treatment import treat as cure
    from netwise.trials import plain_verdict, told_changes

    with _fresh_folder(recipe, home, "-treated") as folder:
        course = cure(recipe, seeds=range(seeds), jobs=jobs, folder=folder, told=lambda line: click.echo(line, err=as_json))
    page = write_report(course, folder / REPORT)
    changed = told_changes(recipe, course.recipe)
    if as_json:
        trials = [{"finding": r.finding.rule, "accepted": r.accepted or None, "verdicts": [plain_verdict(v) for v in r.verdicts]} for r in course.rounds]
        confirmed = None if course.confirmed is None else plain_verdict(course.confirmed)
        reports = {"before": plain_report(look(course.before)), "after": plain_report(look(course.run))}
        _echo_json(
            {
                "folder": str(folder),
                "report": str(page),
                "cured": course.cured,
                "sentence": course.sentence,
                "changes": changed,
                "rounds": trials,
                "confirmed": confirmed,
                **reports,
            }
        )
        return
    click.echo("")
    click.echo(course.sentence)
    for line in changed:
        click.echo(f"  {line}")
    if course.before.score and course.run.score and changed:
        click.echo(f"Test before: {course.before.score}.")
        click.echo(f"Test after:  {course.run.score}.")
    click.echo(f"Report: {page}")


def _reasons(part: Any, prefix: str) -> list[str]:
    """Every field with its value and the reason for its default."""
    import dataclasses

    from netwise.fields import Part, rule_of

    lines = []
    for each in dataclasses.fields(part):
        value, rule = getattr(part, each.name), rule_of(each)
        if isinstance(value, Part):
            why = f"   {rule.why}" if rule and rule.why and value == each.default else ""
            lines.append(f"{prefix}{each.name} = {type(value).__name__}{why}")
            lines += _reasons(value, f"{prefix}{each.name}.")
        elif rule is not None:
            lines.append(f"{prefix}{each.name} = {value}" + (f"   default: {rule.why}" if rule.why and value == each.default else ""))
    return lines


def _number(cell: str, file: Path) -> float:
    try:
        return float(cell)
    except ValueError:
        raise DataError(f"{file}: {cell!r} is no number, and the network takes numbers only") from None


def _echo_json(value: Any) -> None:
    from netwise.store import strict

    click.echo(json.dumps(strict(value), indent=1))

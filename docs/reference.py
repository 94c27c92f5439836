"""Pages made from the package itself: the API by package, a page for each rule and each remedy.

They are written into docs/api, docs/rules and docs/remedies at each build and are not kept in git.
Pages of labs and notes are made by companion.py.
"""

from __future__ import annotations

import ast
import inspect
import shutil
from pathlib import Path
from types import ModuleType

from companion import lab_pages, note_pages  # beside this file
from rst import contents, heading  # beside this file

import netwise as nw
from netwise.labs.record import RESULTS

# Title of a section of the API reference -> beginnings of the modules whose names it lists.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Recipes and runs": ("netwise.recipe", "netwise.training", "netwise.storage"),
    "Diagnosis": ("netwise.diagnosis", "netwise.history", "netwise.signals", "netwise.tasks"),
    "Observation of any program": ("netwise.observe", "netwise.watching"),
    "Treatment": ("netwise.treatment",),
    "Energy models": ("netwise.networks.energy",),
    "Networks": ("netwise.networks",),
    "Activations and initializers": ("netwise.parts.activations", "netwise.parts.initializers"),
    "Losses and penalties": ("netwise.parts.losses", "netwise.parts.penalties"),
    "Optimizers and schedules": (
        "netwise.parts.optimizers",
        "netwise.parts.schedules",
        "netwise.parts.clipping",
        "netwise.parts.averaging",
        "netwise.parts.finetuning",
        "netwise.parts.stopping",
    ),
    "Preprocessing and augmentation": ("netwise.parts.preprocess", "netwise.parts.augment"),
    "Data": ("netwise.data",),
    "Searches and validation": ("netwise.searches",),
    "Labs and gallery": ("netwise.labs", "netwise.gallery"),
    "Reports and pictures": ("netwise.report", "netwise.cli"),
    "Deployment": ("netwise.deployment",),
    "Errors": ("netwise.errors",),
    "Other": ("netwise",),
}  # a name goes to the first section that fits
NAMESPACES = ("axes", "energy", "sizes", "learning_rules", "data")
ESTIMATORS = "netwise.estimators"


def write_pages(docs: Path) -> None:
    """Write every generated page anew below `docs`."""
    for name, pages in (
        ("api", api_pages()),
        ("rules", rule_pages()),
        ("remedies", remedy_pages()),
        ("labs", lab_pages()),
        ("notes", note_pages()),
    ):
        folder = docs / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for stem, text in pages.items():
            (folder / f"{stem}.rst").write_text(text, "utf-8")
    for figure in RESULTS.glob("L*.svg"):
        shutil.copy(figure, docs / "labs")


def homes() -> dict[str, str]:
    """Public name -> module that the stub takes it from."""
    stub = ast.parse(Path(str(nw.__file__)).with_name("__init__.pyi").read_text("utf-8"))
    return {
        name.name: node.module or ""
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


def entry(qualified: str, thing: object) -> str:
    """The autodoc directive of one public name."""
    if inspect.isclass(thing):
        return f".. autoclass:: {qualified}\n   :members:\n\n"
    if callable(thing):
        return f".. autofunction:: {qualified}\n\n"
    return ""


def api_pages() -> dict[str, str]:
    """The API reference: a page for each section and namespace."""
    left = {name: home for name, home in homes().items() if name != "__version__"}
    pages: dict[str, str] = {}
    for title, starts in SECTIONS.items():
        names = sorted(
            name
            for name, home in left.items()
            if any(home == start or home.startswith(start + ".") for start in starts)
        )
        names = [name for name in names if left.pop(name)]
        entries = "".join(entry(f"netwise.{name}", getattr(nw, name)) for name in names)
        if entries:
            pages[title.lower().replace(" ", "-")] = heading(title) + entries
    for space in NAMESPACES:
        module = getattr(nw, space)
        text = heading(f"nw.{space}") + f"{(module.__doc__ or '').strip()}\n\n"
        for name in public_members(module):
            text += entry(f"{module.__name__}.{name}", getattr(module, name))
        pages[f"nw-{space.replace('_', '-')}"] = text
    import netwise.estimators as estimators

    text = heading("Estimators for scikit-learn") + f"{(estimators.__doc__ or '').strip()}\n\n"
    text += "".join(
        entry(f"{ESTIMATORS}.{name}", getattr(estimators, name)) for name in estimators.__all__
    )
    pages["estimators"] = text
    pages["index"] = contents(
        "API reference", "Every public name, with its defaults and a runnable example.", list(pages)
    )
    return pages


def public_members(module: ModuleType) -> list[str]:
    """Names of a namespace that no other page of the reference shows."""
    flat = set(homes())
    listed = getattr(module, "__all__", None) or [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and getattr(thing, "__module__", "").startswith(module.__name__)
        and not isinstance(thing, ModuleType)
    ]
    return [name for name in sorted(listed) if name not in flat]


def rule_pages() -> dict[str, str]:
    """A page for each rule, from its card."""
    pages = {}
    for rule in nw.RULES:
        text = heading(rule.title) + f"``{rule.name}``\n\n{rule.explanation}\n\n"
        if rule.healthy:
            text += heading("In a healthy run", "-") + f"{rule.healthy}\n\n"
        doc = inspect.getdoc(rule.find)
        if doc:
            text += heading("How it is found", "-") + f"{doc}\n\n"
        if rule.remedies:
            text += heading("Remedies, in the order to try them", "-")
            text += "".join(f"- :doc:`/remedies/{name}`\n" for name in rule.remedies) + "\n"
        if rule.explains:
            titles = {each.name: each.title for each in nw.RULES}
            text += heading("What it may cause", "-")
            text += "".join(f"- :doc:`/rules/{name}`\n" for name in rule.explains if name in titles)
            text += "\n"
        pages[rule.name] = text + f"Source: {rule.source}.\n"
    intro = (
        "A rule reads the history of a run and answers with a finding, with nothing, or with the "
        "reason why it could not check. Causes come before their consequences."
    )
    pages["index"] = contents("Rules", intro, [rule.name for rule in nw.RULES])
    return pages


def remedy_pages() -> dict[str, str]:
    """A page for each remedy, from its card."""
    pages = {}
    for remedy in nw.REMEDIES:
        answers = [rule for rule in nw.RULES if remedy.name in rule.remedies]
        text = heading(remedy.title) + f"``{remedy.name}``\n\n"
        text += heading("In a loop of your own", "-") + f"{remedy.by_hand}\n\n"
        text += heading("Findings that it may cure", "-")
        text += "".join(f"- :doc:`/rules/{rule.name}`\n" for rule in answers) + "\n"
        text += (
            "``nw.treat(recipe)`` tries it in paired trials over several seeds and keeps it only "
            "if the gain is proved.\n\n"
        )
        pages[remedy.name] = text + f"Source: {remedy.source}.\n"
    intro = "A remedy changes a recipe; a paired trial says whether the change helps."
    pages["index"] = contents("Remedies", intro, [remedy.name for remedy in nw.REMEDIES])
    return pages

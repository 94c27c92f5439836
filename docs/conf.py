"""Sphinx configuration. `scripts/docs` builds the site into docs/_build; warnings are errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("MPLBACKEND", "Agg")

import docstrings  # noqa: E402  # beside this file
from reference import write_pages  # noqa: E402  # beside this file

import netwise as nw  # noqa: E402

project = "netwise"
author = "The netwise developers"
project_copyright = "The netwise developers"
version = release = nw.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.py", "gallery/*.ipynb", "gallery/*.md5", "gallery/*.json"]
default_role = "code"  # single backticks in docstrings are code
nitpicky = False
suppress_warnings = ["myst.xref_missing", "config.cache"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Source", "notes_style")]

# Inventories of other projects are downloaded; without a network the site is built without them.
intersphinx_mapping = (
    {
        "python": ("https://docs.python.org/3", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }
    if os.environ.get("NETWISE_DOCS_ONLINE")
    else {}
)

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r".*\.py",
    "plot_gallery": os.environ.get("NETWISE_DOCS_EXAMPLES", "1") == "1",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "download_all_examples": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "netwise"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False

write_pages(HERE)


def setup(app: Sphinx) -> None:
    """Connect what turns docstrings into reStructuredText, before napoleon reads them."""
    app.connect("autodoc-process-docstring", docstrings.process, priority=400)
    app.connect("autodoc-skip-member", docstrings.skip)

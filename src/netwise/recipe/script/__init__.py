"""A recipe as a plain PyTorch script: `text.py` puts it together, from data, parts and the
network's module."""

from __future__ import annotations

from netwise.recipe.script.modules import module_text
from netwise.recipe.script.text import to_script

__all__ = ["module_text", "to_script"]

"""A recipe as a plain PyTorch script: `assembly` collects what each part becomes, `sections` puts
it together."""

from __future__ import annotations

from netwise.recipe.script.assembly import to_script
from netwise.recipe.script.module_source import module_text

__all__ = ["module_text", "to_script"]

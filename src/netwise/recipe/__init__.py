"""The description of a run: the recipe, its file, and the checks that need no training."""

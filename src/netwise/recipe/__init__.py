"""The description of a run: the recipe, its file, and what can be said of it before any work."""

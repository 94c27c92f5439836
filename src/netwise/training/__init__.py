"""Training: from a recipe to a run, alone, resumed, piece by piece, or several in parallel."""

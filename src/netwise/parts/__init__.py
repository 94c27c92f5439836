"""The parts of a recipe: frozen values with a formula, the reason for each default, and a
source."""

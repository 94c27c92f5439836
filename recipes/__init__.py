"""Recipes with measured results, and the code that measures them."""

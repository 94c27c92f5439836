"""Errata of the study notes: what is printed, what is right, and checks that run."""

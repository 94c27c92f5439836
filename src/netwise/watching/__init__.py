"""Observing training programs: `watch`, its run folders, and scripts that run under it."""

"""Callbacks of training frameworks that record a fit with `nw.watch` and print its diagnosis.

Each module has one class `Watch` and imports its framework; without it the import raises
`MissingPackage` with the command that installs it. `with nw.watch():` around the same program
observes it as well. A callback adds the framework's own metrics, such as its validation loss.
"""

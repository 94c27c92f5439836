"""Data that do not fit in memory: rows are read when a batch needs them.

`row_plan` says in which order they are read, `block_rows` keeps blocks of rows of a source that is
read from its start or in large pieces, `indexed_rows` reads single samples of a data set in Python.
`stream` is the data set of all of them.
"""

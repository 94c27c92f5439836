"""Claims of the notes as experiments: `nw.lab("L01").run()`.

Importing this package, or its catalogue of claims, loads no torch; `all_labs` does.
"""

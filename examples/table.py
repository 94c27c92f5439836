"""
A model of a table in three lines
=================================

A CSV file with numbers, words and gaps. ``nw.suggest`` chooses a network, preprocessing and a
stopping rule from the data alone.
"""

from pathlib import Path

import netwise as nw

here = Path(__file__).parent if "__file__" in globals() else Path()

run = nw.fit(nw.suggest(nw.data.csv(here / "houses.csv", "price")))
print("test part:", run.score)

# %%
# New rows are read from a file, a pandas frame or dictionaries; predictions are in the units of
# the target.

print(run.predict(here / "new_houses.csv"))
print(run.predict([{"area": 80, "rooms": 3, "town": "Graz"}]))

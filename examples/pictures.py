"""
Pictures in folders
===================

One folder for each class. The network is a small convolutional one, chosen from the data.
"""

from pathlib import Path

import netwise as nw

here = Path(__file__).parent if "__file__" in globals() else Path()

pictures = nw.data.images(here / "pictures", height=16, width=16, colour="grey")
run = nw.fit(nw.suggest(pictures, epochs=20))
print("test part:", run.score)
print(nw.diagnose(run).names)

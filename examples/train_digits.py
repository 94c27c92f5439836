"""
Train a network and read its diagnosis
======================================

Ten epochs on the handwritten digits of scikit-learn. The score is measured on the test part, which
nothing else touches; its interval follows from the number of test samples.
"""

from sklearn.datasets import load_digits

import netwise as nw

recipe = nw.Recipe(
    data=nw.data.digits(),
    network=nw.MLP((64, 64, 10)),
    optimizer=nw.SGD(lr=0.1, momentum=0.9),
    epochs=10,
)
run = nw.fit(recipe)
print(run.history.ended.sentence)
print("test part:", run.score)

# %%
# The diagnosis lists what it found, what it checked without a finding, and what it could not check.

print(nw.diagnose(run))

# %%
# The trained network takes raw inputs: pixels from 0 to 16, as the data set has them.

print(run.predict(load_digits().images[:5]))

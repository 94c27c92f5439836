"""
A sick network, its cause and its cure
======================================

Four sigmoid layers with a small random start do not learn: the gradient fades on its way to the
first layer. ``nw.treat`` tries the remedies that the diagnosis names, in paired trials.
"""

import netwise as nw

recipe = nw.gallery.sick["vanishing_gradient"].recipe

if __name__ == "__main__":  # trials may start worker processes
    print(nw.diagnose(nw.fit(recipe)))
    treatment = nw.treat(recipe)
    print(treatment)

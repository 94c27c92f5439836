"""The examples in docstrings of callbacks run where their framework is installed."""

import os
from importlib.util import find_spec

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it once, when it is imported

FRAMEWORKS = ("lightning", "transformers", "accelerate", "keras", "skorch")
collect_ignore = [
    f"netwise/integrations/{name}.py" for name in FRAMEWORKS if find_spec(name) is None
]

"""The examples in docstrings of callbacks run where their framework is installed."""

import os
from importlib.util import find_spec
from pathlib import Path

from netwise.training import other_load

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it once, when it is imported

other_load._COUNTS = Path("no counts while tests run")  # see tests/conftest.py

FRAMEWORKS = ("lightning", "transformers", "accelerate", "keras", "skorch")
collect_ignore = [
    f"netwise/integrations/{name}.py" for name in FRAMEWORKS if find_spec(name) is None
]

"""The examples in docstrings of callbacks run where their framework is installed."""

from importlib.util import find_spec

FRAMEWORKS = ("lightning", "transformers", "accelerate", "keras", "skorch")
collect_ignore = [
    f"netwise/integrations/{name}.py" for name in FRAMEWORKS if find_spec(name) is None
]

"""Tables as people have them: any file or frame, with what each column is and why."""

from netwise.lazy_names import lazily, stub_names

_HOMES = stub_names(__path__[0])
__all__ = list(_HOMES)
__getattr__ = lazily(__name__, _HOMES)

"""What a process that waits most of the time does without: pandas, what libraries import and we never
ask of them, and memory it no longer uses.

Here: keeping pandas out, which pyarrow loads by itself wherever it is installed, with the first array
made from a list (half a second and 45 MB, to recognise frames that such a process never handles); letting
a module that only a library names wait for its first use; giving freed memory back. Not here: which
modules a process imports of its own accord.
"""

import ctypes
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _NoPandas(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("this process does without pandas", name=fullname)
        return None


def without_pandas() -> None:
    """From now on pandas is as good as not installed; call it before pyarrow makes an array."""
    sys.meta_path.insert(0, _NoPandas())


class _Later(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def import_later(*names: str) -> None:
    """From now on these modules are loaded with the first attribute that anybody asks of them."""
    sys.meta_path.insert(0, _Later(frozenset(names)))


def give_back_memory() -> None:
    """Let the system have what was freed; where the C library cannot, nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

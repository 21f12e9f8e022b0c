"""What a process that waits most of the time does without: pandas, and memory it no longer uses.

Here: keeping pandas out, which pyarrow loads by itself wherever it is installed, with the first array
made from a list (half a second and 45 MB, to recognise frames that such a process never handles), and
giving freed memory back. Not here: which modules a process imports of its own accord.
"""

import ctypes
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
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


def give_back_memory() -> None:
    """Let the system have what was freed; where the C library cannot, nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

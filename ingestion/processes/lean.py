"""What a process that waits most of the time does without: pandas, what libraries import and we never
ask of them, and memory it no longer uses.

Here: keeping pandas out, which pyarrow loads by itself wherever it is installed, with the first array
made from a list (half a second and 45 MB, to recognise frames that such a process never handles); letting
a module that only a library names wait for its first use; giving freed memory back. Not here: which
modules a process imports of its own accord.
"""

import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class _Without(MetaPathFinder):
    def __init__(self, *names: str) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"this process does without {fullname}", name=fullname)
        return None


def without_pandas() -> None:
    """From now on pandas is as good as not installed; call it before pyarrow makes an array."""
    sys.meta_path.insert(0, _Without("pandas"))


def without_chardet() -> None:
    """The same for what `requests` would guess the encoding of an answer with: 3 MB."""
    sys.meta_path.insert(0, _Without("chardet"))


class _Waiting(ModuleType):
    """A module before its first use.

    `importlib.util.LazyLoader`'s is loaded by whoever goes through all modules and asks each for its
    file, as `inspect` does; this one by names of its content only.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        assert self.__spec__ is not None  # noqa: S101 - it was made from one
        assert isinstance(self.__spec__.loader, _LoadedLater)  # noqa: S101
        self.__spec__.loader.load(self)
        return getattr(self, name)


class _LoadedLater(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.RLock()

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty one."""
        return _Waiting(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Not yet."""

    def load(self, module: ModuleType) -> None:
        """Fill it, once."""
        with self._lock:
            if isinstance(module, _Waiting):
                module.__class__ = ModuleType
                self._loader.exec_module(module)


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
            spec.loader = _LoadedLater(spec.loader)
        return spec


def import_later(*names: str) -> None:
    """From now on these modules are loaded with the first name of their content that anybody uses."""
    sys.meta_path.insert(0, _Later(frozenset(names)))


def without_rarely_used() -> None:
    """Let wait what libraries name when they are loaded, and small processes hardly ever ask for."""
    import_later("bz2", "gzip", "importlib.metadata", "lzma", "ssl", "zipfile")


def give_back_memory() -> None:
    """Let the system have what was freed; where the C library cannot, nothing happens."""
    import ctypes  # noqa: PLC0415 - a command that never gives anything back does without

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

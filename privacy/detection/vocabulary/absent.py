"""Libraries that a process is as good as without, though others of its libraries import them.

Here: what stands for such a library; whatever is imported from it can be annotated with, derived from
and decorated with, and a process that called it would raise. Not here: which process does without what
(`privacy/detection/without_names`, each `__main__`).
"""

import sys
from collections.abc import MutableSequence, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ClassVar


class _Nothing(type):
    """The type of what is imported from it: good for annotations, as a base and as a decorator."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: lambda decorated: decorated

    def __call__(cls, *_: Any, **__: Any) -> Any:
        """There are no objects of it."""
        raise RuntimeError(f"this process does without what {cls.__name__} belongs to")


class _Empty(ModuleType):
    __path__: ClassVar[MutableSequence[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (), {})


class Absent(MetaPathFinder, Loader):
    """Stands for libraries from `begin` to `end`."""

    def __init__(self, *libraries: str) -> None:
        self._libraries = frozenset(libraries)

    def begin(self) -> None:
        """Be asked before any other; raises RuntimeError when one of them is there already."""
        there = self._libraries.intersection(sys.modules)
        if there:
            raise RuntimeError(f"{min(there)} is there already: doing without it must come first")
        sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Let them be imported as they are; what was derived from nothing meanwhile stays so."""
        sys.meta_path.remove(self)
        for name in [n for n in sys.modules if n.partition(".")[0] in self._libraries]:
            del sys.modules[name]

    @property
    def is_active(self) -> bool:
        """Whether it stands for them now."""
        return self in sys.meta_path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A module without content, for each of their modules."""
        if fullname.partition(".")[0] not in self._libraries:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty one."""
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""

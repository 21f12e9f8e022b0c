"""A process that reads lines of logs alone does without the model of names, and without spaCy.

Here: keeping spaCy out, which Presidio imports with every recogniser of patterns (60 MB, with the model
that names are found with in messages). Not here: proving the model, which a fork does for such a process
(`canary`). What stands for spaCy can do nothing: a process that called it would raise.
"""

import sys
from collections.abc import MutableSequence, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ClassVar

_ABSENT = frozenset({"spacy", "thinc"})


class _Nothing(type):
    """The type of what is imported from spaCy: good for annotations, as a base and as a decorator."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: lambda decorated: decorated

    def __call__(cls, *_: Any, **__: Any) -> Any:
        """There are no objects of it."""
        raise RuntimeError("this process does without spaCy")


class _Empty(ModuleType):
    __path__: ClassVar[MutableSequence[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (), {})


class _NoSpacy(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in _ABSENT:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


_finder = _NoSpacy()


def without_names() -> None:
    """From now on this process finds no names in messages; call it before Presidio is imported."""
    if not _ABSENT.isdisjoint(sys.modules):
        raise RuntimeError("spaCy is there already: without_names() must come first")
    sys.meta_path.insert(0, _finder)


def with_names() -> None:
    """Undo it, in a process of its own; what Presidio has imported meanwhile uses none of it."""
    sys.meta_path.remove(_finder)
    for name in [n for n in sys.modules if n.partition(".")[0] in _ABSENT]:
        del sys.modules[name]


def has_names() -> bool:
    """Whether this process can find names in messages."""
    return _finder not in sys.meta_path

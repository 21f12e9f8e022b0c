"""One trial: tests over one mutant, in a forked process that has imported nothing of ours yet.

The change is never written to disk: the process finds the mutated module in its memory.
"""

import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

_SURVIVED, _NO_TESTS = 0, 5


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, with another text than its file's."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self._module, self._path, self._source = module, path, source

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The spec of the one module."""
        if name != self._module:
            return None
        is_package = self._path.endswith("__init__.py")
        return importlib.util.spec_from_file_location(
            name, self._path, loader=self,
            submodule_search_locations=[str(Path(self._path).parent)] if is_package else None,
        )  # fmt: skip

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed text."""
        exec(compile(self._source, self._path, "exec"), module.__dict__)


def run(
    tests: Sequence[str], changed: tuple[str, str, str] | None, limit_s: float
) -> tuple[bool, float]:
    """Whether the tests pass, and seconds; `changed` is module, path and text. Too long is no pass."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os._exit(_tested(tests, changed))
    try:
        while time.monotonic() - began < limit_s:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                child = 0
                code = os.waitstatus_to_exitcode(status)
                assert code != _NO_TESTS, f"no tests in {tests}"
                return code == _SURVIVED, time.monotonic() - began
            time.sleep(0.05)
        return False, time.monotonic() - began
    finally:
        # With whatever it started: too long, or we are asked to end.
        if child:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _tested(tests: Sequence[str], changed: tuple[str, str, str] | None) -> int:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    if changed:
        assert changed[0] not in sys.modules, "what is imported already cannot be another"
        sys.meta_path.insert(0, _Changed(*changed))
    return int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]))

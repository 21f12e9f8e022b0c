"""Which reports there are: each module here with a `KIND` is one.

Here: what each kind says about a period, from published marts. Not here: the document (`document`), how it
looks (`rendering`), when it is made (`dagster_project/defs/reports`), keeping it (`keeping`).
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from dagster_project.reporting.kinds.report_source import ReportKind


class UnknownKind(Exception):
    """There is no report of this name; the message names those that there are."""


@cache
def kinds() -> dict[str, ReportKind]:
    """Every kind by its name, the most frequent first."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = [module.KIND for module in modules if hasattr(module, "KIND")]
    order = ("daily", "weekly", "monthly")
    return {k.name: k for k in sorted(found, key=lambda k: (order.index(k.cadence), k.name))}


def kind_named(name: str) -> ReportKind:
    """The kind; raises UnknownKind."""
    if name not in kinds():
        raise UnknownKind(f"there is no such report: choose one of {', '.join(kinds())}.")
    return kinds()[name]

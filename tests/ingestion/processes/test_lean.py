"""A module that waits for its first use is loaded by it, and works like any other."""

import subprocess
import sys

from tests.conftest import ROOT

_ASKS = """
import sys
from ingestion.processes.lean import import_later

import_later("colorsys", "no_such_module")
import colorsys
waits = type(colorsys).__name__, hasattr(colorsys, "__wrapped__"), "rgb_to_hsv" in vars(colorsys)
value = colorsys.rgb_to_hsv(0, 0, 1)[2]
print(*waits, value, type(colorsys).__name__)
try:
    import no_such_module
except ModuleNotFoundError as problem:
    print(problem)
"""
_VALIDATES = """
import sys
from ingestion.processes.lean import import_later

import_later("altair", "scipy.stats")
import great_expectations
import inspect

inspect.getmodule(inspect.currentframe())
print("scipy.stats._stats_py" in sys.modules, "altair.vegalite" in sys.modules)
"""

_CHECKS = """
import multiprocessing.resource_tracker as tracker
import threading

import duckdb

from dagster_project.marts.landing_checks import validate_landed

con = duckdb.connect()
con.execute("CREATE SCHEMA landed")
con.execute("CREATE TABLE landed.ledger AS SELECT 'c' AS component, 'accepted' AS outcome, 1 AS items")
found = validate_landed(con, "ledger")
names = [type(t).__name__ for t in threading.enumerate()]
print(found.is_passed, tracker._resource_tracker._pid, "TMonitor" in names)
"""


def _says(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.splitlines()


def test_a_module_named_by_a_library_waits_until_its_content_is_used() -> None:
    assert _says(_ASKS) == ["_Waiting False False 1 module", "No module named 'no_such_module'"]


def test_great_expectations_asks_nothing_of_what_it_imports_for_others() -> None:
    assert _says(_VALIDATES) == ["False False"]


def test_a_check_of_what_landed_takes_no_process_and_no_thread_for_its_progress() -> None:
    assert _says(_CHECKS) == ["True None False"]

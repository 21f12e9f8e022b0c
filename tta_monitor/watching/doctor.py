"""Checks of the machine and the data home, each with its fix."""

import contextlib
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ingestion.settings import Settings
from live_tail.alerts.desk.site_files import SITE_FILES, wrong_files
from privacy.disk.sqlite_databases import open_to_read
from privacy.keys.key_store import KeyProblem, KeyStore
from tta_monitor.console.problems import Problem
from tta_monitor.running import supervise
from tta_monitor.watching import batch_health

_MIN_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Diagnosis:
    """One finding: ok, warn or fail."""

    name: str
    level: str
    message: str


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """All findings in the order a person would check."""
    for name, check in _CHECKS.items():
        level, message = check(settings)
        yield Diagnosis(name, level, message)
    yield from _site_files(settings)


def _python(_: Settings) -> tuple[str, str]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info < (3, 14):
        return "ok", version
    return "fail", f"{version}: use Python 3.11 to 3.13"


def _home(settings: Settings) -> tuple[str, str]:
    if not settings.home.exists():
        return "warn", f"{settings.home} does not exist yet: `./tta.sh monitor up` creates it"
    probe = settings.home / ".probe"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return (
            "fail",
            f"{settings.home} cannot be written ({error.strerror}): correct its owner or choose --home",
        )
    if settings.home.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return "warn", f"{settings.home} is open to other users: run `chmod 700 {settings.home}`"
    return "ok", str(settings.home)


def _keys(settings: Settings) -> tuple[str, str]:
    if not settings.home.exists():
        return "warn", "no data home yet"
    try:
        KeyStore.open(settings.home)
    except KeyProblem as problem:
        return "fail", str(problem)
    return "ok", "the key opens this home"


def _site_files(settings: Settings) -> Iterator[Diagnosis]:
    """A finding for each file of the site that is not taken; one when all are right."""
    problems = wrong_files(settings)
    if not problems:
        yield Diagnosis("site files", "ok", f"{', '.join(SITE_FILES)} are right or not there")
    for name, problem in problems.items():
        yield Diagnosis(name, "fail", problem)


def _sign_in(settings: Settings) -> tuple[str, str]:
    access = settings.access
    if not access.oidc.issuer:
        return "ok", "local accounts" if access.sign_in == "local" else "off: everybody is admin"
    return "ok", f"local accounts and {access.oidc.issuer}"


def _disk(settings: Settings) -> tuple[str, str]:
    folder = settings.home if settings.home.exists() else settings.home.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GiB free"
    return ("ok", text) if free > _MIN_FREE_BYTES else ("warn", f"{text}: free some space")


def _clock(_: Settings) -> tuple[str, str]:
    if time.time() < 1_750_000_000:
        return "fail", "the clock is years behind: set it, or days and keys will be wrong"
    return "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())


def _spool(settings: Settings) -> tuple[str, str]:
    if not settings.spool_path.exists():
        return "warn", "no spool yet: nothing was received"
    try:
        with contextlib.closing(open_to_read(settings.spool_path)) as db:
            answer = db.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        return "fail", f"the spool cannot be read ({error}): stop everything and restore a backup"
    return (
        ("ok", "intact") if answer == "ok" else ("fail", "the spool is damaged: restore a backup")
    )


def _batch(settings: Settings) -> tuple[str, str]:
    try:
        states = supervise.states(settings)
    except Problem:
        states = []
    wrong = batch_health.problems(settings, states)
    return ("fail", " ".join(wrong)) if wrong else ("ok", batch_health.latest(settings))


def _crypto(_: Settings) -> tuple[str, str]:
    import duckdb

    from ingestion.lake.duck import connect

    try:
        connect().close()
    except (duckdb.Error, ImportError) as error:
        return (
            "fail",
            f"DuckDB cannot load its crypto module ({type(error).__name__}): run `make up` again",
        )
    return "ok", f"DuckDB {duckdb.__version__} encrypts"


_CHECKS: dict[str, Callable[[Settings], tuple[str, str]]] = {
    "python": _python,
    "home": _home,
    "keys": _keys,
    "sign-in": _sign_in,
    "disk": _disk,
    "clock": _clock,
    "spool": _spool,
    "batch": _batch,
    "encryption": _crypto,
}

"""The parsed dbt project: made once for a home, kept inside it, made anew when it is wrong.

Here: one file `<home>/dagster/manifest/<digest>.json`, named after the files and the dbt that it was
parsed from. Not here: running models (`defs/dbt_models`). The checkout is only read. Processes that
begin in the same moment wait for the first of them; a file that does not read as a manifest, or that
belongs to other sources, is never taken.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster_project.marts.warehouse import DBT_PROJECT, profile_environment
from ingestion.meaning.names import dbt_variables
from ingestion.settings import Settings
from privacy.disk.files import write_whole
from privacy.disk.locks import locked

Manifest = dict[str, Any]
_ROOT = Path(__file__).resolve().parents[2]
_NEEDED = ("metadata", "nodes", "sources", "macros", "parent_map", "child_map", "unit_tests")
_PARSED_BY = ("dbt-core", "dbt-duckdb")
_SOURCES = ("models", "macros", "tests", "seeds", "snapshots", "analyses")


class ManifestProblem(Exception):
    """The dbt project does not parse; the message says what to do."""


def target_folder(settings: Settings) -> Path:
    """Where dbt writes what it makes, its logs included."""
    return settings.home / "dagster" / "dbt"


def ensure_manifest(
    settings: Settings, parse: Callable[[Settings], Path] | None = None
) -> Manifest:
    """The manifest of the dbt project as it is now; raises ManifestProblem."""
    path = manifest_path(settings)
    found = read_manifest(path)
    if found is not None:
        return found
    with locked(path.parent / ".lock"):
        found = read_manifest(path)
        if found is not None:
            return found
        made = (parse or _parse)(settings)
        found = read_manifest(made)
        if found is None:
            raise ManifestProblem("dbt parsed the project and left no readable manifest.")
        write_whole(path, made.read_bytes())
        _forget_others(path)
    return found


def manifest_path(settings: Settings) -> Path:
    """The file that belongs to the sources and the dbt of this moment."""
    return settings.home / "dagster" / "manifest" / f"{digest()}.json"


def digest(project: Path = DBT_PROJECT) -> str:
    """Changes with any source of the dbt project, its variables and dbt's version; times do not count."""
    summed = hashlib.sha256()
    summed.update(dbt_variables().encode())
    for package in _PARSED_BY:
        summed.update(f"{package}={version(package)}\0".encode())
    folders = (project / name for name in _SOURCES)
    files = [*project.glob("*.yml"), *(f for d in folders for f in d.rglob("*") if f.is_file())]
    for file in sorted(files):
        content = file.read_bytes()
        summed.update(f"{file.relative_to(project)}\0{len(content)}\0".encode())
        summed.update(content)
    return summed.hexdigest()[:32]


def read_manifest(path: Path) -> Manifest | None:
    """A manifest, or None when the file is missing, torn or something else."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    is_whole = isinstance(found, dict) and all(key in found for key in _NEEDED)
    return found if is_whole and found["nodes"] else None


def _parse(settings: Settings) -> Path:
    """dbt reads the project in a process of its own: what parsing leaves behind in memory ends with it."""
    target = target_folder(settings)
    # What a killed dbt left half-written would stop this one as well.
    for name in ("manifest.json", "partial_parse.msgpack"):
        (target / name).unlink(missing_ok=True)
    environment = profile_environment(settings, is_full_refresh=False)
    command = [sys.executable, "-m", "dagster_project.marts.dbt_parse", str(target)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, cwd=_ROOT, capture_output=True, check=False
    )
    if done.returncode:
        raise ManifestProblem("the dbt project does not parse: run `make check`, which shows why")
    return target / "manifest.json"


def _forget_others(path: Path) -> None:
    for other in path.parent.glob("*.json"):
        if other != path:
            with contextlib.suppress(FileNotFoundError):
                other.unlink()

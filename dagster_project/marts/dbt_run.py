"""dbt in this process: its imports are paid once, and its connection is closed afterwards.

Here: one invocation and the results of its nodes. Not here: what they mean to Dagster
(`defs/dbt_models`), the environment dbt needs (`warehouse`), its words (`dbt_words`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.marts.dbt_words import told, without_words
from dagster_project.marts.warehouse import DBT_PROJECT, without_key
from ingestion.meaning.names import dbt_variables

_GOOD = frozenset({"success", "pass"})
_WARNED = "warn"
_read: dict[str, Any] = {}
"""Parsed projects by what a fact means in them."""


@dataclass(frozen=True)
class MartTests:
    """The tests that looked at a model, and the names of those that failed and that warned."""

    count: int = 0
    failed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


@dataclass(frozen=True)
class DbtRun:
    """What an invocation did: `models` are seconds by model that was built, `tests` what looked at a
    model, `units` how each unit test ended, `failures` are lines that quote nothing."""

    succeeded: bool
    models: Mapping[str, float] = field(default_factory=dict)
    tests: Mapping[str, MartTests] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


def run_dbt(arguments: Sequence[str], target: Path) -> DbtRun:
    """Run dbt over the project; what it writes goes to `target`, which is made.

    The environment that `dbt_environment` describes must be set. One invocation at a time: dbt keeps
    its flags and its adapter in the process. The project is read once for each process, before the
    key is in the environment: dbt parses all of it anew when anything that its profile says has changed.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds to import

    options = _options(target)
    with without_words():
        try:
            with without_key():
                manifest = _parsed(target).deepcopy()
            done = dbtRunner(manifest=manifest).invoke([*arguments, *options, "--no-write-json"])
        finally:
            # Else the warehouse stays open in this process, and nobody else could open it.
            DuckDBConnectionManager.close_all_connections()
    results: Any = getattr(done.result, "results", ())
    return DbtRun(
        bool(done.success),
        {r.node.name: r.execution_time for r in _of_kind(results, "model") if r.status in _GOOD},
        _by_model(_of_kind(results, "test")),
        {r.node.name: str(r.status) for r in _of_kind(results, "unit_test")},
        tuple(told(results)) or ((_kind(done.exception),) if done.exception else ()),
    )


def parse_project(target: Path) -> Path:
    """Parse the project, unless this process has; returns the manifest's file. Raises RuntimeError."""
    with without_words(), without_key():
        parsed = _parsed(target)
    path = target / "manifest.json"
    parsed.writable_manifest().write(str(path))
    return path


def _options(target: Path) -> tuple[str, ...]:
    target.mkdir(parents=True, exist_ok=True)
    places = ("--project-dir", DBT_PROJECT, "--profiles-dir", DBT_PROJECT, "--target-path", target)
    meant = ("--vars", dbt_variables())
    quiet = ("--log-level", "none", "--log-level-file", "none", "--log-path", target / "logs")
    return (*(str(part) for part in (*places, *meant, *quiet)), "--no-use-colors", "--no-print")


def _parsed(target: Path) -> Any:
    """The project as this process read it first: what it says is the same for every home."""
    meant = dbt_variables()
    if meant not in _read:
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds to import

        done = dbtRunner().invoke(["parse", *_options(target), "--no-write-json"])
        if not done.success:
            raise RuntimeError("the dbt project does not parse: run `make check`, which shows why")
        _read[meant] = done.result
    return _read[meant]


def _kind(error: BaseException) -> str:
    return f"dbt stopped: {type(error).__name__}"


def _by_model(tests: Sequence[Any]) -> dict[str, MartTests]:
    found: dict[str, MartTests] = {}
    for result in tests:
        for parent in result.node.depends_on.nodes:
            name = parent.rpartition(".")[2]
            before = found.get(name, MartTests())
            named = (result.node.name,)
            is_warned = result.status == _WARNED
            failed = () if is_warned or result.status in _GOOD else named
            found[name] = MartTests(
                before.count + 1,
                before.failed + failed,
                before.warned + (named if is_warned else ()),
            )
    return found


def _of_kind(results: Sequence[Any], kind: str) -> list[Any]:
    return [r for r in results if str(r.node.resource_type) == kind]

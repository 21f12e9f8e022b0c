"""dbt in this process: its imports are paid once, and its connection is closed afterwards.

Here: one invocation and the results of its nodes as dbt's own events. Not here: what they mean to
Dagster (`defs/dbt_models`), the environment dbt needs (`warehouse`), its words (`dbt_words`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from dagster_project.warehouse import DBT_PROJECT

_RESULTS = frozenset({"LogModelResult", "LogTestResult"})


@dataclass(frozen=True)
class DbtRun:
    """What an invocation did: `events` are results of nodes, as dbt's structured log has them."""

    succeeded: bool
    events: tuple[dict[str, Any], ...]
    error: BaseException | None


def run_dbt(arguments: Sequence[str], target: Path) -> DbtRun:
    """Run dbt over the project; everything it writes goes to `target`, which is made.

    The environment that `dbt_environment` describes must be set. One invocation at a time: dbt keeps
    its flags and its adapter in the process.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds to import

    events: list[dict[str, Any]] = []

    def keep(event: Any) -> None:
        if event.info.name in _RESULTS:
            events.append(MessageToDict(event, preserving_proto_field_name=True))

    target.mkdir(parents=True, exist_ok=True)
    places = ("--project-dir", DBT_PROJECT, "--profiles-dir", DBT_PROJECT, "--target-path", target)
    quiet = ("--log-level", "none", "--log-level-file", "none", "--log-path", target / "logs")
    try:
        done = dbtRunner(callbacks=[keep]).invoke(
            [
                *arguments,
                *(str(part) for part in (*places, *quiet)),
                "--no-use-colors",
                "--no-print",
            ]
        )
    finally:
        # Else the warehouse stays open in this process, and nobody else could open it.
        DuckDBConnectionManager.close_all_connections()
    return DbtRun(bool(done.success), tuple(events), done.exception)

"""A dbt-duckdb plugin, loaded by `dbt/profiles.yml`: prepares each of dbt's connections.

Here: nothing but the hook. Not here: what dbt sees of the lake (`landed`). Keys go to the connection
from Python, never through SQL that dbt logs.
"""

import os
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from dagster_project.marts.landed import open_landed
from dagster_project.marts.warehouse import FULL_REFRESH
from ingestion.lake.duck import prepare
from ingestion.settings import load_settings


class Plugin(BasePlugin):
    """Prepares each of dbt's connections."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Remember whether everything is read again: of what a profile says dbt parses all anew."""
        self._is_full_refresh = os.environ.get(FULL_REFRESH) == "1"

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Create schema `landed` in the in-memory database."""
        prepare(conn)
        # What a mart gains lies in memory until then, a quarter of a megabyte for each of its columns.
        conn.execute("SET wal_autocheckpoint = '256KB'")
        open_landed(conn, load_settings(), is_full_refresh=self._is_full_refresh)

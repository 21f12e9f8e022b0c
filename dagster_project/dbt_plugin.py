"""What dbt sees of the lake: plain views over the files that await a build.

A dbt-duckdb plugin, loaded by `dbt/profiles.yml` in dbt's own process. Here: the crypto module, the
day keys and the views of schema `memory.landed`. Not here: models (`dbt/`), the catalog
(`ingestion/catalog`). Keys go to the connection from Python, never through SQL that dbt logs.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from ingestion.catalog import Catalog, DirtyHour, LakeFile
from ingestion.contracts import LANDED
from ingestion.duck import add_file_keys, prepare
from ingestion.errors.batch import error_rows, hours_to_count
from ingestion.errors.grouping import load_site
from ingestion.errors.store import ErrorStore
from ingestion.lake import empty_select, scan
from ingestion.settings import Settings, load_settings
from privacy.keys import KeyStore


class Plugin(BasePlugin):
    """Prepares each of dbt's connections."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Remember whether everything is read again."""
        self._is_full_refresh = str(plugin_config.get("full_refresh", "")) == "1"

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Create schema `landed` in the in-memory database."""
        prepare(conn)
        open_landed(conn, load_settings(), is_full_refresh=self._is_full_refresh)


def open_landed(
    con: DuckDBPyConnection, settings: Settings, *, is_full_refresh: bool
) -> list[DirtyHour]:
    """Views `landed.<signal>` and table `landed.dirty_hours`; returns the hours they cover.

    `landed.metric_points_context` also reaches one hour back: a cumulative counter needs the point
    before the first one.
    """
    keys = KeyStore.open(settings.home)
    catalog = Catalog(settings.lake_path)
    hours = _all_hours(catalog) if is_full_refresh else catalog.dirty_hours()
    con.execute("CREATE SCHEMA IF NOT EXISTS landed")
    for signal in LANDED:
        wanted = [h.hour_at for h in hours if h.signal == signal]
        files = catalog.files(signal, wanted)
        _create_view(con, settings, keys, name=signal, files=files, signal=signal)
        if signal == "metric_points":
            before = [hour - timedelta(hours=1) for hour in wanted]
            files = catalog.files(signal, sorted({*wanted, *before}))
            name = "metric_points_context"
            _create_view(con, settings, keys, name=name, files=files, signal=signal)
    table = pa.table(
        {
            "signal": pa.array([h.signal for h in hours], pa.string()),
            "hour_at": pa.array([h.hour_at for h in hours], pa.timestamp("us")),
        }
    )
    con.register("dirty_hours_now", table)
    con.execute("CREATE OR REPLACE TABLE landed.dirty_hours AS SELECT * FROM dirty_hours_now")
    con.unregister("dirty_hours_now")
    _open_errors(con, settings, keys, catalog, hours)
    catalog.close()
    return hours


def _open_errors(
    con: DuckDBPyConnection,
    settings: Settings,
    keys: KeyStore,
    catalog: Catalog,
    hours: list[DirtyHour],
) -> None:
    """Tables `landed.error_occurrences`, `error_hours` and `error_states`; errors grouped as live.

    A rule by hand or a version that the marts were not built with reopens every hour.
    """
    store = ErrorStore(settings.home, keys)
    version, rules = settings.errors.grouping_version, store.hand_rules()
    if store.rules_to_build(version) != store.built_rules():
        hours = _all_hours(catalog)
    by_signal = {s: [h.hour_at for h in hours if h.signal == s] for s in ("spans", "logs")}
    wanted = hours_to_count(by_signal["spans"], by_signal["logs"])
    before = [hour - timedelta(hours=1) for hour in wanted]
    for signal, needed in (("spans", sorted({*wanted, *before})), ("logs", wanted)):
        files = catalog.files(signal, needed)
        _create_view(con, settings, keys, name=f"error_{signal}", files=files, signal=signal)
    site = load_site(settings.home / "errors.yaml")
    now = datetime.now(UTC).replace(tzinfo=None)
    records = store.groups()
    tables = {
        "error_occurrences": error_rows(con, wanted, site=site, rules=rules, version=version),
        "error_hours": pa.table({"hour_at": pa.array(wanted, pa.timestamp("us"))}),
        "error_states": pa.table(
            {
                "group_key": pa.array([r.key for r in records], pa.string()),
                "state": pa.array([r.state(now).value for r in records], pa.string()),
                "resolved_in": pa.array([r.resolved_in for r in records], pa.string()),
            }
        ),
    }
    for name, table in tables.items():
        con.register("errors_now", table)
        con.execute(f"CREATE OR REPLACE TABLE landed.{name} AS SELECT * FROM errors_now")
        con.unregister("errors_now")


def _create_view(
    con: DuckDBPyConnection,
    settings: Settings,
    keys: KeyStore,
    *,
    name: str,
    files: list[LakeFile],
    signal: str,
) -> None:
    add_file_keys(con, keys, files)
    select = scan(settings, files) if files else empty_select(signal)
    con.execute(f"CREATE OR REPLACE VIEW landed.{name} AS {select}")


def _all_hours(catalog: Catalog) -> list[DirtyHour]:
    hours = {(f.signal, f.hour_at) for signal in LANDED for f in catalog.files(signal)}
    return [DirtyHour(signal, hour_at, 0) for signal, hour_at in sorted(hours)]

"""A small published copy: tables made by SQL, sealed as the real one, without a pass.

Not here: the whole capture, built (`built` of `conftest`).
"""

from collections.abc import Mapping

from ingestion.lake.duck import attach, connect, published_dataset
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore, utc_today

REQUESTS = """
    SELECT TIMESTAMP '2026-03-01 11:00:00' + INTERVAL (i) MINUTE AS minute_at,
        CASE i % 2 WHEN 0 THEN 'api' ELSE 'web' END AS component, '/a' AS route, 'GET' AS method,
        '1.0' AS version, 'test' AS environment, '2xx' AS status_class,
        (i + 1)::BIGINT AS request_count, (i % 5 = 0)::BIGINT AS error_count,
        250.0 AS duration_ms_max, MAP {230: (i + 1)::BIGINT} AS latency_histogram
    FROM range(60) AS r (i)"""


def publish(settings: Settings, audience: str, tables: Mapping[str, str]) -> None:
    """Replace the copy of an audience by one with these tables."""
    keys = KeyStore.open(settings.home)
    path = settings.published_path(audience)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with connect() as con:
        attach(con, path, "published", keys.data_key(published_dataset(audience), utc_today()))
        con.execute("CREATE SCHEMA published.marts")
        for name, sql in tables.items():
            con.execute(f"CREATE TABLE published.marts.{name} AS {sql}")

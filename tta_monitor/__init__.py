"""The front door: the command line, process supervision, replay, the simulator and a small API.

What belongs here: what a person or a script starts. What does not: receiving (`ingestion/`), live
state (`live_tail/`), batches (`dagster_project/`), pages (`streamlit_app/`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


class Monitor:
    """A data home as seen by a notebook or a script: published marts and live queries, read-only."""

    def __init__(self, home: Path | str | None = None) -> None:
        from ingestion.settings import load_settings

        self._settings = load_settings(Path(home) if home else None)

    def query(self, sql: str, *, audience: str = "operations") -> "pl.DataFrame":
        """The result of a query over the published marts; raises NotPublished before a build."""
        from ingestion.lake.duck import open_published

        con = open_published(self._settings, audience)
        try:
            return con.execute(sql).pl()
        finally:
            con.close()

    def live(self, name: str, **parameters: int | str) -> "pl.DataFrame":
        """The rows of a named live query; raises LiveUnavailable when nothing runs."""
        import polars as pl

        from live_tail.http.client import LiveClient

        return pl.DataFrame(LiveClient.of(self._settings).query(name, **parameters).rows)

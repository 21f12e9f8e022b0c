"""The data home as a Dagster resource: what assets, checks, schedules and sensors are handed of it.

Here: settings, keys, clock, lake and the lock of the one writer, of one home. Not here: what is done with
them; which home it is (`dagster_project/definitions`). Each run and each tick gets one anew, so that it
sees the settings that hold when it begins, and the same ones to its end.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import dagster as dg
from duckdb import DuckDBPyConnection

from dagster_project.marts.landed import open_landed
from dagster_project.marts.warehouse import writer_lock
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import connect
from ingestion.settings import Settings, load_settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore


@dataclass(frozen=True)
class Home:
    """One data home. Nothing is read before it is asked for: what is wrong fails the step that needs it,
    which tells why, and not the run before its first step.
    """

    read: Callable[[], Settings] = load_settings
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def settings(self) -> Settings:
        """Its settings; raises SettingsProblem."""
        return self.read()

    def keys(self) -> KeyStore:
        """Its keys, opened anew: they may be rotated during a run. Raises KeyProblem."""
        return KeyStore.open(self.settings.home)

    def now(self) -> datetime:
        """The time, UTC without zone."""
        return self.clock().astimezone(UTC).replace(tzinfo=None)

    def writing(self, progress: Callable[[str], None]) -> AbstractContextManager[None]:
        """The lock of the one writer; tells `progress` when it has to wait."""
        return writer_lock(self.settings, progress)

    def catalog(self) -> Catalog:
        """What the lake holds; to be closed."""
        return Catalog(self.settings.lake_path)

    @contextmanager
    def landed(self) -> Iterator[DuckDBPyConnection]:
        """A connection in which schema `landed` is what the next build sees; raises KeyProblem."""
        with closing(connect()) as con:
            open_landed(con, self.settings, is_full_refresh=False)
            yield con

    def audit_log(self) -> AbstractContextManager[AuditLog]:
        """Its audit log, closed at the end of the block."""
        return closing(AuditLog(self.settings.home, self.keys()))


InHome = dg.ResourceParam[Home]
"""How a definition asks for it: `home: InHome`."""

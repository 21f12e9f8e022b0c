"""Dagster's event log on connections that stay open.

Here: one change to Dagster's own SQLite storage. It makes an engine, a connection and several commits
that wait for the disk for each of a pass's hundreds of events: most of what a pass cost. Events are a
record for people; a power cut may take the last of them. Not here: `dagster.yaml` (`dagster_home`).
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

_OPEN = 4


class EventStorage(SqliteEventLogStorage):
    """SqliteEventLogStorage that keeps the latest shards open; `_db_lock` lets one thread in."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "EventStorage":
        """Made by Dagster from `dagster.yaml`: `base_dir` is the folder of its files."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def _engines(self) -> "OrderedDict[str, Engine]":
        return self.__dict__.setdefault("_open_engines", OrderedDict())

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.get(shard)
        if engine is None:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": 60, "check_same_thread": False},
            )
            event.listen(engine, "connect", _lightly)
            self._engines[shard] = engine
        self._engines.move_to_end(shard)
        while len(self._engines) > _OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def dispose(self) -> None:
        """Close what is open."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _lightly(connection: "object", _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]

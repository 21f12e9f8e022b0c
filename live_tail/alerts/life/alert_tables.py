"""The alerts' tables in `state.db`: one connection of one process (or thread), records sealed.

Here: the schema and the connection that everything about alerts shares, so that one transaction can hold
it all. Not here: what lies in the tables (`store`, `outbox`, `untold`).
"""

from datetime import datetime
from pathlib import Path

from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect


class Tables:
    """One connection to the alerts' tables, and what seals their records."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self.db = connect(home)
        self.sealer = Sealer(keys, "alerts")

    def version(self) -> int:
        """A number that is another one once another connection has written; asking costs nothing."""
        return self.db.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        """Close the connection."""
        self.db.close()


def microseconds(moment: datetime) -> int:
    """A moment as the tables keep it: microseconds since 1970."""
    return int(moment.timestamp() * 1e6)

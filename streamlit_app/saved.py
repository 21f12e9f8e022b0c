"""What people keep in the app: views under a name, and notes at moments of time.

Here: two tables of `state.db` (`privacy/keys/state_tables`), sealed; what a text or an address becomes
before it is written. Not here: who may (`actions/saved`), drawing (`components/header/saved_menu`). Names
and notes are typed, and an address may hold words that were: all pass the gate's treatments, and what
it masks stays masked.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from privacy.disk.sqlite_databases import transaction
from privacy.gate.apart import treated
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect
from streamlit_app.saved_sql import Piece, pieces, quoted
from streamlit_app.view import DETAILS, FILTERS, moment

Treat = Callable[[Sequence[tuple[str, str]]], list[str]]
_PAGE = re.compile(r"[a-z_]{1,30}\Z")
_ID = re.compile(r"[A-Za-z0-9:_.\-]{1,80}\Z")
_OF_RANGE = ("range", "from", "to", "tz", "compare")
_OF_PAGE = ("sort", "all", "part", "mart", "measure", "how", "by", "over", "of", *DETAILS)
_PLAIN = re.compile(r"[A-Za-z0-9/+_:.\- ]{1,60}")
_LONGEST = 120
MOST = 200
"""Views and notes of one person; a full store is told, not cut."""


class SavedProblem(ValueError):
    """Something cannot be kept; the message says why and what to do."""


@dataclass(frozen=True)
class SavedView:
    """A page with its address (query without `?`) under a name."""

    id: str
    owner: str
    is_shared: bool
    name: str
    page: str
    query: str


@dataclass(frozen=True)
class Annotation:
    """Something that happened at a moment (UTC, aware), as somebody noted it."""

    id: str
    owner: str
    at: datetime
    words: str


class SavedStore:
    """One connection; threads of the app share it. `treat` is what the gate does to typed texts."""

    def __init__(self, home: Path, keys: KeyStore, treat: Treat = treated) -> None:
        self._treat = treat
        self._db = connect(home)
        self._sealer = Sealer(keys, "saved")

    def views(self, owner: str) -> list[SavedView]:
        """Somebody's own views and all shared ones, by name."""
        rows = self._db.execute(
            "SELECT id, owner, is_shared, sealed FROM saved_views WHERE owner = ? OR is_shared",
            (owner,),
        ).fetchall()
        found = [
            SavedView(i, who, bool(shared), **self._sealer.open(i, sealed))
            for i, who, shared, sealed in rows
        ]
        return sorted(found, key=lambda one: one.name.lower())

    def keep_view(
        self, owner: str, name: str, page: str, params: Mapping[str, str], *, is_shared: bool
    ) -> SavedView:
        """Keep a page with its parameters. Raises SavedProblem."""
        words = _checked(name, "the name")
        if not _PAGE.match(page):
            raise SavedProblem("this page has no address of its own: open it from the navigation.")
        self._ask_for_room("saved_views", owner)
        kept = kept_params(params)
        texts = [one for parts in kept.values() for one in parts if isinstance(one, tuple)]
        words, *values = self._treat([("scrub", words), *texts])
        query = urlencode(_joined(kept, values))
        made = SavedView(secrets.token_hex(8), owner, is_shared, words, page, query)
        record = {"name": made.name, "page": made.page, "query": made.query}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO saved_views (id, owner, is_shared, at, sealed) VALUES (?, ?, ?, ?, ?)",
                (made.id, owner, int(is_shared), now, self._sealer.seal(made.id, record)),
            )
        return made

    def annotations(self, start_at: datetime, end_at: datetime) -> list[Annotation]:
        """Notes of everybody from a moment to another, the earliest first."""
        rows = self._db.execute(
            "SELECT id, owner, at, sealed FROM annotations WHERE at BETWEEN ? AND ? ORDER BY at",
            (_stored(start_at), _stored(end_at)),
        ).fetchall()
        return [
            Annotation(i, who, datetime.fromisoformat(at), self._sealer.open(i, sealed)["words"])
            for i, who, at, sealed in rows
        ]

    def annotate(self, owner: str, at: datetime, words: str) -> Annotation:
        """Note what happened at a moment. Raises SavedProblem."""
        self._ask_for_room("annotations", owner)
        (kept,) = self._treat([("scrub", _checked(words, "the note"))])
        made = Annotation(secrets.token_hex(8), owner, at, kept)
        sealed = self._sealer.seal(made.id, {"words": made.words})
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO annotations (id, owner, at, sealed) VALUES (?, ?, ?, ?)",
                (made.id, owner, _stored(at), sealed),
            )
        return made

    def forget(self, kind: str, id_: str, owner: str, *, anybodys: bool = False) -> bool:
        """Remove a view (`saved_views`) or a note (`annotations`), one's own or anybody's.

        Whether it was there.
        """
        table = {"saved_views": "saved_views", "annotations": "annotations"}[kind]
        with transaction(self._db):
            done = self._db.execute(
                f"DELETE FROM {table} WHERE id = ? AND (owner = ? OR ?)", (id_, owner, anybodys)
            )
        return done.rowcount > 0

    def _ask_for_room(self, table: str, owner: str) -> None:
        (count,) = self._db.execute(
            f"SELECT count(*) FROM {table} WHERE owner = ?", (owner,)
        ).fetchone()
        if count >= MOST:
            raise SavedProblem(f"you keep {MOST} of these already: remove some first.")


def kept_params(params: Mapping[str, str]) -> dict[str, list[Piece]]:
    """The parameters that are kept, in pieces: ranges and ids as they are, others as (treatment, text)."""
    kept: dict[str, list[Piece]] = {}
    for name, value in params.items():
        is_range = name in _OF_RANGE and (_PLAIN.fullmatch(value) or moment(value))
        is_id = name in _OF_PAGE and (_ID.match(value) or moment(value))
        if is_range or is_id:
            kept[name] = [value]
        elif name in FILTERS:
            kept[name] = [("scrub" if name == "route" else "service", value)]
        elif name == "q":
            kept[name] = [("scrub", value)]
        elif name == "only":
            column, sign, rest = value.partition(":")
            kept[name] = [("service", column), sign, ("service", rest)]
        elif name == "sql":
            kept[name] = pieces(value)
    return kept


def _joined(kept: Mapping[str, list[Piece]], values: Sequence[str]) -> dict[str, str]:
    """The parameters with what the gate made of each treated piece, in order."""
    rest = iter(values)
    return {
        name: "".join(
            one if isinstance(one, str) else quoted(next(rest)) if name == "sql" else next(rest)
            for one in parts
        )
        for name, parts in kept.items()
    }


def _checked(text: str, what: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise SavedProblem(f"{what} is empty: say in a few words what it is.")
    if len(words) > _LONGEST:
        raise SavedProblem(f"{what} is longer than {_LONGEST} characters: say it shorter.")
    return words


def _stored(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")

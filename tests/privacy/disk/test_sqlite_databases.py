"""Databases of a home: they move by one version in either direction, and nobody else makes a table."""

import ast
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.lake import catalog
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.spool import SCHEMA as SPOOL
from ingestion.spool import Receipt, Spool
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.outbox import DELIVERED, Outgoing
from live_tail.alerts.life.untold import Untold
from privacy.access.access_policy import Role
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.disk.sqlite_databases import (
    DatabaseProblem,
    Schema,
    Step,
    open_database,
    open_to_read,
    transaction,
    version_of,
)
from privacy.keys.key_store import KeyStore
from privacy.keys.state_tables import STATE
from privacy.release.release_ledger import ReleaseLedger
from privacy.retention import receipts
from tests.conftest import ROOT

SCHEMAS = {"state.db": STATE, "spool.db": SPOOL, "lake/catalog.db": catalog.SCHEMA}
_PACKAGES = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_PRAGMAS = {
    "state.db": {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "auto_vacuum": 0},
    "spool.db": {"journal_mode": "wal", "synchronous": 2, "auto_vacuum": 2},
    "lake/catalog.db": {"journal_mode": "wal", "synchronous": 2, "auto_vacuum": 0},
}
# What homes from before there was a number hold: the tables of the first versions, with a row.
_UNCOUNTED = {
    "state.db": """
        CREATE TABLE audit_entries (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, sealed BLOB NOT NULL, mac BLOB NOT NULL);
        INSERT INTO audit_entries VALUES (1, '2026-03-01', x'00', x'00');
        CREATE TABLE access_users (id TEXT PRIMARY KEY, name_key BLOB UNIQUE, sealed BLOB);
        INSERT INTO access_users VALUES ('user:u_1', x'01', x'02');
    """,
    "spool.db": """
        CREATE TABLE batches (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, signal TEXT NOT NULL,
            row_count INTEGER NOT NULL, received_us INTEGER NOT NULL, day TEXT NOT NULL,
            payload BLOB NOT NULL);
        INSERT INTO batches VALUES (7, 'u', 'logs', 3, 5, '2026-03-01', x'00');
        CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL);
        INSERT INTO cursors VALUES ('drain', 4);
    """,
    "lake/catalog.db": """
        CREATE TABLE files (
            path TEXT PRIMARY KEY, signal TEXT NOT NULL, hour_at TEXT NOT NULL,
            row_count INTEGER NOT NULL, byte_count INTEGER NOT NULL, plan INTEGER NOT NULL,
            digest TEXT NOT NULL);
        INSERT INTO files VALUES ('f', 'logs', '2026-03-01T00:00:00', 3, 9, 1, 'd');
        CREATE TABLE dirty_hours (
            signal TEXT NOT NULL, hour_at TEXT NOT NULL, generation INTEGER NOT NULL,
            PRIMARY KEY (signal, hour_at));
        INSERT INTO dirty_hours VALUES ('logs', '2026-03-01T00:00:00', 1);
    """,
}


@pytest.fixture(params=sorted(SCHEMAS))
def name(request: pytest.FixtureRequest) -> str:
    """Each database of a home."""
    return request.param


@pytest.fixture
def schema(name: str) -> Schema:
    return SCHEMAS[name]


@pytest.fixture
def path(name: str, tmp_path: Path) -> Path:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    return tmp_path / name


def columns_of(db: sqlite3.Connection) -> dict[str, list[tuple[str, ...]]]:
    """The columns of every table, index and trigger, in their order."""
    names = db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return {
        f"{kind} {of}": [row[1:4] for row in db.execute(f"PRAGMA table_info({of})")]
        for kind, of in names.fetchall()
    }


def layout(path: Path) -> dict[str, list[tuple[str, ...]]]:
    with closing(open_to_read(path)) as db:
        return columns_of(db)


def later(schema: Schema, count: int = 1) -> Schema:
    """What a later version may have made of a database: a table, and a column in each table."""
    with closing(open_database(Path(":memory:"), schema)) as db:
        tables = [of.split()[1] for of in columns_of(db) if of.startswith("table ")]
    step = Step(
        "CREATE TABLE IF NOT EXISTS later (id TEXT PRIMARY KEY, what TEXT);\n"
        "CREATE INDEX IF NOT EXISTS later_what ON later (what);\n",
        tuple((table, "later_told", "TEXT NOT NULL DEFAULT 'nothing'") for table in tables),
    )
    return replace(schema, steps=(*schema.steps, step, *[Step("")] * (count - 1)))


def test_a_database_is_opened_with_its_pragmas(name: str, path: Path, schema: Schema) -> None:
    with closing(open_database(path, schema)) as db:
        found = {p: db.execute(f"PRAGMA {p}").fetchone()[0] for p in _PRAGMAS[name]}
        assert found == _PRAGMAS[name]
        assert db.isolation_level is None
        assert version_of(db) == schema.version > 0


def test_a_home_from_before_there_was_a_number_is_taken_over_with_its_rows(
    name: str, path: Path, schema: Schema
) -> None:
    with closing(sqlite3.connect(path)) as before:
        before.executescript(_UNCOUNTED[name])
        tables = [of.split()[1] for of in columns_of(before) if of.startswith("table ")]
        rows = {t: before.execute(f"SELECT * FROM {t}").fetchone() for t in tables}
    with closing(open_database(path, schema)) as db:
        assert version_of(db) == schema.version
        for table, row in rows.items():
            found = db.execute(f"SELECT * FROM {table}").fetchone()
            assert found[: len(row)] == row
    fresh = path.with_name("fresh.db")
    open_database(fresh, schema).close()
    assert layout(path).keys() == layout(fresh).keys()
    assert {of: sorted(c) for of, c in layout(path).items()} == {
        of: sorted(c) for of, c in layout(fresh).items()
    }


def test_a_home_of_any_version_before_becomes_one_of_this_version(
    path: Path, schema: Schema
) -> None:
    for known in range(schema.version + 1):
        place = path.with_name(f"from_{known}.db")
        open_database(place, replace(schema, steps=schema.steps[:known])).close()
        open_database(place, schema).close()
        open_database(path, schema).close()
        assert layout(place) == layout(path)


def test_a_step_only_adds_so_that_the_version_before_finds_all_that_it_knows(
    path: Path, schema: Schema
) -> None:
    known: dict[str, list[tuple[str, ...]]] = {}
    for version in range(1, schema.version + 1):
        open_database(path, replace(schema, steps=schema.steps[:version])).close()
        found = layout(path)
        for of, columns in known.items():
            assert found[of][: len(columns)] == columns
        known = found


def test_a_home_that_is_one_version_ahead_is_opened_and_stays_ahead(
    path: Path, schema: Schema
) -> None:
    open_database(path, later(schema)).close()
    ahead = layout(path)
    with closing(open_database(path, schema)) as db:
        assert version_of(db) == schema.version + 1
    assert layout(path) == ahead
    with closing(open_database(path, later(schema))) as db:
        assert version_of(db) == schema.version + 1


def test_a_home_that_is_two_versions_ahead_is_refused_and_left(path: Path, schema: Schema) -> None:
    open_database(path, later(schema, 2)).close()
    ahead = layout(path)
    with pytest.raises(DatabaseProblem) as refused:
        open_database(path, schema)
    told = str(refused.value)
    assert str(path) in told and f"layout {schema.version + 2}" in told and "backup" in told
    assert layout(path) == ahead


def use_audit(home: Path, keys: KeyStore) -> None:
    with closing(AuditLog(home, keys)) as log:
        log.append(actor="user:u_1", action="access.sign_in")
        assert [entry.action for entry in log.entries()] == ["access.sign_in"]
        assert log.export_head().exists()


def use_accounts(home: Path, keys: KeyStore) -> None:
    accounts = Identities(home, keys, AuditLog(home, keys)).accounts
    accounts.add("ann", "correct horse battery staple", Role.OPERATOR, by="owner")
    assert [user.name for user in accounts.users()] == ["ann"]


def use_alerts(home: Path, keys: KeyStore) -> None:
    store = Store(home, keys)
    Untold(store.tables).mark_sent(3)
    outgoing = Outgoing("k", "s", "hook", datetime.resolution, {"a": 1})
    store.commit([], [], ({}, {}), [outgoing], datetime.now(UTC))
    store.outbox.mark("k", DELIVERED)
    assert [channel["name"] for channel in store.outbox.channels()] == ["hook"]


def use_receipts(home: Path, _: KeyStore) -> None:
    at = datetime(2026, 3, 1, 12)
    receipts.note_pass(home, at)
    assert receipts.last_pass(home) == at


def use_errors(home: Path, keys: KeyStore) -> None:
    store = ErrorStore(home, keys)
    store.note_built("mark")
    assert store.built_rules() == "mark"


def use_ledger(home: Path, keys: KeyStore) -> None:
    ledger = ReleaseLedger(home, keys)
    with ledger.lock():
        assert ledger.verify() == 0


def use_spool(home: Path, keys: KeyStore) -> None:
    with closing(Spool(home / "spool.db", keys)) as spool:
        rows = pa.table({"a": [1, 2]})
        seq = spool.append([("logs", rows)], [Receipt(b"d", "logs", {"api": 2})])
        assert spool.receipts([b"d"])[b"d"].items == {"api": 2}
        assert [batch.table() for batch in spool.read(0)] == [rows]
        spool.set_aside(seq, "0.0 because")
        assert spool.aside() == (1, 2)
        spool.mark_drained(seq)
        assert spool.take_back("0.1") == 1
        spool.mark_erased()
        assert spool.erasures() == 1 and spool.pending() == (1, 2)


def use_catalog(home: Path, _: KeyStore) -> None:
    with closing(Catalog(home / "lake")) as lake:
        hour = datetime(2026, 3, 1, 5)
        plan = lake.begin_plan(1, 2)
        file = LakeFile("f", "logs", hour, 2, 9, "d")
        lake.finish_plan(plan, [file])
        lake.note_scanned([file])
        lake.note_layout("marts", 2)
        assert lake.files("logs") == [replace(file, plan=plan.number)]
        assert lake.unscanned("logs") == [] and lake.layout("marts") == 2
        assert [dirty.hour_at for dirty in lake.dirty_hours()] == [hour]
        lake.forget([file])
        assert lake.purged("logs") == [hour]


@pytest.mark.parametrize(
    "use",
    [
        use_audit,
        use_accounts,
        use_alerts,
        use_receipts,
        use_errors,
        use_ledger,
        use_spool,
        use_catalog,
    ],
)
def test_everybody_works_in_a_home_that_is_one_version_ahead(
    use: Callable[[Path, KeyStore], None], tmp_path: Path
) -> None:
    keys = KeyStore.open(tmp_path, create=True)
    (tmp_path / "lake").mkdir()
    for name, schema in SCHEMAS.items():
        open_database(tmp_path / name, later(schema)).close()
    use(tmp_path, keys)


def test_what_was_dropped_is_made_again_so_that_others_go_on_and_the_loss_is_seen_by_its_owner(
    path: Path, schema: Schema
) -> None:
    open_database(path, schema).close()
    whole = layout(path)
    for of in whole:
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"DROP {of}")
        open_database(path, schema).close()
        assert layout(path) == whole


def test_every_statement_of_a_step_makes_what_is_not_there(schema: Schema) -> None:
    statements = [
        line for step in schema.steps for line in step.script.splitlines() if "CREATE " in line
    ]
    assert len(statements) == len(schema.names) > 0


def test_a_step_that_fails_leaves_nothing_behind(path: Path, schema: Schema) -> None:
    open_database(path, schema).close()
    before = layout(path)
    wrong = Step("CREATE TABLE half (a TEXT);\nCREATE TABLE half (a TEXT);\n")
    with pytest.raises(sqlite3.OperationalError, match="half"):
        open_database(path, replace(schema, steps=(*schema.steps, wrong)))
    assert layout(path) == before
    with closing(open_database(path, schema)) as db:
        assert version_of(db) == schema.version


def test_many_who_open_a_new_database_at_once_make_it_once(path: Path, schema: Schema) -> None:
    together, made = threading.Barrier(6), []

    def open_it() -> None:
        together.wait()
        with closing(open_database(path, schema)) as db:
            made.append(version_of(db))

    open_database(path, replace(schema, steps=())).close()
    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [schema.version] * 6


def test_a_commit_that_fails_leaves_no_open_transaction(tmp_path: Path) -> None:
    step = Step(
        "CREATE TABLE one (id INTEGER PRIMARY KEY);\n"
        "CREATE TABLE two (one INTEGER REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED);\n"
    )
    with closing(open_database(tmp_path / "a.db", Schema((step,), ("foreign_keys=ON",)))) as db:
        with pytest.raises(sqlite3.IntegrityError), transaction(db):
            db.execute("INSERT INTO two (one) VALUES (5)")
        assert not db.in_transaction
        with transaction(db):
            db.execute("INSERT INTO one (id) VALUES (5)")
        assert db.execute("SELECT count(*) FROM two").fetchone() == (0,)


def test_a_script_whose_last_statement_does_not_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not end"):
        open_database(tmp_path / "a.db", Schema((Step("CREATE TABLE one (id INTEGER)"),)))


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in _PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text())


def statements(tree: ast.Module) -> Iterator[str]:
    """Every text of a module; what an f-string puts in is `@`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(v.value if isinstance(v, ast.Constant) else "@" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_nobody_else_opens_a_database_and_each_has_its_tables_in_one_place() -> None:
    opening, schemas = set(), set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in {"sqlite3.connect", "sqlite3.Connection"}:
                opening.add(name)
            if called == "Schema":
                schemas.add(name)
    assert opening == {
        "privacy/disk/sqlite_databases.py",
        # Dagster's own databases, of which it removes what Dagster leaves.
        "dagster_project/process/run_history.py",
        # A made-up one, to see whether the leak scan reads what was deleted in it.
        "dagster_project/leaks/planted.py",
    }
    assert schemas == {
        "privacy/keys/state_tables.py",
        "ingestion/spool.py",
        "ingestion/lake/catalog.py",
    }


def test_nobody_else_makes_a_table_in_sqlite() -> None:
    making = re.compile(r"\b(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|TRIGGER)\b", re.IGNORECASE)
    found = {n for n, tree in sources() if any(making.search(text) for text in statements(tree))}
    # DuckDB: tables in memory, the warehouse and its published copies.
    in_duckdb = {
        "live_tail/window/error_groups.py",
        "live_tail/window/rows/evidence.py",
        "live_tail/window/minutes.py",
        "live_tail/window/rows/point_facts.py",
        "live_tail/window/window_tables.py",
        "dagster_project/marts/upgrade.py",
        "dagster_project/marts/warehouse.py",
    }
    made_up = {"dagster_project/leaks/planted.py"}  # planted in a folder of its own, and removed
    with_schema = {
        "privacy/keys/state_tables.py",
        "ingestion/spool.py",
        "ingestion/lake/catalog.py",
    }
    assert found - in_duckdb - made_up - with_schema - {"privacy/disk/sqlite_databases.py"} == set()


def test_every_insert_names_its_columns_because_a_later_version_may_have_more() -> None:
    tables: set[str] = set()
    for schema in SCHEMAS.values():
        with closing(open_database(Path(":memory:"), schema)) as db:
            tables |= {of.split()[1] for of in columns_of(db) if of.startswith("table ")}
    inserting = re.compile(r"\bINSERT(?:\s+OR\s+\w+)?\s+INTO\s+(\w+)\s*(\(?)", re.IGNORECASE)
    found = [
        (match[1], match[2], name)
        for name, tree in sources()
        for text in statements(tree)
        for match in inserting.finditer(text)
        if match[1] in tables
    ]
    assert {table for table, _, _ in found} == tables
    assert [place for place in found if place[1] != "("] == []


def test_the_owners_that_the_tables_of_the_state_name_exist() -> None:
    told = (ROOT / "privacy" / "keys" / "state_tables.py").read_text()
    owners = re.findall(r"`(\w+/[\w/]+)`", told.partition("from privacy")[2])
    assert len(owners) > 8
    assert [owner for owner in owners if not (ROOT / f"{owner}.py").is_file()] == []

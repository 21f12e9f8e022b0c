"""`privacy budget`: the statement in words, as a table and as JSON; a broken ledger is an error."""

import json
import sqlite3
from pathlib import Path

from typer.testing import CliRunner

from privacy.keys.key_store import KeyStore
from privacy.release import Period, PeriodKind
from tests.privacy.release.population import ROWS, gate_of, small
from tests.tta_monitor.test_cli import monitor
from tta_monitor.cli import app


def invoke(home: Path, *more: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home), "privacy", "budget", *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_home_that_released_nothing_has_spent_nothing(home: Path, keys: KeyStore) -> None:
    found = json.loads(invoke(home, "--json"))
    assert (found["spent"], found["budget"], found["ledger_entries"]) == (0, 6.3, 0)
    assert "ledger: 0 releases" in invoke(home)


def test_releases_are_listed_by_mart(home: Path, keys: KeyStore) -> None:
    gate_of(home).release(
        ROWS, small("weekly_players", PeriodKind.WEEK, 0.25), Period.parse("2026-W10")
    )
    assert "weekly_players" in invoke(home)
    found = json.loads(invoke(home, "--json"))
    assert found["most"] == 0.25 and found["marts"][0]["releases_ever"] == 1


def test_a_ledger_that_was_altered_ends_the_command_with_the_fix(
    home: Path, keys: KeyStore
) -> None:
    gate_of(home).release(ROWS, small("players", PeriodKind.WEEK, 0.2), Period.parse("2026-W10"))
    db = sqlite3.connect(home / "state.db")
    db.execute("DROP TRIGGER release_ledger_is_not_updated")
    db.execute("UPDATE release_ledger SET micro_epsilon = 1")
    db.commit()
    done = monitor("privacy", "budget", home=home)
    assert done.returncode == 1
    assert done.stderr.startswith("error: release ledger entry 1")
    assert "Traceback" not in done.stderr

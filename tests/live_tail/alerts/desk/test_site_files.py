"""Files of a site while the live tail runs: a wrong one is an alert that ends, a change is an entry."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from ingestion.settings import Settings
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.desk.site_files import SITE_FILES, SiteFiles, wrong_files
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.words.life_records import State
from privacy.audit.audit_log import AuditLog
from privacy.audit.file_changes import FileChanges
from privacy.keys.key_store import KeyStore
from tests.documents import quoted, rows, section, text
from tests.live_tail.alerts.support import round_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Paths that settings name and that nobody writes configuration into.
_NO_CONFIGURATION = {
    "home": "the home itself",
    "audit.heads_path": "a folder that is written to",
    "retention.archive_path": "a folder that is written to",
    "reports.deliver": "who receives which report, no file",
    "access.token_file": "read by commands alone, which say so themselves",
}


class Watching:
    """A home, what is looked at in it, and the log."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self.home, self.now_s = settings.home, 0.0
        self.log = AuditLog(settings.home, keys)
        self.keys, self.settings = keys, settings
        self.files = self.started_again()

    def started_again(self) -> SiteFiles:
        self.files = SiteFiles(self.settings, FileChanges(self.log, self.keys), lambda: self.now_s)
        return self.files

    def look(self) -> list[tuple[str, object]]:
        """Look, and say what entries that left: (file, how)."""
        before = self.log.head().seq
        self.now_s += 2
        self.files.look()
        found = [e for e in self.log.entries(action="config.change") if e.seq > before]
        return [(e.target, e.details["how"]) for e in reversed(found)]


@pytest.fixture
def watching(settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> Watching:
    monkeypatch.delenv("TTA_MONITOR_KEK", raising=False)
    return Watching(settings, keys)


def test_a_change_of_configuration_leaves_an_entry_whoever_made_it(watching: Watching) -> None:
    (watching.home / "config.yaml").write_text("live: {port: 4321}")
    assert watching.look() == [("config.yaml", "first_seen")]
    assert watching.look() == []
    (watching.home / "config.yaml").write_text("live: {port: 43210}")
    (watching.home / "rules").mkdir()
    (watching.home / "rules" / "own.yaml").write_text("rules: []")
    assert watching.look() == [("config.yaml", "changed"), ("rules/own.yaml", "added")]
    (watching.home / "config.yaml").unlink()
    assert watching.look() == [("config.yaml", "removed")]


def test_a_change_while_nothing_ran_is_found_at_the_next_start_and_only_then(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watching.home / "alerting.yaml").write_text("a: 1")
    watching.look()
    watching.started_again()
    assert watching.look() == []
    (watching.home / "alerting.yaml").write_text("a: 2")
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", "4399")
    watching.started_again()
    assert watching.look() == [("TTA_MONITOR_LIVE__PORT", "added"), ("alerting.yaml", "changed")]


def test_the_entry_of_a_change_holds_nothing_of_the_file(watching: Watching) -> None:
    (watching.home / "config.yaml").write_text("receiver: {tokens: {api: hunter2}}")
    watching.look()
    (entry,) = watching.log.entries(action="config.change")
    assert set(entry.details) == {"how", "digest"} and len(str(entry.details["digest"])) == 64


def test_a_wrong_file_is_an_alert_that_names_it_and_ends_when_it_is_right(
    watching: Watching,
) -> None:
    store = Store(watching.home, watching.keys)
    at = NOW
    manager = Manager(
        store,
        WatchedPolicy(watching.home),
        clock=lambda: at,
        wrong_files=lambda: watching.files.wrong,
    )

    def firing() -> list[str]:
        nonlocal at
        watching.look()
        at += timedelta(minutes=10)
        manager.take(round_at(at), {})
        return [
            f"{alert.rule} {dict(alert.labels).get('file', '')}".strip()
            for alert in manager.board.alerts()
            if alert.state is State.FIRING
        ]

    assert firing() == []
    (watching.home / "policy.yaml").write_text("attributes: {user.id: allow}")
    assert firing() == ["SiteFileInvalid policy.yaml"]
    (watching.home / "config.yaml").write_text("live: {prot: 1}")
    assert sorted(firing()) == ["SiteFileInvalid config.yaml", "SiteFileInvalid policy.yaml"]
    (watching.home / "policy.yaml").unlink()
    (watching.home / "config.yaml").write_text("live: {port: 4321}")
    (watching.home / "alerting.yaml").write_text("route: 7")
    assert firing() == ["AlertingPolicyInvalid"]
    (watching.home / "alerting.yaml").unlink()
    assert firing() == []


def test_what_a_file_names_is_looked_at_again_within_a_minute(
    watching: Watching, tmp_path: Path
) -> None:
    jobs = tmp_path / "prometheus.yml"
    (watching.home / "config.yaml").write_text(f"collectors: {{prometheus_config: {jobs}}}")
    watching.look()
    assert list(watching.files.wrong) == ["prometheus_config"]
    jobs.write_text("scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1']}]}]")
    watching.now_s += 60
    watching.look()
    assert watching.files.wrong == {}


def test_every_file_of_configuration_is_looked_at() -> None:
    named = {f"{section}.{name}".lstrip(".") for section, name in _paths(Settings)}
    looked_at = {"collectors.prometheus_config", "access.oidc.client_secret_file"}
    assert named == looked_at | set(_NO_CONFIGURATION)
    (yours,) = [
        r for r in rows(section(text("docs/operations.md"), "What is on disk")) if r[1] == "yours"
    ]
    in_home = {name.rstrip("/") for name in quoted(yours[0])}
    assert in_home | {name.rpartition(".")[2] for name in looked_at} == set(SITE_FILES)


def test_a_home_without_files_has_nothing_wrong(settings: Settings) -> None:
    assert wrong_files(settings) == {}


def _paths(model: type[BaseModel], place: str = "") -> list[tuple[str, str]]:
    found = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _paths(field.annotation, f"{place}.{name}".lstrip("."))
        elif "Path" in str(field.annotation):
            found.append((place, name))
    return found

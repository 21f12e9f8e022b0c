"""The gate that publishing opens spends this site's budget and tells the audit log."""

import pytest

from dagster_project.engagement.site_gate import release_gate
from ingestion.settings import Settings, load_settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.release import Period, PeriodKind, ReleaseRefused
from tests.privacy.release.population import ROWS, small

DAY = Period.parse("2026-03-02")


def test_a_release_and_a_refusal_are_entries_with_their_cost(
    settings: Settings, keys: KeyStore
) -> None:
    spec = small("daily_active_players", PeriodKind.DAY, 0.1)
    with release_gate(settings, keys) as gate:
        released = gate.release(ROWS, spec, DAY)
        with pytest.raises(ReleaseRefused, match="published already"):
            gate.release(ROWS, spec, DAY)
    refused, done = AuditLog(settings.home, keys).entries(action="release.publish")
    assert (done.outcome, done.target) == ("done", "daily_active_players/2026-03-02")
    assert done.details["epsilon"] == 0.1
    assert done.details["entry_digest"] == released.receipt.entry_digest
    assert (refused.outcome, refused.details["reason"]) == ("refused", "published")


def test_the_budget_and_the_mechanism_are_the_sites(
    keys: KeyStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTA_MONITOR_RELEASE__EPSILON_PER_28_DAYS", "0.15")
    chosen = load_settings(settings.home)
    with release_gate(chosen, keys) as gate:
        gate.release(ROWS, small("one", PeriodKind.DAY, 0.1), DAY)
        with pytest.raises(ReleaseRefused, match=r"of 0\.15 allowed per person"):
            gate.release(ROWS, small("two", PeriodKind.DAY, 0.1), DAY)
    with release_gate(settings, keys) as gate:
        gate.release(ROWS, small("two", PeriodKind.DAY, 0.1), DAY)

"""Settings from file and environment: the environment wins, and what sets nothing is named."""

from pathlib import Path

import pytest

from ingestion.settings import SettingsProblem, load_settings

_GONE = "warehouse.dagster_port is no setting any more.*a part of the app, under /dagster"


def test_the_environment_wins_setting_by_setting(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.yaml").write_text("live: {port: 5000, window_minutes: 30}")
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", "6000")
    monkeypatch.setenv("TTA_MONITOR_LIVE", '{"poll_ms": 70, "port": 1}')
    live = load_settings(home).live
    assert (live.port, live.window_minutes, live.poll_ms) == (6000, 30, 70)


def test_lists_and_mappings_are_json(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTA_MONITOR_RECEIVER__TOKENS", '{"player-api": "secret"}')
    monkeypatch.setenv("TTA_MONITOR_COLLECTORS__LOG_FILES", '[{"glob": "/x/*.log"}]')
    monkeypatch.setenv("TTA_MONITOR_COLLECTORS__PROCESS_PATTERNS", '["tta"]')
    found = load_settings(home)
    assert found.receiver.tokens == {"player-api": "secret"}
    assert found.collectors.log_files[0].glob == "/x/*.log"
    assert found.collectors.process_patterns == ["tta"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TTA_MONITOR_LIVE__PROT", "1"),
        ("TTA_MONITOR_LIEV__PORT", "1"),
        ("TTA_MONITOR_LIVE__PORT__X", "1"),
        ("TTA_MONITOR_LIVE__PORT", "many"),
        ("TTA_MONITOR_LIVE", "{"),
        ("TTA_MONITOR_RECEIVER__TOKENS", "secret"),
    ],
)
def test_a_variable_that_sets_nothing_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsProblem, match=r"TTA_MONITOR_"):
        load_settings(home)


@pytest.mark.parametrize(
    "text", ["live: {prot: 1}", "access: {oidc: {isuer: x}}", "collectors: {log_files: [{g: x}]}"]
)
def test_a_misspelt_setting_of_the_file_is_named(home: Path, text: str) -> None:
    (home / "config.yaml").write_text(text)
    with pytest.raises(SettingsProblem, match=r"prot|isuer|log_files"):
        load_settings(home)


def test_what_is_wrong_is_told_with_its_place_and_without_its_value(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.yaml").write_text("receiver: {hots: [hunter2], http_port: hunter2}")
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", "70000")
    with pytest.raises(SettingsProblem) as told:
        load_settings(home)
    said = str(told.value)
    assert f"{home}/config.yaml: there is no setting receiver.hots; there is hosts." in said
    assert f"{home}/config.yaml: receiver.http_port is wrong: it must be a valid integer" in said
    assert "TTA_MONITOR_LIVE__PORT: live.port is wrong: it must be less than" in said
    assert "hunter2" not in said


def test_a_file_that_is_not_yaml_is_told_by_its_line_alone(home: Path) -> None:
    (home / "config.yaml").write_text("live:\n  port: [1\n  token: hunter2\n")
    with pytest.raises(SettingsProblem, match=r"config.yaml is not YAML in line 3: ") as told:
        load_settings(home)
    assert "hunter2" not in str(told.value)


def test_variables_of_others_are_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTA_MONITOR_KEK", "x")
    monkeypatch.setenv("TTA_MONITOR_SOMETHING", "of a script")
    assert load_settings(home).home == home.resolve()


@pytest.mark.parametrize(
    "text",
    ["warehouse: {build_every_minutes: 90}", "warehouse: {build_every_minutes: 0}", "live: {port: 0}",
     "receiver: {http_port: 70000}", "collectors: {host_interval_s: 0}"],
)  # fmt: skip
def test_a_number_that_cannot_work_is_refused_and_named(home: Path, text: str) -> None:
    (home / "config.yaml").write_text(text)
    with pytest.raises(SettingsProblem, match=r"build_every_minutes|port|host_interval_s"):
        load_settings(home)


def test_a_setting_of_older_homes_is_named_with_what_there_is_instead(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.yaml").write_text("warehouse: {dagster_port: 3070}")
    with pytest.raises(SettingsProblem, match=f"config.yaml: {_GONE}"):
        load_settings(home)
    (home / "config.yaml").unlink()
    monkeypatch.setenv("TTA_MONITOR_WAREHOUSE__DAGSTER_PORT", "3070")
    with pytest.raises(SettingsProblem, match=f"TTA_MONITOR_WAREHOUSE__DAGSTER_PORT: {_GONE}"):
        load_settings(home)

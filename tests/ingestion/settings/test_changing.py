"""Where settings come from, and one section of the file changed: checked whole, the rest as it was."""

from pathlib import Path

import pytest

from ingestion.settings import Settings, SettingsProblem, load_settings
from ingestion.settings.changing import origins, section_text
from ingestion.settings.changing.section_text import KEPT, SECTIONS

FILE = """# ours
receiver:
  http_port: 14318  # beside the other one
  tokens:
    player-api: "7d6b3f0e9c1a4b52"
# the live tail
live: {port: 14320}
alerting:
  webhook_url: https://hooks.example.org/secret-part
"""


@pytest.fixture
def file(home: Path) -> Path:
    found = home / "config.yaml"
    found.write_text(FILE)
    return found


def in_force(home: Path, environment: dict[str, str]) -> dict[str, origins.Setting]:
    return {s.name: s for s in origins.in_force(load_settings(home), environment)}


def test_each_value_says_where_it_stands(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "TTA_MONITOR_APP__PORT"
    monkeypatch.setenv(variable, "18501")
    found = in_force(file.parent, {variable: "18501", "TTA_MONITOR_COLLECTORS": "{}"})
    told = {n: (found[n].value, found[n].origin, found[n].place) for n in found}
    assert told["receiver.http_port"] == ("14318", "file", "config.yaml, line 3")
    assert told["live.port"] == ("14320", "file", "config.yaml, line 7")
    assert told["app.port"] == ("18501", "environment", variable)
    assert told["collectors.enabled"][1:] == ("environment", "TTA_MONITOR_COLLECTORS")
    assert (
        told["receiver.grpc_port"] == ("4317", "default", "")
        and told["audit.heads_path"][0] == "not set"
    )
    assert found["receiver.http_port"].default == "4318" and found["app.port"].section == "app"


def test_a_secret_is_told_by_its_number_alone(file: Path) -> None:
    found = in_force(file.parent, {})
    assert found["receiver.tokens"].value == "secret, 1 set"
    assert found["alerting.webhook_url"].value == "secret, set"
    assert not any("7d6b" in s.value or "secret-part" in s.value for s in found.values())


def test_every_setting_that_is_called_a_secret_is_one(settings: Settings) -> None:
    named = {
        s.name for s in origins.in_force(settings, {})
        if any(w in s.name.rpartition(".")[2] for w in ("token", "secret", "password", "webhook"))
    }  # fmt: skip
    # A file is named, not its content.
    assert {n for n in named if not n.endswith("_file")} == origins.SECRETS


def test_a_section_is_shown_without_its_secrets_and_they_are_kept(file: Path) -> None:
    shown = section_text.section_text(file.parent, "receiver")
    assert "7d6b" not in shown and KEPT in shown and "beside the other one" in shown
    section_text.save(file.parent, "receiver", shown.replace("14318", "24318"))
    assert file.read_text() == FILE.replace("14318", "24318")
    assert load_settings(file.parent).receiver.tokens == {"player-api": "7d6b3f0e9c1a4b52"}


def test_a_section_that_was_not_there_is_added_and_the_rest_stays(file: Path) -> None:
    assert section_text.section_text(file.parent, "app") == "app: {}\n"
    section_text.save(file.parent, "app", "app:\n  environment: staging")
    assert file.read_text() == FILE + "app:\n  environment: staging\n"


def test_the_first_change_makes_the_file(home: Path) -> None:
    section_text.save(home, "live", "live: {window_minutes: 30}")
    assert load_settings(home).live.window_minutes == 30


@pytest.mark.parametrize(
    ("section", "text", "told"),
    [
        ("receiver", "receiver: {http_port: many, bogus: 1}", "receiver.http_port is wrong"),
        ("receiver", "receiver: {http_port: many, bogus: 1}", "no setting receiver.bogus"),
        ("receiver", "receiver: [1", "not YAML in line"),
        ("receiver", "live: {port: 1}", "begin with `receiver:`"),
        ("receiver", "just words", "must be a mapping"),
        ("access", "access: {sign_in: off}\n", "access.sign_in is wrong"),
        ("receiver", f"receiver: {{tokens: {{new: {KEPT}}}}}", "receiver.tokens.new has no value to keep"),
        ("app", "app: {environment: " + "x" * 100_001 + "}", "longer than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_written(
    file: Path, section: str, text: str, told: str
) -> None:
    with pytest.raises(SettingsProblem) as refused:
        section_text.save(file.parent, section, text)
    assert told in str(refused.value) and file.read_text() == FILE


def test_a_value_that_the_environment_overrides_is_checked_as_it_would_be_in_force(
    file: Path,
) -> None:
    with pytest.raises(SettingsProblem, match="TTA_MONITOR_APP__PORT"):
        section_text.check(file.parent, "app", "app: {port: 1}", {"TTA_MONITOR_APP__PORT": "none"})


def test_a_file_in_braces_is_told_to_be_rewritten(home: Path) -> None:
    (home / "config.yaml").write_text("{live: {port: 1}, app: {port: 2}}")
    with pytest.raises(SettingsProblem, match="in braces"):
        section_text.save(home, "live", "live: {port: 3}")


def test_every_section_says_who_reads_it() -> None:
    processes = {"receiver", "live-tail", "notifier", "dagster", "collectors", "app"}
    assert all(set(section_text.readers(section)) <= processes for section in SECTIONS)

"""Whatever changes keys, accounts, roles, configuration, rules or retention leaves an audit entry.

Every command and every HTTP action of the code stands here: with the entry that it leaves, or with the reason
why it leaves none. A new one fails until it does.
"""

import ast
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.sign_in.entrance import routes as app_routes
from tests.conftest import ROOT
from tests.dagster_project.retention.test_mart_erasure import SUBJECT, send
from tests.e2e.doors import commands, live_routes
from tests.live_tail.window.test_hot_errors import Live, span_body
from tests.tta_monitor.test_privacy_commands import aged, chosen  # noqa: F401
from tta_monitor.cli import app

_ASKS_THE_LIVE_API = "the live API's door leaves it: test_each_role_at_every_route_read_or_written"
_READS = "reads"
NONE = {
    "up": "starts processes; what it makes has entries of its own: keys.create, access.link_create",
    "down": "stops processes",
    "build": "lands and publishes what is there; keys it makes are keys.create",
    "replay": "sends telemetry, like any component",
    "privacy verify": "reads; what it finds is its exit code",
    "privacy redact": "reads standard input alone",
    "errors regroup": "compares; the change is one of config.yaml",
    **dict.fromkeys(
        """status|doctor|query|keys status|retention plan|access whoami|access user list|access token list|\
alerts test|alerts backtest|alerts list|alerts show|errors list|errors show|privacy budget|\
report list|report show|\
privacy policy list""".split("|"),
        _READS,
    ),
    **dict.fromkeys(
        ["alerts ack", "alerts resolve", "alerts silence", "alerts unsilence", "alerts channel-test"],
        _ASKS_THE_LIVE_API,
    ),
}  # fmt: skip
_DECISION = "access.action errors.change"
LEAVES = {
    "keys rotate": ("keys rotate", "keys.rotate home"),
    "access user add": ("access user add ada --role operator", "access.user_add"),
    "access user role": ("access user role bob --role designer", "access.user_change"),
    "access user password": ("access user password bob", "access.user_change"),
    "access user disable": ("access user disable bob", "access.user_change"),
    "access token create": ("access token create --role operator", "access.token_create"),
    "access token revoke": ("access token revoke {token}", "access.token_revoke"),
    "access link": ("access link --role operator", "access.link_create"),
    "access break-glass": (
        "access break-glass bob --role privacy_officer --reason incident", "access.break_glass",
    ),
    "alerts import": ("alerts import {rules} --write", "rules.import rules.yaml"),
    "errors resolve": ("errors resolve {group}", _DECISION),
    "errors mute": ("errors mute {group}", _DECISION),
    "errors reopen": ("errors reopen {group}", _DECISION),
    "errors assign": ("errors assign {group} ada", _DECISION),
    "errors merge": ("errors merge {group} --into {group}", _DECISION),
    "errors split": ("errors split {group} --by message", _DECISION),
    "privacy policy set": ("privacy policy set player.mood_score allow", "privacy.decide"),
    "privacy erase": (f"privacy erase --subject {SUBJECT} --no-build", "privacy.erase"),
    "privacy scan": ("privacy scan", "privacy.scan home"),
    "report run": ("report run daily-operations", "report.make daily-operations"),
    "retention apply": ("retention apply --yes", "retention.purge"),
}  # fmt: skip
ELSEWHERE = {"privacy landed": "tests/dagster_project/leaks/test_landed_leaks.py"}


def test_every_command_leaves_an_entry_or_says_why_not() -> None:
    assert {" ".join(words) for words, _ in commands()} == set(NONE) | set(LEAVES) | set(ELSEWHERE)
    assert not set(NONE) & set(LEAVES)


@pytest.fixture
def given(aged: Settings, keys: KeyStore, pipeline: Pipeline, tmp_path: Path) -> dict[str, str]:  # noqa: F811
    """A home in which each command has something to do."""
    pipeline.process([span_body(number=1)])
    send(pipeline, 1, SUBJECT)
    live = Live(aged, keys)
    identities = Identities(aged.home, keys, AuditLog(aged.home, keys))
    identities.accounts.add("bob", "a long enough password", "operator", by="os:owner")  # type: ignore[arg-type]
    token, _ = identities.tokens.create("operator", days=1, by="os:owner")  # type: ignore[arg-type]
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: Hot, expr: t > 3}]}]")
    (group,) = [g.key for g in live.store.groups()]
    return {"token": token.id, "rules": str(rules), "group": group}


@pytest.mark.parametrize("command", LEAVES)
def test_a_command_that_changes_something_leaves_an_entry_of_who_and_what(
    command: str, given: dict[str, str], settings: Settings, keys: KeyStore
) -> None:
    log = AuditLog(settings.home, keys)
    line, wanted = LEAVES[command]
    before = log.head().seq
    CliRunner().invoke(app, line.format(**given).split(), input="a long enough password\n")
    log = AuditLog(settings.home, KeyStore.open(settings.home))
    left = [entry for entry in log.entries() if entry.seq > before]
    assert [e for e in left if f"{e.action} {e.target}".startswith(wanted)], left
    assert {entry.actor for entry in left} <= {"os:owner"}


def test_a_rotation_that_is_refused_is_an_entry_too(settings: Settings, keys: KeyStore) -> None:
    keys.named_key("digest")
    (wrapped,) = (settings.home / "keys" / "data" / "digest").glob("*.key")
    wrapped.write_bytes(b"x" * 80)
    CliRunner().invoke(app, ["keys", "rotate"])
    (entry,) = AuditLog(settings.home, KeyStore.open(settings.home)).entries(action="keys.rotate")
    assert (entry.outcome, entry.details) == ("refused", {"why": "KeyProblem"})


def test_the_first_keys_of_a_home_are_an_entry(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tta_monitor.console.permission import keys_of

    for _ in range(2):
        keys = keys_of(home)
    (entry,) = AuditLog(home, keys).entries(action="keys.")
    assert (entry.action, entry.actor) == ("keys.create", "os:owner")


def test_nothing_is_changed_over_http_but_through_doors_that_leave_entries() -> None:
    changing = {path for method, path in live_routes() if method not in {"GET", "OPTIONS"}}
    assert len(changing) > 5
    assert [path for path in changing if not path.startswith("/api/")] == []
    posts = {r.path for r in app_routes() if "POST" in (getattr(r, "methods", None) or ())}
    # Accounts leave access.sign_in and access.sign_out, refusals as well.
    assert posts == {"/sign-in", "/sign-out"}


def test_what_is_decided_in_the_app_is_decided_around_an_entry() -> None:
    silent = {
        f"{file.stem}.{function.name}"
        for file in (ROOT / "streamlit_app" / "actions").glob("*.py")
        for function in ast.parse(file.read_text()).body
        if isinstance(function, ast.FunctionDef) and not _is_around_an_entry(function)
    }
    reading = {
        "configuration.check", "configuration.may_change", "configuration.restart_words",
        "exports.may_export", "privacy.verify_audit",
        "saved.annotations", "saved.may", "saved.store", "saved.views",
    }  # fmt: skip
    assert silent == reading, "they only read; any other acts inside permission.acting"


def _is_around_an_entry(function: ast.FunctionDef) -> bool:
    called = {ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
    return bool(called & {"permission.acting", "permission.acting_later", "deciding"})

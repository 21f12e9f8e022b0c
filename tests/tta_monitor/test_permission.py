"""The policy at the command line: every role at every command and audience, by a token."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from ingestion.lake.duck import AUDIENCES
from ingestion.settings import Settings
from privacy.access.access_policy import ADMINISTRATOR, Right, Role, load_policy
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from tta_monitor.cli import app
from tta_monitor.console import permission
from tta_monitor.console.context import Chosen
from tta_monitor.console.problems import Problem


def commands(
    below: typer.Typer, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, typer.models.CommandInfo]]:
    for command in below.registered_commands:
        name = command.name or command.callback.__name__.replace("_", "-")
        yield ".".join([*words, name]), command
    for group in below.registered_groups:
        yield from commands(group.typer_instance, (*words, group.name))


COMMANDS = dict(commands(app))


@pytest.fixture
def token_of(
    settings: Settings, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[object]:
    """Come with the token of a role."""
    log = AuditLog(settings.home, keys)
    identities = Identities(settings.home, keys, log)

    def come(role: Role) -> AuditLog:
        token, secret = identities.tokens.create(role, days=1, by="os:owner")
        file = tmp_path / f"{token.id}.token"
        file.write_text(secret + "\n")
        monkeypatch.setenv("TTA_MONITOR_ACCESS__TOKEN_FILE", str(file))
        monkeypatch.setattr(Chosen, "home", settings.home)
        return log

    yield come
    permission._Caller.who = ADMINISTRATOR


@pytest.mark.parametrize("role", list(Role))
def test_a_role_runs_the_commands_of_the_policy_and_no_other(role: Role, token_of) -> None:
    log, policy = token_of(role), load_policy()
    refused = 0
    for name, command in COMMANDS.items():
        if policy.allows(frozenset({role}), Right.COMMAND, name):
            permission.require(Right.COMMAND, name)
            continue
        with pytest.raises(Problem, match="your role may not") as problem:
            command.callback()
        assert problem.value.code == permission.FORBIDDEN
        (entry,) = log.entries(limit=1)
        assert (entry.action, entry.target, entry.outcome) == ("access.command", name, "refused")
        assert entry.actor.startswith("token:t_")
        refused += 1
    assert refused or role is Role.ADMIN


@pytest.mark.parametrize("role", list(Role))
def test_a_role_asks_its_own_audience_and_no_other(role: Role, token_of) -> None:
    token_of(role)
    for audience in AUDIENCES:
        if load_policy().allows(frozenset({role}), Right.AUDIENCE, audience):
            permission.require(Right.AUDIENCE, audience)
            continue
        with pytest.raises(Problem, match=f"may not use audience {audience}"):
            COMMANDS["query"].callback(sql="SELECT 1", audience=audience)


def test_the_policy_names_commands_that_exist() -> None:
    listed = {n for role in Role for n in load_policy().rights[role, Right.COMMAND]} - {"*"}
    assert listed - set(COMMANDS) == set()
    assert len(COMMANDS) > 30


def test_without_a_token_whoever_reads_the_keys_is_the_owner(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chosen, "home", settings.home)
    for name in COMMANDS:
        permission.require(Right.COMMAND, name)
    assert permission.acting() == "os:owner"


def test_an_unknown_token_and_a_missing_file_are_refused(
    settings: Settings, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chosen, "home", settings.home)
    file = tmp_path / "token"
    monkeypatch.setenv("TTA_MONITOR_ACCESS__TOKEN_FILE", str(file))
    with pytest.raises(Problem, match=r"token_file cannot be read \(FileNotFoundError\)"):
        permission.require(Right.COMMAND, "status")
    file.write_text("guess")
    with pytest.raises(Problem, match="unknown or has expired"):
        permission.require(Right.COMMAND, "status")


def test_what_a_holder_does_is_recorded_under_the_token(token_of) -> None:
    token_of(Role.OPERATOR)
    permission.require(Right.COMMAND, "errors.mute")
    assert permission.acting().startswith("token:t_")

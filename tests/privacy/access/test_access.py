"""Accounts, tokens, links and break-glass; and the whole matrix of roles, by policy."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from privacy.access import passwords
from privacy.access.access_policy import (
    ADMINISTRATOR,
    AccessPolicyProblem,
    Forbidden,
    Guard,
    Principal,
    Right,
    Role,
    load_policy,
)
from privacy.access.accounts import AccountProblem
from privacy.access.identities import Identities
from privacy.access.sessions import NotSignedIn
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.keys.state import FILE
from tests.clocks import WallClock

PASSWORD = "correct horse battery staple"


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def log(home: Path, keys: KeyStore) -> AuditLog:
    return AuditLog(home, keys)


@pytest.fixture
def identities(home: Path, keys: KeyStore, log: AuditLog, clock: WallClock) -> Identities:
    return Identities(home, keys, log, clock)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("right", list(Right))
def test_what_a_role_does_not_list_is_refused_with_an_entry(
    role: Role, right: Right, log: AuditLog
) -> None:
    policy = load_policy()
    guard = Guard(log)
    who = Principal("user:u_1", frozenset({role}))
    names = {n for r in Role for n in policy.rights[r, right]} | {"never_heard_of"}
    for name in sorted(names - {"*"}):
        listed = policy.rights[role, right] & {name, "*"}
        if listed:
            guard.require(who, right, name)
            continue
        before = log.head().seq
        with pytest.raises(Forbidden, match="your role"):
            guard.require(who, right, name)
        (entry,) = log.entries(limit=1)
        assert (entry.seq, entry.target, entry.outcome) == (before + 1, name, "refused")


def test_operators_see_no_engagement_and_nobody_but_the_owner_sees_two_audiences() -> None:
    policy = load_policy()
    for role in Role:
        assert len(policy.rights[role, Right.AUDIENCE]) == 1
        assert "*" not in policy.rights[role, Right.AUDIENCE]
    assert not policy.allows(frozenset({Role.OPERATOR}), Right.AUDIENCE, "engagement")
    assert not policy.allows(frozenset({Role.DESIGNER}), Right.QUERY, "errors")
    assert not policy.allows(frozenset({Role.ADMIN}), Right.DRILL_DOWN, "therapeutic_labels")
    assert policy.allows(ADMINISTRATOR.roles, Right.AUDIENCE, "engagement")


def test_a_drill_down_leaves_an_entry(log: AuditLog) -> None:
    Guard(log).require(
        Principal("user:u_1", frozenset({Role.RESEARCHER})), Right.DRILL_DOWN, "therapeutic_labels"
    )
    (entry,) = log.entries()
    assert (entry.action, entry.target, entry.outcome) == (
        "access.drill_down", "therapeutic_labels", "done",
    )  # fmt: skip


def test_a_wrong_policy_names_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("admin: {pages: [], views: []}\nking: {}\n")
    with pytest.raises(AccessPolicyProblem, match=r"admin: views.*king.*operator is missing"):
        load_policy(file)


def test_an_account_signs_in_and_out_and_nothing_of_it_is_readable_on_disk(
    identities: Identities, home: Path, clock: WallClock
) -> None:
    user = identities.accounts.add("Ada Lovelace", PASSWORD, Role.OPERATOR, by="os:owner")
    secret = identities.sessions.sign_in(" ada lovelace", PASSWORD, hours=1)
    session = identities.sessions.find(secret)
    assert session and session.who == Principal(user.id, frozenset({Role.OPERATOR}))
    raw = b"".join(f.read_bytes() for f in home.glob("state.db*"))
    for plain in (PASSWORD, secret, "Lovelace", "lovelace", "argon2"):
        assert plain.encode() not in raw
    identities.sessions.sign_out(secret)
    assert identities.sessions.find(secret) is None
    again = identities.sessions.sign_in("Ada Lovelace", PASSWORD, hours=1)
    clock.now += timedelta(hours=1)
    assert identities.sessions.find(again) is None


@pytest.mark.parametrize("password", ["short", "a" * 20, "ada lovelace", "x" * 2_000])
def test_a_weak_password_is_refused(identities: Identities, password: str) -> None:
    with pytest.raises(AccountProblem, match="password"):
        identities.accounts.add("ada lovelace", password, Role.ADMIN, by="os:owner")


def test_unknown_name_wrong_password_and_disabled_account_read_the_same(
    identities: Identities, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    identities.accounts.add("bob", PASSWORD, Role.OPERATOR, by="os:owner")
    identities.accounts.change("bob", by="os:owner", is_disabled=True)
    verified: list[str] = []
    real = passwords.is_password
    monkeypatch.setattr(passwords, "is_password", lambda h, p: verified.append(h) or real(h, p))
    said = set()
    for name, password in [("ada", "wrong " * 3), ("nobody", PASSWORD), ("bob", PASSWORD)]:
        with pytest.raises(NotSignedIn) as refused:
            identities.sessions.sign_in(name, password, hours=1)
        said.add(str(refused.value))
    assert len(said) == 1
    assert len(verified) == 3  # An unknown name costs a hash as well.
    assert len(log.entries(action="access.sign_in", outcome="refused")) == 3


def test_guessing_is_slowed_down_and_waiting_helps(
    identities: Identities, clock: WallClock, log: AuditLog
) -> None:
    identities.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            identities.sessions.sign_in("ada", "wrong guess here", hours=1)
    with pytest.raises(NotSignedIn):
        identities.sessions.sign_in("ada", PASSWORD, hours=1)
    assert log.entries(limit=1)[0].details["why"] == "throttled"
    clock.now += timedelta(seconds=2)
    assert identities.sessions.sign_in("ada", PASSWORD, hours=1)


def test_a_changed_role_password_or_state_ends_sessions(identities: Identities) -> None:
    identities.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    other = "another long password"
    for change in ({"role": Role.DESIGNER}, {"password": other}, {"is_disabled": True}):
        secret = identities.sessions.sign_in("ada", PASSWORD, hours=1)
        identities.accounts.change("ada", by="os:owner", **change)
        assert identities.sessions.find(secret) is None
        identities.accounts.change("ada", by="os:owner", password=PASSWORD, is_disabled=False)
    assert [u.role for u in identities.accounts.users()] == [Role.DESIGNER]
    with pytest.raises(AccountProblem, match="no such user"):
        identities.accounts.change("nobody", by="os:owner", role=Role.ADMIN)
    with pytest.raises(AccountProblem, match="taken"):
        identities.accounts.add("ADA", PASSWORD, Role.ADMIN, by="os:owner")


def test_the_first_link_is_made_once_works_once_and_expires(
    identities: Identities, clock: WallClock
) -> None:
    first = identities.links.first()
    assert first and identities.links.first() is None
    session = identities.sessions.find(identities.links.use(first, hours=1))
    assert session and session.who.roles == {Role.ADMIN}
    with pytest.raises(NotSignedIn):
        identities.links.use(first, hours=1)
    late = identities.links.create(Role.OPERATOR, hours=1, by="os:owner")
    clock.now += timedelta(hours=1)
    with pytest.raises(NotSignedIn):
        identities.links.use(late, hours=1)


def test_tokens_live_until_they_expire_or_are_revoked(
    identities: Identities, clock: WallClock
) -> None:
    token, secret = identities.tokens.create(Role.DEVELOPER, days=1, by="os:owner")
    assert identities.tokens.holder(secret) == Principal(
        f"token:{token.id}", frozenset({Role.DEVELOPER})
    )
    assert (
        identities.sessions.find(secret) is None and identities.tokens.holder(secret + "x") is None
    )
    assert identities.tokens.living() == [token]
    identities.tokens.revoke(token.id, by="os:owner")
    assert identities.tokens.holder(secret) is None
    with pytest.raises(AccountProblem, match="no such token"):
        identities.tokens.revoke(token.id, by="os:owner")
    _, short = identities.tokens.create(Role.DEVELOPER, days=1, by="os:owner")
    clock.now += timedelta(days=1)
    assert identities.tokens.holder(short) is None and identities.tokens.living() == []


def test_break_glass_lends_a_role_and_ends_by_itself(
    identities: Identities, clock: WallClock, log: AuditLog
) -> None:
    user = identities.accounts.add("ada", PASSWORD, Role.OPERATOR, by="os:owner")
    secret = identities.sessions.sign_in("ada", PASSWORD, hours=8)
    reason = "player=Amelie asked, see amelie@example.com"
    until = identities.break_glass.lend(
        user.id, Role.PRIVACY_OFFICER, reason=reason, minutes=30, by="os:owner"
    )
    session = identities.sessions.find(secret)
    assert session and session.break_glass_until == until
    assert session.who.roles == {Role.OPERATOR, Role.PRIVACY_OFFICER}
    (entry,) = log.entries(action="access.break_glass")
    assert "melie" not in str(entry.details)
    clock.now += timedelta(minutes=30)
    session = identities.sessions.find(secret)
    assert session and session.who.roles == {Role.OPERATOR} and not session.break_glass_until
    for reason, minutes in (("  ", 30), ("why", 0), ("why", 5_000)):
        with pytest.raises(AccountProblem, match="break-glass"):
            identities.break_glass.lend(user.id, Role.ADMIN, reason=reason, minutes=minutes, by="x")


def test_writing_into_the_file_lends_nobody_a_role(
    identities: Identities, home: Path, clock: WallClock
) -> None:
    _, designer = identities.tokens.create(Role.DESIGNER, days=1, by="os:owner")
    admin, _ = identities.tokens.create(Role.ADMIN, days=1, by="os:owner")
    with sqlite3.connect(home / FILE) as db:
        db.execute("UPDATE access_secrets SET kind = 'session', expires_at = '2999', owner = 'x'")
        (stolen,) = db.execute(
            "SELECT sealed FROM access_secrets WHERE id = ?", (admin.id,)
        ).fetchone()
    assert identities.sessions.find(designer) is None
    clock.now += timedelta(days=2)
    assert identities.tokens.holder(designer) is None
    with sqlite3.connect(home / FILE) as db:
        db.execute("UPDATE access_secrets SET sealed = ? WHERE id != ?", (stolen, admin.id))
    with pytest.raises(KeyProblem):
        identities.tokens.holder(designer)


def test_ids_of_accounts_and_tokens_stay_readable_in_the_log_whatever_digits_they_have(
    log: AuditLog,
) -> None:
    for actor in ("token:t_012345678901", "user:u_999999999999", "link:l_000000000000"):
        log.append(actor=actor, action="access.sign_in", target=actor.partition(":")[2])
        (entry,) = log.entries(limit=1)
        assert (entry.actor, entry.target) == (actor, actor.partition(":")[2])

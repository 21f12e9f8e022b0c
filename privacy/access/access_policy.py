"""Who may do what: roles, the policy as data, and the one check that every door calls.

Here: reading `access_policy.yaml`, answering for a role, refusing and leaving an audit entry.
Not here: who somebody is (`identities`) and the doors themselves (app, live API, command line).
The OS user who can read `keys/` opens everything by definition and counts as admin.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from privacy.access.roles import (  # ADMINISTRATOR: every door takes who and what from here
    ADMINISTRATOR,  # noqa: F401
    Principal,
    Right,
    Role,
)
from privacy.audit.audit_log import AuditLog, Outcome

POLICY_FILE = Path(__file__).with_name("access_policy.yaml")
EVERYTHING = "*"


class AccessPolicyProblem(Exception):
    """The access policy is wrong; the message names the entry, the cause and the fix."""


class Forbidden(Exception):
    """Nobody allowed this; the message names what was asked and who can help."""


@dataclass(frozen=True)
class Policy:
    """Names that each role may use, by kind."""

    rights: Mapping[tuple[Role, Right], frozenset[str]]

    def allows(self, roles: frozenset[Role], right: Right, name: str) -> bool:
        """Whether any of the roles lists the name."""
        return any(
            name in self.rights[role, right] or EVERYTHING in self.rights[role, right]
            for role in roles
        )


class Guard:
    """Checks a principal against the policy; every refusal, drill-down and action is an entry."""

    def __init__(self, log: AuditLog, policy: Policy | None = None) -> None:
        self._log = log
        self.policy = policy or load_policy()

    def allows(self, who: Principal, right: Right, name: str) -> bool:
        """Whether it would be allowed; leaves no entry: for drawing navigation only."""
        return self.policy.allows(who.roles, right, name)

    def require(self, who: Principal, right: Right, name: str, **details: str) -> None:
        """Return when it is allowed, else leave an entry and raise Forbidden.

        `details` say what it was about: ids of ours, verbs.
        """
        what = right.value.removesuffix("s").replace("querie", "query")
        if not self.allows(who, right, name):
            self._note(who, f"access.{what}", name, "refused", details)
            raise Forbidden(
                f"your role may not use {what.replace('_', ' ')} {name[:60]}: ask an admin for a role "
                "that may, or for break-glass."
            )
        if right is Right.DRILL_DOWN:
            self._note(who, f"access.{what}", name, "done", details)

    @contextmanager
    def acting(
        self, who: Principal, name: str, *refusals: type[Exception], **details: str
    ) -> Iterator[None]:
        """Around an action that is allowed: one entry of how it went, as `AuditLog.around` has it."""
        self.require(who, Right.ACTION, name, **details)
        about: dict[str, Any] = details
        with self._log.around(
            *refusals, actor=who.id, action="access.action", target=name, **about
        ):
            yield

    def note_action(self, who: Principal, name: str, outcome: Outcome, **details: str) -> None:
        """The entry of an action whose end is known by other means than an exception."""
        self._note(who, "access.action", name, outcome, details)

    def _note(
        self, who: Principal, action: str, name: str, outcome: Outcome, details: dict[str, str]
    ) -> None:
        about: dict[str, Any] = details
        self._log.append(actor=who.id, action=action, target=name, outcome=outcome, **about)


@cache
def load_policy(path: Path = POLICY_FILE) -> Policy:
    """Read and check the policy; raises AccessPolicyProblem with every mistake at once."""
    found = yaml.safe_load(path.read_text())
    kinds = {right.value for right in Right}
    problems = [f"role {name} is unknown" for name in set(found) - {r.value for r in Role}]
    problems += [f"role {role.value} is missing" for role in Role if role.value not in found]
    for name, rights in found.items():
        problems += [f"{name}: {key} is no kind of right" for key in set(rights) - kinds]
        problems += [f"{name}: {key} is missing" for key in kinds - set(rights)]
    if problems:
        raise AccessPolicyProblem(f"{path.name} is wrong: {'; '.join(sorted(problems))}.")
    return Policy(
        {(role, right): frozenset(found[role][right]) for role in Role for right in Right}
    )

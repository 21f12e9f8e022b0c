"""What an identity token of a provider makes of somebody: who, in which role, until when.

Here: the claims that decide, mapped on the server. Not here: the conversation with the provider, its
keys, signature, issuer, audience and nonce (`streamlit_app/sign_in/provider`), and sessions (`sessions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from privacy.access.access_policy import Role


class NotRecognised(Exception):
    """The token makes nobody of anybody; `why` is a constant for the audit log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Recognised:
    """Somebody a provider vouches for; `subject` is the provider's id and goes no further than a digest."""

    subject: str
    role: Role
    expires_at: datetime


def recognise(
    claims: Mapping[str, Any], *, role_claim: str, roles: Mapping[str, Role], now: datetime
) -> Recognised:
    """Somebody, by claims whose signature, issuer, audience and nonce are good.

    Raises NotRecognised: `expired` at the very second of `exp`, `subject` without one, `role` when no
    value of the claim is mapped. The first mapped value, in the order of the mapping, decides.
    """
    expires_at = _time(claims.get("exp"))
    if expires_at is None or expires_at <= now:
        raise NotRecognised("expired")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise NotRecognised("subject")
    held = _values(claims, role_claim)
    role = next((role for value, role in roles.items() if value in held), None)
    if role is None:
        raise NotRecognised("role")
    return Recognised(subject, role, expires_at)


def _time(found: Any) -> datetime | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return datetime.fromtimestamp(found, UTC)
    except (OverflowError, ValueError):
        return None


def _values(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Texts of a claim, a list or one; `realm_access.roles` looks into `realm_access`."""
    found: Any = claims.get(name)
    if name not in claims:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return frozenset(value for value in listed if isinstance(value, str))

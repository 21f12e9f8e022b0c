"""What somebody may be here and which kinds of things there are to allow, by name alone.

Not here: what a role may do (`access`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for."""

    OPERATOR = "operator"
    DEVELOPER = "developer"
    DESIGNER = "designer"
    RESEARCHER = "researcher"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"


class Right(StrEnum):
    """Kinds of things the policy names."""

    PAGE = "pages"
    AUDIENCE = "audiences"
    QUERY = "queries"
    DRILL_DOWN = "drill_downs"
    ACTION = "actions"
    COMMAND = "commands"


@dataclass(frozen=True)
class Principal:
    """Somebody or something that was recognised; `id` is ours and safe to write anywhere."""

    id: str
    roles: frozenset[Role]


ADMINISTRATOR = Principal("os:owner", frozenset(Role))
"""Whoever can read `keys/`: the command line and the processes of this home."""

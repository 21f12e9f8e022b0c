"""What somebody may be here: the roles, by name alone.

Not here: what a role may do (`access`).
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for."""

    OPERATOR = "operator"
    DEVELOPER = "developer"
    DESIGNER = "designer"
    RESEARCHER = "researcher"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"

"""Passwords: what is good enough, hashing, checking in the same time for names that nobody has."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD = 12
_MAX_PASSWORD = 1_024


class WeakPassword(Exception):
    """The password is not good enough; the message names the fix."""


def check_password(password: str, name: str) -> None:
    """Raise WeakPassword."""
    if not MIN_PASSWORD <= len(password) <= _MAX_PASSWORD:
        raise WeakPassword(f"a password has at least {MIN_PASSWORD} characters.")
    if password.casefold() == name.strip().casefold() or len(set(password)) < 4:
        raise WeakPassword("this password is too easy to guess: take four or more words.")


def is_password(stored: str, password: str) -> bool:
    """Whether a password opens a hash."""
    try:
        return hasher().verify(stored, password[:_MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


@cache
def hasher() -> PasswordHasher:
    """The Argon2id hasher."""
    # RFC 9106, second recommended option for memory-constrained machines.
    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=2)


@cache
def unknown_hash() -> str:
    """A hash that no password opens, so that an unknown name takes as long as a known one."""
    return hasher().hash(secrets.token_urlsafe(32))

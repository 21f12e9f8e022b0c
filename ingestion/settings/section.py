"""What every section of the settings is made of: a model without unknown names, units, checks of addresses.

Here: what sections share. Not here: a section (the modules beside).
"""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

MIB = 1024 * 1024
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Section(BaseModel):
    """A misspelt setting is named at start, not ignored."""

    model_config = ConfigDict(extra="forbid")


def is_safe_url(url: str) -> bool:
    """Whether nobody on the way can read it: TLS, or this machine; an unset one is."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return not url or (bool(parts.hostname) and (parts.scheme == "https" or is_local))

"""Files by which people configure a home: an entry when one is not what it was, whoever changed it.

Here: comparing with what the log itself says last. Not here: which files there are and when they are
looked at (`live_tail/alerts/desk/site_files`). Who wrote a file is not known: the actor is `unknown`.
"""

import hashlib
import hmac
from collections.abc import Mapping

from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore

ACTION = "config.change"
_MOST_ENTRIES = 100_000


class FileChanges:
    """Compares files by keyed digests: a short content could be guessed from a plain one."""

    def __init__(self, log: AuditLog, keys: KeyStore) -> None:
        self._log, self._secret = log, keys.named_key("audit.files").secret
        self._known: dict[str, str] | None = None

    def look(self, contents: Mapping[str, bytes]) -> None:
        """Leave an entry for every name whose content is new, changed or gone since the last look.

        The first look at a home says `first_seen`. Names are constants; contents are not kept.
        """
        known = self._last() if self._known is None else self._known
        is_first = self._known is None and not known
        now = {name: self._digest(content) for name, content in contents.items()}
        for name in sorted(known.keys() | now.keys()):
            before, digest = known.get(name, ""), now.get(name, "")
            if digest != before:
                how = "first_seen" if is_first else _how(before, digest)
                self._log.append(
                    actor="unknown", action=ACTION, target=name, how=how, digest=digest
                )
        self._known = now

    def _last(self) -> dict[str, str]:
        entries = self._log.entries(action=ACTION, limit=_MOST_ENTRIES)
        return {e.target: str(e.details["digest"]) for e in reversed(entries)}

    def _digest(self, content: bytes) -> str:
        return hmac.new(self._secret, content, hashlib.sha256).hexdigest()


def _how(before: str, digest: str) -> str:
    if not digest:
        return "removed"
    return "changed" if before else "added"

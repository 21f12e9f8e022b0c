"""A small file with a secret that somebody put there: read only while nobody else may read it.

Here: the mode and the text. Not here: what the secret is for (`live_tail/alerts/notify`,
`dagster_project/reporting`), keys (`privacy/keys`).
"""

import stat
from pathlib import Path


class NotReadable(Exception):
    """What is wrong with the file, to follow its name; neither its path nor a word of it."""


def owner_only_text(file: Path) -> str:
    """The text of the file without the space around it; raises NotReadable."""
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotReadable("can be read by others: chmod 600 it")
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotReadable(f"cannot be read ({type(error).__name__})") from None

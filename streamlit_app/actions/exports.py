"""What people take away from a page: files of exactly what is shown, and that they did.

Here: the right, the audit entry, the bytes. Not here: buttons (`components/export_menu`). A file says which
page, range and filters it shows, and an edition: a digest of these and the rows. The same edition is
the same content.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dagster_project.reporting import picture
from privacy.access.access_policy import Right
from streamlit_app.sign_in import permission

_EXPORT = "export"
_PICTURE_WIDTH = 1_000


@dataclass(frozen=True)
class Export:
    """A table as shown: its name, its rows, and what the page was asked for (range, filters, zone)."""

    name: str
    frame: pd.DataFrame
    asked: Mapping[str, str]

    @property
    def about(self) -> dict[str, Any]:
        """What every file says of itself."""
        return {
            "name": self.name,
            **self.asked,
            "rows": len(self.frame),
            "edition": self.edition,
        }

    @property
    def edition(self) -> str:
        """Sixteen hexadecimal digits of SHA-256 over range, filters and rows."""
        text = json.dumps(
            [self.name, dict(self.asked), self._records()], sort_keys=True, ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def csv(self) -> bytes:
        """Comment lines that begin with #, then the table; times in UTC, nothing measured is empty."""
        head = "".join(f"# {k}: {v}\n" for k, v in self.about.items())
        return (
            head
            + pd.DataFrame(self._records(), columns=list(self.frame.columns)).to_csv(index=False)
        ).encode()

    def json(self) -> bytes:
        """One object: what it is about, and `data`, one object for each row."""
        return json.dumps(
            {**self.about, "data": self._records()}, indent=1, ensure_ascii=False
        ).encode()

    def png(self, description: dict[str, Any], background: str) -> bytes:
        """The chart with the same words below it. Raises `picture.PictureProblem`."""
        asked = ", ".join(f"{name} {value}" for name, value in self.asked.items())
        words = f"{self.name} · {asked} · edition {self.edition}"
        title = {
            "text": words, "anchor": "start", "orient": "bottom", "fontSize": 10, "fontWeight": "normal",
            "color": "#808A92", "offset": 10,
        }  # fmt: skip
        return picture.png(
            {**description, "title": title}, width=_PICTURE_WIDTH, background=background
        )

    def _records(self) -> list[dict[str, Any]]:
        return json.loads(
            self.frame.to_json(orient="records", date_format="iso", date_unit="ms") or "[]"
        )


def may_export() -> bool:
    """Whether the menu is drawn."""
    return permission.may_read(Right.ACTION, _EXPORT)


def taking(
    name: str, form: str, edition: Callable[[], str], made: Callable[[], bytes]
) -> Callable[[], bytes]:
    """`made`, for a button that calls it when it is clicked; then an entry of the audit log goes with it.

    Until then nothing is worked out, the edition neither. What it returns raises Forbidden where the right
    or the session is gone by then.
    """
    act = permission.acting_later(_EXPORT)

    def taken() -> bytes:
        with act(table=name, form=form, edition=edition()):
            return made()

    return taken

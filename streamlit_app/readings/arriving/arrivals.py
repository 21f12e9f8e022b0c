"""Whether anything came since a page last looked, and whether the receivers answer.

Here: two cheap questions, asked once a second for all open pages together. Not here: what came (the modules
beside this one), drawing it again (`components/frame`).
"""

import http.client
import threading
import time
from collections.abc import Callable
from typing import Any

from ingestion.lake.duck import AUDIENCES
from live_tail.http.client import LiveUnavailable
from privacy.access.access_policy import Right
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_KEPT_S = 1.0
_PATIENCE_S = 0.5
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked of, not bound
_kept: dict[str, tuple[float, Any]] = {}
_asking = threading.Lock()


def mark() -> tuple[object, ...]:
    """Equal to the one before when nothing came: the last spool batch, and when copies were published.

    Why the live tail does not answer is a part of it, so that a page follows its going and coming.
    """
    copies = [source.settings().published_path(audience) for audience in AUDIENCES]
    published = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in copies)
    is_asked = permission.may_read(Right.QUERY, "freshness")
    return (_once("live", _live_seq) if is_asked else None, published)


def receivers_problem() -> str | None:
    """Why nothing new can arrive, or None while the receivers answer."""
    return _once("receivers", _ask_receivers)


def _live_seq() -> object:
    try:
        answer = source.client().query("freshness")
    except (LiveUnavailable, ValueError) as problem:
        return str(problem)
    return answer.rows[0]["live_seq"]


def _ask_receivers() -> str | None:
    receiver = source.settings().receiver
    host = _EVERYWHERE.get(receiver.host, receiver.host)
    connection = http.client.HTTPConnection(host, receiver.http_port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/livez")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return "Receivers do not answer, nothing new arrives: see `./tta.sh monitor status`."
    finally:
        connection.close()
    return None


def _once(name: str, ask: Callable[[], Any]) -> Any:
    """The answer of the last second, else a new one; pages that ask meanwhile wait for it."""
    with _asking:
        at, answer = _kept.get(name, (-_KEPT_S, None))
        if time.monotonic() - at >= _KEPT_S:
            answer = ask()
            _kept[name] = (time.monotonic(), answer)
        return answer


def forget() -> None:
    """Forget the last answers, for tests."""
    _kept.clear()

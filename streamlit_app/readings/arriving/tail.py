"""What happens now, one by one, and whatever has a name.

Here: one function per question. Not here: figures (`requests`, `ai_models`), one trace (`traces`).
"""

import pandas as pd

from streamlit_app.readings import source, traces
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_FOUND = ["kind", "name", "key", "about", "last_at"]
_LEAST_ID = 4


def newest(
    view: View, kind: str | None = None, after: pd.Timestamp | None = None, limit: int = 100
) -> Reading:
    """Of kind requests, errors or ai_calls, or of all, newest first, after a moment.

    kind, event_at, component, version, environment, method, route, status, duration_ms, is_failed,
    error_type, model, input_tokens, output_tokens, title, group_key, trace_id, span_id.
    """
    return source.live(
        "tail",
        kind=kind,
        component=view.component,
        environment=view.environment,
        version=view.version,
        route=view.route,
        model=view.model,
        q=view.search or None,
        after=None if after is None else int(after.timestamp() * 1e6),
        limit=limit,
    )


def search(words: str, limit: int = 20) -> Reading:
    """kind (component, route, model, error, trace, alert), name, key, about, last_at; the best first.

    The live window first, then what only the marts know.
    """
    if not words.strip():
        return Reading(pd.DataFrame(columns=_FOUND))
    trace = traces.id_in(words)
    wanted = trace or words.strip()
    hot = source.live("search", q=wanted, limit=limit)
    frames = [_alerts(words), hot.frame, _published(wanted, limit).frame, _trace(trace)]
    rows = [frame for frame in frames if len(frame)]
    if not rows:
        return hot.with_frame(pd.DataFrame(columns=_FOUND))
    found = pd.DataFrame(pd.concat(rows, ignore_index=True)[_FOUND])
    return hot.with_frame(found.drop_duplicates(["kind", "key"], ignore_index=True).head(limit))


def _trace(trace_id: str | None) -> pd.DataFrame:
    """A trace that somebody names by its whole id, whether it is among what is known or not."""
    if trace_id is None:
        return pd.DataFrame(columns=_FOUND)
    known = {"kind": "trace", "name": trace_id, "key": trace_id, "about": "by its id"}
    return pd.DataFrame([{**known, "last_at": pd.Timestamp("NaT", tz="UTC")}], columns=_FOUND)


def _published(words: str, limit: int) -> Reading:
    every = "list_filter(string_split(lower($q), ' '), lambda w: w <> '')"
    text = "lower(name || ' ' || about || ' ' || key)"
    has = f"len(list_filter({every}, lambda w: NOT contains({text}, w))) = 0"
    sql = f"""
        WITH named AS (
            SELECT 'component' AS kind, component AS name, component AS key, '' AS about,
                last_seen_at AS last_at FROM dim_components
            UNION ALL
            SELECT DISTINCT 'route', route, route, component, NULL FROM fct_requests_minutely
            UNION ALL
            SELECT DISTINCT 'model', model, model, provider, NULL FROM fct_ai_calls_minutely
            UNION ALL
            SELECT 'error', title, group_key, culprit, last_seen_at FROM dim_error_groups
            UNION ALL
            SELECT DISTINCT 'trace', trace_id, trace_id, component || ' ' || name, event_at
            FROM fct_exemplars WHERE starts_with(trace_id, lower($q)) AND length($q) >= {_LEAST_ID}
        )
        SELECT kind, name, key, about, last_at AT TIME ZONE 'UTC' AS last_at FROM named
        WHERE kind = 'trace' OR {has}
        ORDER BY starts_with(lower(name), lower($q)) DESC, last_at DESC NULLS LAST, kind, name
        LIMIT $limit"""
    return source.marts(sql, q=words, limit=limit)


def _alerts(words: str) -> pd.DataFrame:
    """Alerts whose rule, component or summary holds every word."""
    answer = source.alerts() or {"alerts": []}
    rows = []
    for alert in answer["alerts"]:
        name, about = alert["rule"], dict(alert["labels"]).get("component", "")
        text = f"{name} {about} {alert['summary']}".lower()
        if all(word in text for word in words.lower().split()):
            rows.append(
                {"kind": "alert", "name": name, "key": alert["id"], "about": about,
                 "last_at": pd.to_datetime(alert["fired_at"], utc=True)}
            )  # fmt: skip
    return pd.DataFrame(rows, columns=_FOUND)

"""What the Privacy page reads: the gate's counts, policy, receipts, ledger, audit log, scans.

Here: one typed function per question, each behind the page's right. Not here: drawing (`views/privacy`,
`components/privacy_parts`), deciding and scanning (`privacy_actions`).
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from dagster_project.leaks import runs as scan_runs
from dagster_project.leaks.runs import ScanRun
from ingestion.expiry import plan as expiry
from ingestion.expiry.doomed import Doomed
from ingestion.gate_readings import UNKNOWN_SQL, Waiting, waits
from ingestion.spool import Spool
from privacy.access.access_policy import Right
from privacy.audit.audit_log import AuditEntry, Outcome
from privacy.detection.canary import canaries
from privacy.detection.identity import content_hash, short_hash
from privacy.gate.allow_list import PolicyProblem
from privacy.keys.key_store import KeyStore
from privacy.retention.receipts import Receipt
from privacy.retention.retention_policy import Policy, RetentionProblem
from privacy.site_policy import SitePolicy, load_site_policy
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman, permission

PAGE = "privacy"
AUDIENCE = "privacy"
MOST_ENTRIES = 200


@dataclass(frozen=True)
class Detector:
    """The detector that the latest batch has passed.

    Shares with a 95 % interval (Wilson); `planted` is None for a detector of another version, whose
    canaries are not those of this one.
    """

    detector_id: str
    seen_at: datetime
    canary_recall: float
    planted: int | None = None
    low: float | None = None
    high: float | None = None


@st.cache_resource
def keys() -> KeyStore:
    """The keys of the data home; raises KeyProblem."""
    return KeyStore.open(source.settings().home)


def marts(sql: str, **parameters: object) -> source.Reading:
    """A question to the copy of the viewer's audience; both hold the gate's counts."""
    is_officer = permission.may_read(Right.AUDIENCE, AUDIENCE)
    return source.marts(sql, audience=AUDIENCE if is_officer else source.AUDIENCE, **parameters)


def built_at() -> datetime | None:
    """When the marts were built."""
    found = marts("SELECT built_at FROM meta_builds").frame
    return found.iloc[0, 0].tz_localize("UTC").to_pydatetime() if len(found) else None


def decisions(minutes: int) -> source.Reading:
    """component, signal, field, treatment, value_count in a range, most values first."""
    sql = """
        SELECT component, signal, field, treatment, sum(value_count)::BIGINT AS value_count
        FROM fct_gate_decisions_hourly WHERE hour_at >= date_trunc('hour', $since::TIMESTAMP)
        GROUP BY ALL ORDER BY value_count DESC, component, field"""
    return marts(sql, since=data.since(minutes))


def policy() -> tuple[SitePolicy, str]:
    """The site's decisions, and what is wrong with the file."""
    _allowed()
    try:
        return load_site_policy(source.settings().home), ""
    except PolicyProblem as problem:
        return {}, str(problem)


def waiting(decided: SitePolicy) -> tuple[list[Waiting], str | None]:
    """Attributes that wait for a decision, or why that is not known."""
    reading = marts(UNKNOWN_SQL)
    rows = reading.frame.itertuples(index=False, name=None)
    return [w for row in rows if (w := waits(row, decided)) is not None], reading.problem


def detector() -> Detector | None:
    """What stands in the latest batch of the spool, or None when there is none."""
    _allowed()
    settings = source.settings()
    if not settings.spool_path.exists():
        return None
    with closing(Spool(settings.spool_path, keys())) as spool:
        found = spool.last_detector()
    if found is None or ";canary=" not in found[0]:
        return None
    recall, at = (
        float(found[0].partition(";canary=")[2]),
        datetime.fromtimestamp(found[1] / 1e6, UTC),
    )
    if f"+{short_hash(_content_hash())};" not in found[0]:
        return Detector(found[0], at, recall)
    planted = len(canaries())
    return Detector(found[0], at, recall, planted, *wilson(round(recall * planted), planted))


@st.cache_data(show_spinner=False)
def _content_hash() -> str:
    return content_hash()


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927)."""
    z = 1.959964
    share, z2 = hits / trials, z * z / trials
    centre = (share + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * (share * (1 - share) / trials + z2 / (4 * trials)) ** 0.5
    return max(centre - half, 0.0), min(centre + half, 1.0)


def retention() -> tuple[Policy | None, list[Doomed], str]:
    """The rules in force, what the next purge removes from lake, spool and keys, and what is wrong."""
    _allowed()
    settings = source.settings()
    try:
        rules = expiry.policy_of(settings)
    except RetentionProblem as problem:
        return None, [], str(problem)
    now = datetime.now(UTC).replace(tzinfo=None)
    return rules, expiry.plan(settings, keys(), rules, now), ""


def receipts() -> list[Receipt]:
    """What purges left, newest first."""
    _allowed()
    return expiry.receipts(source.settings(), keys())


def scans() -> list[ScanRun]:
    """Leak scans, newest first."""
    _allowed()
    return scan_runs.runs(source.settings(), keys())


def entries(family: str | None, actor: str | None, outcome: Outcome | None) -> list[AuditEntry]:
    """Audit entries, newest first."""
    _allowed()
    return doorman.log().entries(
        action=family or None, actor=actor or None, outcome=outcome, limit=MOST_ENTRIES
    )


def _allowed() -> None:
    permission.require_of_viewer(Right.PAGE, PAGE)

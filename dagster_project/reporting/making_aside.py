"""A report made in a process of its own, which ends with it.

Here: asking for one, and being that process. Not here: making (`making`). Pandas, Altair and reportlab keep
100 MB; the app and Dagster's process, which make one now and then, would keep them for good.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.reporting import making
from dagster_project.reporting.kinds.report_source import NoData
from ingestion.settings import Settings, load_settings
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.process_log.log import guard

_SECONDS = 180


@dataclass(frozen=True)
class Made:
    """What became of it, as the history has it (`keeping.Entry`)."""

    period: str
    edition: str
    outcome: str
    verdict: str
    delivered: list[str]


def make_aside(settings: Settings, kind: str, period: str, by: str) -> Made:
    """Make a report and wait for it; an empty period is the newest that is over.

    Raises NoData where nothing is known of the period, ReportProblem for everything else.
    """
    asked = json.dumps([str(settings.home), kind, period, by])
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=asked.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise making.ReportProblem(
            f"the report was not made ({type(error).__name__}): try again; "
            "`./tta.sh monitor report run` says more."
        ) from None
    if "problem" in answer:
        raise (NoData if answer["is_empty"] else making.ReportProblem)(answer["problem"])
    return Made(**answer)


def main() -> None:
    """Read what is asked, make it, say what became of it."""
    guard()
    home, name, period, by = json.load(sys.stdin)
    settings, now = load_settings(Path(home)), datetime.now(UTC)
    try:
        kind = making.kind_named(name)
        due = making.Due(kind, making.period_of(settings, kind, period, now))
        made = making.make(settings, KeyStore.open(settings.home), due, by=by, now=now)
    except (*making.REFUSALS, KeyProblem) as problem:
        print(json.dumps({"problem": str(problem), "is_empty": isinstance(problem, NoData)}))
        return
    told = Made(made.period, made.edition, made.outcome, made.verdict, list(made.delivered))
    print(json.dumps(asdict(told)))


if __name__ == "__main__":
    main()

"""Making a report from the app. Here: the right, the audit entry. Not here: buttons (`views/reports`)."""

from dagster_project.reporting.kinds.report_source import NoData
from dagster_project.reporting.making import ReportProblem
from dagster_project.reporting.making_aside import make_aside
from streamlit_app.readings import source
from streamlit_app.sign_in import permission


def make(kind: str, audience: str, period: str) -> tuple[str, str]:
    """Make it now: (edition, words); no edition when it was not made, and the words say why."""
    permission.require_of_viewer(permission.Right.AUDIENCE, audience)
    try:
        with permission.acting(
            "report.make", ReportProblem, NoData, report=kind, period=period
        ) as who:
            made = make_aside(source.settings(), kind, period, who.id)
    except (ReportProblem, NoData) as problem:
        return "", f"Not made: {problem}"
    same = ", which was there already: the data have not changed" if made.outcome == "same" else ""
    return made.edition, f"{made.period} is made: edition {made.edition}{same}."

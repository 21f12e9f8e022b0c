"""Great Expectations suites over what was just landed, as blocking asset checks."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.dbt_plugin import open_landed
from dagster_project.landing_checks import Finding, validate_landed
from ingestion.contracts import LANDED
from ingestion.duck import connect
from ingestion.settings import load_settings


def as_check_result(finding: Finding) -> dg.AssetCheckResult:
    """A finding in Dagster's words."""
    return dg.AssetCheckResult(
        passed=finding.is_passed,
        asset_key=["landed", finding.signal],
        check_name="landed_suite",
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "rows": finding.row_count,
            "expectations": finding.evaluated,
            "failed": ", ".join(finding.failed) or "none",
        },
    )


@dg.multi_asset_check(
    name="landed_suites",
    specs=[
        dg.AssetCheckSpec("landed_suite", asset=["landed", signal], blocking=True)
        for signal in LANDED
    ],
)
def landed_suites() -> Iterator[dg.AssetCheckResult]:
    """Keys present, kinds and states known, clocks within an hour, counts not negative."""
    con = connect()
    open_landed(con, load_settings(), is_full_refresh=False)
    findings = [validate_landed(con, signal) for signal in LANDED]
    con.close()
    yield from (as_check_result(finding) for finding in findings)

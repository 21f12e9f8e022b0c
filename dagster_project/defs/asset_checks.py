"""Great Expectations suites and the leak scan over what was just landed, as blocking asset checks."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.defs.home import InHome
from dagster_project.leaks.landed_scan import LandedLeaks, scan_landed
from dagster_project.marts.landing_checks import Finding, validate_landed
from ingestion.contracts import LANDED


def as_check_result(finding: Finding) -> dg.AssetCheckResult:
    """A finding in Dagster's words: what a sender got wrong warns and stops nothing."""
    is_odd = finding.is_passed and bool(finding.odd)
    return dg.AssetCheckResult(
        passed=finding.is_passed and not is_odd,
        asset_key=["landed", finding.signal],
        check_name="landed_suite",
        severity=dg.AssetCheckSeverity.WARN if is_odd else dg.AssetCheckSeverity.ERROR,
        metadata={
            "rows": finding.row_count,
            "expectations": finding.evaluated,
            "failed": ", ".join(finding.failed) or "none",
            "odd": ", ".join(f"{o.component}: {o.reason} {o.rows}" for o in finding.odd) or "none",
        },
    )


@dg.multi_asset_check(
    name="landed_suites",
    specs=[
        dg.AssetCheckSpec("landed_suite", asset=["landed", signal], blocking=True)
        for signal in LANDED
    ],
)
def landed_suites(home: InHome) -> Iterator[dg.AssetCheckResult]:
    """Keys present, kinds and states known, counts not negative; odd rows are told by component."""
    with home.landed() as con:
        findings = [validate_landed(con, signal) for signal in LANDED]
    yield from (as_check_result(finding) for finding in findings)


def as_leak_result(looked: LandedLeaks) -> dg.AssetCheckResult:
    """Counts by kind; never a text, nor the field it stands in."""
    return dg.AssetCheckResult(
        passed=looked.is_clean,
        asset_key=["landed", looked.signal],
        check_name="leak_scan",
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "files": looked.files,
            "rows": looked.rows,
            "distinct_texts": looked.texts,
            "found": ", ".join(f"{k} {n}" for k, n in sorted(looked.found.items())) or "nothing",
            "blind_for": ", ".join(looked.unseen) or "nothing",
        },
    )


@dg.multi_asset_check(
    name="landed_leaks",
    specs=[
        dg.AssetCheckSpec("leak_scan", asset=["landed", signal], blocking=True) for signal in LANDED
    ],
)
def landed_leaks(home: InHome) -> Iterator[dg.AssetCheckResult]:
    """An independent detector over every distinct text of the files that were just landed."""
    keys = home.keys()
    for signal in LANDED:
        yield as_leak_result(scan_landed(home.settings, keys, signal))

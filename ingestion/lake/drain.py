"""Spool to lake, exactly once: plan after plan until what was pending is landed.

Here: the drain (plan, write, list, advance). Not here: what a plan writes (`plan_run`), its files
(`partitions`), which files are alive (`catalog`), compaction (`compaction`), marts (`dbt/`). A plan is
written down before its files are; a crash anywhere re-executes the same plan under the same file names. A
drain ends: it takes what the spool holds when it begins, however much arrives meanwhile.
"""

from collections.abc import Callable

from ingestion.lake import set_aside
from ingestion.lake.catalog import Catalog, LakeFile, Plan
from ingestion.lake.duck import (
    connect,
)
from ingestion.lake.plan_run import DrainReport, PlanRun
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore

_SMALL_PLAN_ROWS = 30_000
_PLANS = 8


def drain(
    settings: Settings, keys: KeyStore, *, progress: Callable[[str], None] = lambda _: None
) -> DrainReport:
    """Move what is pending now into the lake; prunes the spool. Callers hold the writer's lock."""
    spool, catalog = Spool(settings.spool_path, keys), Catalog(settings.lake_path)
    report = DrainReport()
    spool.mark_drained(catalog.last_drained())
    spool.take_back(set_aside.product_version())
    pending = spool.sizes(spool.drained_seq())
    most = _rows_of_a_plan(sum(rows for _, rows in pending), settings.warehouse.plan_rows)
    until = pending[-1][0] if pending else 0
    con = None
    while True:
        plan = catalog.open_plan() or _next_plan(spool, catalog, until, most)
        if plan is None:
            break
        con = con or connect(memory_limit=settings.warehouse.memory_limit)
        work = PlanRun(settings, keys, con, spool, catalog, plan=plan)
        files = _run_or_sort_out(work, progress)
        catalog.finish_plan(plan, files)
        spool.mark_drained(plan.high)
        report.add(work.report)
        progress(f"drained spool rows {plan.low} to {plan.high} into {len(files)} files")
    if con:
        con.close()
    report.set_aside_batches, report.set_aside_rows = spool.aside()
    minute_us = 60_000_000
    spool.prune(
        keep_us=settings.warehouse.spool_keep_minutes * minute_us,
        digest_us=settings.receiver.digest_hours * 60 * minute_us,
    )
    spool.close()
    catalog.close()
    return report


def _rows_of_a_plan(pending: int, most: int) -> int:
    """Rows that a plan takes at most: few lie in memory together where few arrive, and where many do
    a pass still looks into an hour's identities no more than some times.
    """
    return min(most, max(_SMALL_PLAN_ROWS, pending // _PLANS))


def _run_or_sort_out(work: "PlanRun", progress: Callable[[str], None]) -> list[LakeFile]:
    """Run a plan; when batches of it make it fail, once more without what is wrong with them."""
    try:
        return work.run()
    except Exception:
        # What was wrong with which batch is logged there; where nothing is found, the pass fails.
        found = work.sort_out()
        if not found:
            raise
        progress(f"{found.mended} batches were mended, {found.set_aside} are set aside")
        return work.run()


def _next_plan(spool: Spool, catalog: Catalog, until: int, most: int) -> Plan | None:
    after, rows, high = spool.drained_seq(), 0, 0
    for seq, row_count in spool.sizes(after, until=until):
        if high and rows + row_count > most:
            break
        rows, high = rows + row_count, seq
    return catalog.begin_plan(after + 1, high) if high else None

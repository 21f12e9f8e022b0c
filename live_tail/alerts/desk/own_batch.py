"""Alerts about the batch side: a pass that failed, a schedule that stopped, code that does not load.

Here: their rules and readings. Not here: the judgement (`ingestion/processes/passes`), other alerts about
ourselves (`own`). The reason stands in the alert's effect: as a label it would make each new wording
another alert.
"""

from collections.abc import Iterable
from dataclasses import replace

from ingestion.processes.passes import BatchProblem
from live_tail.alerts.words.rule_records import Reading, Rule, Severity

_LOOK = "See what is wrong: ./tta.sh monitor status"
RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "BatchFailed", "own", {}, Severity.WARNING, "The latest batch pass failed",
            "Marts stay as they were published before.",
            (_LOOK, "Open the failed run on Dagster's page",
             "Try again: ./tta.sh monitor build"),
        ),
        Rule(
            "BatchStopped", "own", {}, Severity.WARNING, "No batch pass will begin",
            "Marts grow older; live figures go on.",
            (_LOOK, "Turn batch_schedule on again on Dagster's page",
             "Read <home>/run/dagster.log, then: ./tta.sh monitor down, and up"),
        ),
        Rule(
            "CodeLocationBroken", "own", {}, Severity.WARNING, "Dagster cannot load our definitions",
            "No batch pass can begin.",
            (_LOOK, "Try it in the foreground: ./tta.sh monitor build"),
        ),
        Rule(
            "RowsSetAside", "own", {}, Severity.WARNING, "Rows that were accepted cannot be landed",
            "They are kept, sealed, until they expire; everything else goes on.",
            (_LOOK, "Read <home>/run/dagster.log for the batch and the cause",
             "Install a newer version: it tries them again"),
        ),
        Rule(
            "ItemsUnaccounted", "own", {}, Severity.WARNING, "The ledger of arrivals does not add up",
            "Items have no fate, or two; marts are published all the same.",
            (_LOOK, "See in fct_landed_items_hourly of whom and of which hour"),
        ),
        Rule(
            "MartsStale", "own", {}, Severity.WARNING, "Marts are older than two intervals",
            "Pages of marts, charts and published files lag behind.",
            (_LOOK, "Give the batch more: warehouse.memory_limit, or fewer senders"),
        ),
    )
}  # fmt: skip


def told(problems: Iterable[BatchProblem]) -> dict[str, Rule]:
    """The rules of what is wrong now, with the reason in words."""
    return {
        p.kind: replace(RULES[p.kind], effect=f"{p.reason}. {RULES[p.kind].effect}")
        for p in problems
    }


def readings(problems: Iterable[BatchProblem]) -> list[Reading]:
    """One series for each kind of problem."""
    return [Reading(kind, (), None) for kind in sorted({p.kind for p in problems})]

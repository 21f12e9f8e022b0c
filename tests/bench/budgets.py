"""What it costs to be there: every process of the product, by load.

Here: four loads over the whole product: at rest with its own host metrics only, the demo with 20 more
requests a second, 2,000 and 5,000 spans a second; how old what is published ever gets meanwhile, and how
many spans one CPU-second brings from the socket to a published mart. `python -m tests.bench.budgets
[SECONDS]` runs it alone, with so many seconds for each load. Not here: what the live tail alone costs
(`live_cost`).
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.product import Product, Spans, product, requests

_SETTLE_S = 90


def budgets(seconds: float = 600) -> dict[str, Any]:
    """By load: cores and megabytes of each process and of all, and the oldest that marts were."""
    found: dict[str, Any] = {}
    for load, demo, per_s, spans_per_s in (
        ("at_rest", (), 0, 0),
        ("at_25_requests_s", ("--demo",), 20, 0),
        ("at_2000_spans_s", (), 0, 2_000),
        ("at_5000_spans_s", (), 0, 5_000),
    ):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            whole = stack.enter_context(product(Path(folder) / "home", *demo))
            if per_s:
                stack.enter_context(requests(whole.operator, per_s))
            sending = stack.enter_context(Spans(whole.port, spans_per_s)) if spans_per_s else None
            time.sleep(_SETTLE_S)
            found[load] = _measured(whole, seconds, sending)
    return {"budgets": found}


def table(found: dict[str, Any]) -> str:
    """The same as a table in Markdown, a row for each process."""
    names = sorted({name for load in found.values() for name in load["cores"]})
    head = ["process", *(f"{load.replace('_', ' ')}: cores, MB" for load in found)]
    rows = [[name, *(_cell(load, name) for load in found.values())] for name in (*names, "all")]
    for figure in ("oldest_marts_s", "spans_per_cpu_s"):
        told = [load.get(figure) for load in found.values()]
        rows.append([figure, *("" if value is None else str(value) for value in told)])
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(load: dict[str, Any], name: str) -> str:
    if name == "all":
        return f"{load['all_cores']}, {load['all_mb_peak']} at the peak"
    return f"{load['cores'][name]}, {load['mb'][name]}" if name in load["cores"] else "—"


def _measured(whole: Product, seconds: float, sending: Spans | None) -> dict[str, Any]:
    before, sent = whole.costs(), sending.accepted if sending else 0
    began, oldest, peak = time.monotonic(), 0.0, 0.0
    after = before
    while time.monotonic() - began < seconds:
        time.sleep(2)
        after = whole.costs()
        oldest = max(oldest, whole.published_age_s() or 0.0)
        peak = max(peak, sum(mb for _, mb in after.values()))
    took = time.monotonic() - began
    spent = {name: cpu_s - before.get(name, (0.0, 0.0))[0] for name, (cpu_s, _) in after.items()}
    found: dict[str, Any] = {
        "cores": {name: round(cpu_s / took, 3) for name, cpu_s in spent.items()},
        "mb": {name: round(mb) for name, (_, mb) in after.items()},
        "all_cores": round(sum(spent.values()) / took, 3),
        "all_mb_peak": round(peak),
        "oldest_marts_s": round(oldest),
    }
    if sending:
        found["spans_per_cpu_s"] = round((sending.accepted - sent) / sum(spent.values()))
        found["refused"] = sending.refused
    return found


if __name__ == "__main__":
    measured = budgets(*map(float, sys.argv[1:]))["budgets"]
    print(json.dumps(measured, indent=1))
    print(table(measured))

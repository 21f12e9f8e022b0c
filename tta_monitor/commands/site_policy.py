"""`./tta.sh monitor privacy policy …`: what the site decided about attributes, and what waits.

Here: arguments and printing. Not here: the policy (`privacy/site_policy`), the counts
(`ingestion/gate_readings`).
"""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from tta_monitor.console.context import err, out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import acting
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from ingestion.gate_readings import Waiting
    from ingestion.settings import Settings
    from privacy.site_policy import SitePolicy

commands = group()

_policy = group("Decisions about unknown attributes.")
commands.add_typer(_policy, name="policy")


@_policy.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show what was decided, and which attributes are dropped because nobody decided.

    Example: ./tta.sh monitor privacy policy list --json
    """
    chosen = settings()
    policy = _loaded(chosen)
    found = _waiting(chosen, policy)
    if as_json:
        lines = [
            {
                "name": w.name,
                "shape": w.shape or None,
                "value_count": w.value_count,
                "components": w.components,
                "signals": w.signals,
                "last_at": w.last_at.isoformat(),
            }
            for w in found or ()
        ]
        print(json.dumps({"decided": policy, "waiting": None if found is None else lines}))
        return
    print_table(["attribute", "decision"], [[name, d] for name, d in sorted(policy.items())])
    if found is None:
        err.print("nothing is published yet: run `build` to see which attributes wait")
        return
    out.print(f"{len(found)} attributes wait for a decision and are dropped until then")
    rows = [[w.name, w.shape or None, w.value_count, ", ".join(w.components)] for w in found]
    if rows:
        print_table(["attribute", "shape", "values", "components"], [list(r) for r in rows])


@_policy.command("set")
def choose(
    name: Annotated[str, typer.Argument(help="The attribute's name, or ~ and letters as listed.")],
    decision: Annotated[
        str, typer.Argument(help="allow, scrub, drop, or undecided to take a decision back.")
    ],
) -> None:
    """Decide about an attribute; receivers apply it within seconds, to what arrives then.

    Example: ./tta.sh monitor privacy policy set player.mood_score allow
    """
    from privacy.audit.audit_log import AuditLog
    from privacy.gate.allow_list import PolicyProblem
    from privacy.keys.key_store import KeyStore
    from privacy.site_policy import Decision, decide

    words = [d.value for d in Decision]
    if decision not in {*words, "undecided"}:
        raise Problem(f"the decision must be {', '.join(words)} or undecided.", code=2)
    chosen = settings()
    with closing(AuditLog(chosen.home, KeyStore.open(chosen.home))) as log:
        try:
            wanted = None if decision == "undecided" else Decision(decision)
            decide(chosen.home, log, actor=acting(), name=name, decision=wanted)
        except PolicyProblem as problem:
            raise Problem(str(problem), code=2) from None
    out.print("decided; running receivers apply it within seconds")


def _loaded(chosen: "Settings") -> "SitePolicy":
    from privacy.gate.allow_list import PolicyProblem
    from privacy.site_policy import load_site_policy

    try:
        return load_site_policy(chosen.home)
    except PolicyProblem as problem:
        raise Problem(str(problem), code=2) from None


def _waiting(chosen: "Settings", policy: "SitePolicy") -> "list[Waiting] | None":
    from ingestion.gate_readings import waiting
    from ingestion.lake.duck import NotPublished, open_published

    try:
        with closing(open_published(chosen, "privacy")) as con:
            return waiting(con, policy)
    except NotPublished:
        return None

"""`alerts list|show|ack|resolve|silence|unsilence|channel-test`: what people do with alerts.

Here: arguments and printing. Not here: what it does (`live_tail/alerts`), rules (their own module).
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tta_monitor.console.context import out, settings, to_the_second
from tta_monitor.console.groups import group
from tta_monitor.console.problems import Problem

if TYPE_CHECKING:
    from live_tail.http.client import LiveClient

commands = group()

_Id = Annotated[str, typer.Argument(help="Id of the alert, or the start of it.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_WAIT_S = 15


@commands.command("list")
def list_alerts(
    matchers: Annotated[
        list[str] | None, typer.Argument(help='Such as severity="critical".')
    ] = None,
    as_json: _Json = False,
) -> None:
    """Alerts that are pending or fire, the worst first. Exit code 1 when a critical one waits.

    Example: ./tta.sh monitor alerts list 'severity="critical"' --json
    """
    found = _ask(lambda c: c.get("/api/v1/alerts", matcher=matchers or []))
    alerts = found["alerts"]
    if as_json:
        print(json.dumps(found))
    elif not alerts:
        out.print("nothing fires")
    else:
        for alert in alerts:
            out.print(_line(alert))
    for rule, why in found["unjudged"].items() if not as_json else ():
        out.print(f"not judged: {rule}: {why}")
    waits = any(
        a["state"] == "firing" and a["severity"] == "critical" and not a["muted_by"] for a in alerts
    )
    raise typer.Exit(int(waits))


@commands.command()
def show(alert_id: _Id, as_json: _Json = False) -> None:
    """One alert: what is wrong, since when, the effect, what to do, and what happened so far.

    Example: ./tta.sh monitor alerts show 1f3a
    """
    alert = _ask(lambda c: c.get(f"/api/v1/alerts/{alert_id}"))
    if as_json:
        print(json.dumps(alert))
        return
    out.print(f"{alert['severity']} {alert['rule']}: {alert['summary']}")
    out.print(f"  {alert['state']} since {to_the_second(alert['fired_at'] or alert['started_at'])}")
    out.print("  " + " ".join(f"{k}={v}" for k, v in alert["labels"]))
    if alert["effect"]:
        out.print(f"  Effect: {alert['effect']}")
    for number, action in enumerate(alert["runbook"], start=1):
        out.print(f"  {number}. {action}")
    for one in alert.get("groups", []):
        place = f" in {one['place']}" if one["place"] else ""
        out.print(f"  {one['count']} x {one['error']}{place}: errors show {one['key']}")
    if alert["next"]:
        told = ", ".join(alert["next"]["notify"])
        out.print(f"  Next: {to_the_second(alert['next']['at'])} {told} is told")
    for event in alert["events"]:
        at = to_the_second(datetime.fromtimestamp(event["at_us"] / 1e6, UTC).isoformat())
        out.print(f"  {at} {event['kind']} {event['by']}".rstrip())


@commands.command()
def ack(alert_id: _Id, note: Annotated[str, typer.Option(help="Kept as a skeleton.")] = "") -> None:
    """Acknowledge: repeats and escalation end until the alert is over.

    Example: ./tta.sh monitor alerts ack 1f3a --note "looking at it"
    """
    path = f"/api/v1/alerts/{alert_id}/acknowledge"
    alert = _ask(lambda c: c.post(path, note=note))
    out.print(f"acknowledged {alert['rule']}")


@commands.command()
def resolve(alert_id: _Id) -> None:
    """Close by hand; it opens again when the condition still holds after 15 minutes.

    Example: ./tta.sh monitor alerts resolve 1f3a
    """
    path = f"/api/v1/alerts/{alert_id}/resolve"
    alert = _ask(lambda c: c.post(path))
    out.print(f"resolved {alert['rule']}")


@commands.command()
def silence(
    matchers: Annotated[list[str], typer.Argument(help='Such as component="api".')],
    duration: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.")] = "1h",
    comment: Annotated[str, typer.Option(help="Why; kept as a skeleton.")] = "",
    preview: Annotated[bool, typer.Option(help="Only say what it would mute.")] = False,
) -> None:
    """Mute what matches for a while; it is recorded all the same.

    Example: ./tta.sh monitor alerts silence 'component="api"' --for 2h --comment deployment
    """
    if preview:
        found = _ask(lambda c: c.get("/api/v1/alerts/preview", matcher=matchers))
        out.print(f"matches {found['count']} now")
        return
    body = {"matchers": matchers, "duration": duration, "comment": comment}
    made = _ask(lambda c: c.post("/api/v1/silences", **body))
    until = to_the_second(made["ends_at"])
    out.print(f"silence {made['id']} until {until}: matches {made['matches_now']} now")


@commands.command()
def unsilence(silence_id: Annotated[str, typer.Argument(help="Id of the silence.")]) -> None:
    """End a silence now.

    Example: ./tta.sh monitor alerts unsilence 5f0c3a9b1d2e
    """
    _ask(lambda c: c.post(f"/api/v1/silences/{silence_id}/end"))
    out.print("ended")


@commands.command("channel-test")
def channel_test(name: Annotated[str, typer.Argument(help="A channel of alerting.yaml.")]) -> None:
    """Send a test message over one channel and wait for the outcome.

    Example: ./tta.sh monitor alerts channel-test webhook
    """
    key = _ask(lambda c: c.post(f"/api/v1/channels/{name}/test"))["key"]
    deadline = time.monotonic() + _WAIT_S
    entry: dict[str, Any] = {}
    while (
        time.monotonic() < deadline and entry.get("state") != "delivered" and not entry.get("error")
    ):
        time.sleep(0.2)
        log = _ask(lambda c: c.get("/api/v1/deliveries", limit=50))["deliveries"]
        entry = next((e for e in log if e["key"] == key), {})
    if entry.get("state") != "delivered":
        cause = entry.get("error") or "no outcome yet: is the notifier running?"
        raise Problem(f"channel {name} did not deliver: {cause}. See alerting.yaml.", code=1)
    out.print(f"channel {name} delivered")


def _line(alert: dict[str, Any]) -> str:
    """One line that no terminal cuts: an id is there to be copied."""
    labels = " ".join(f"{k}={v}" for k, v in alert["labels"])
    since = to_the_second(alert["fired_at"] or alert["started_at"])
    parts = [
        alert["id"],
        alert["severity"],
        alert["state"],
        alert["rule"],
        labels,
        alert["summary"] if alert.get("groups") else "",
        f"since {since}",
    ]
    if alert["muted_by"]:
        parts.append(f"muted by {', '.join(alert['muted_by'])}")
    if alert["acknowledged_by"]:
        parts.append(f"acknowledged by {alert['acknowledged_by']}")
    return "  ".join(part for part in parts if part)


def _ask(question: "Callable[[LiveClient], Any]") -> Any:
    from live_tail.http.client import LiveClient, LiveUnavailable

    try:
        return question(LiveClient.of(settings()))
    except (LiveUnavailable, ValueError) as problem:
        raise Problem(str(problem), code=1) from None
